# The commands of the suite; `make` alone lists them. Needs make and Python 3.11–3.13, everything else goes to .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
UV_VERSION := 0.13.9
# What requirements.lock pins beside the suite itself.
EXTRAS := lab encoders export server scale site test
NOTEBOOKS ?= $(sort $(wildcard notebooks/*.ipynb))

# Set TORCH_BACKEND=cpu before the first start for a PyTorch without CUDA (saves several GB on Linux).
TORCH_BACKEND ?=
# More arguments for JupyterLab, for instance LAB_ARGS="--no-browser --port=9000".
LAB_ARGS ?=
# More arguments for the web service, for instance SERVE_ARGS="--port=9000 --workers=2".
SERVE_ARGS ?=
# More arguments for the unit tests, for instance TEST_ARGS="tests/test_masks.py -k overlay".
TEST_ARGS ?= tests
# More arguments for the kit, for instance KIT_ARGS="--out stick".
KIT_ARGS ?=
# How long `make models` trains the DeepLab, then the FCN.
MINUTES ?= 110
FCN_MINUTES ?= 25
# The notebooks' own tests: every cell must run; the text of cells tagged nbval-check-output must not change.
NBVAL := --nbval-lax --nbval-cell-timeout=1500 -p no:cacheprovider

# Headless, and the sample tier whatever the shell has set: tests must not depend on downloads.
QUIET := MPLBACKEND=Agg TF_CPP_MIN_LOG_LEVEL=3 SEGMENTATION_TIER=sample

# Two processes with one thread each: small networks have nothing to share, and threads that share a busy core wait for
# each other. A test file, or a notebook, stays in one process, which so loads each model once.
PARALLEL := -n 2 --dist loadfile
ONE_THREAD := OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help lab test lint unit slow nbval notebooks samples models bench serve workshop site slides kit guide publish lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# tools/jupyterlab holds JupyterLab's settings: nobody is asked on the first day whether they want news.
lab: $(READY) ## open JupyterLab on notebooks/ (sets everything up first)
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks --LabApp.app_settings_dir=tools/jupyterlab $(LAB_ARGS)

test: lint unit nbval ## lint, unit tests, and every notebook from top to bottom

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache
	$(QUIET) $(BIN)/python -m pytest -m lint tests/test_house.py tests/test_packaging.py

unit: $(READY)
	$(QUIET) $(ONE_THREAD) $(BIN)/python -m pytest $(PARALLEL) -m "not slow and not lint" $(TEST_ARGS)

slow: $(READY) ## tests that take minutes: trainings that reach their bar, browsers, fuzzing
	$(QUIET) $(ONE_THREAD) $(BIN)/python -m pytest $(PARALLEL) --timeout=1800 -m slow $(TEST_ARGS)

# Any attempt to reach another machine fails: the sample tier needs no network.
# MPLBACKEND would win over the inline backend of the notebooks, so it must not be set.
nbval: $(READY)
	env -u MPLBACKEND $(ONE_THREAD) TF_CPP_MIN_LOG_LEVEL=3 SEGMENTATION_TIER=sample \
		PYTHONPATH=$(CURDIR)/tests/no_network $(BIN)/python -m pytest $(PARALLEL) --timeout=1800 $(NBVAL) $(NOTEBOOKS)

notebooks: $(READY) ## run all notebooks (sample tier), refresh their outputs, pages to build/pages
	env -u MPLBACKEND SEGMENTATION_TIER=sample $(BIN)/python -m tools.authoring.notebooks run $(NOTEBOOKS)
	$(BIN)/python -m tools.authoring.notebooks pages

workshop: $(READY) ## participants' copies, without solutions, to build/workshop
	$(BIN)/python -m tools.authoring.workshop

# -W: a link that leads nowhere or a page that nobody reaches is an error.
site: $(READY) ## a book of all lessons, with a search, to build/site (open index.html)
	$(BIN)/python -m tools.authoring.site
	$(BIN)/python -m sphinx -W --keep-going -q -c tools/site build/site_sources build/site

slides: $(READY) ## slides of each lesson, a file each, to build/slides
	$(BIN)/python -m tools.authoring.slides

# PyTorch without CUDA unless TORCH_BACKEND names another.
kit: $(READY) ## everything for a room without a network, to build/kit: packages, notebooks, a program that sets them up
	$(BIN)/python -m tools.authoring.kit --backend $(or $(TORCH_BACKEND),cpu) $(KIT_ARGS)

guide: $(READY) ## the guide's pages that are made from the notebooks: glossary, schedules
	$(BIN)/python -m tools.authoring.guide

publish: $(READY) ## point badges, links, set-up cells at your repository's release: make publish REPO=owner/name TAG=v1.0
	$(BIN)/python -m tools.authoring.notebooks publish "$(REPO)" $(if $(TAG),--tag="$(TAG)")

# Blender's bpy wants a NumPy that TensorFlow is too new for, so it gets an environment of its own.
samples: $(READY) ## make the practice pictures again (hours; installs Blender's bpy, Python 3.11 only)
	$(BIN)/uv venv --allow-existing --quiet --python 3.11 $(VENV)-render
	$(BIN)/uv pip install --python $(VENV)-render --editable ".[render]"
	$(VENV)-render/bin/python -m tools.practice_streets --force
	$(VENV)-render/bin/python -m tools.practice_roads --force
	$(BIN)/python -m tools.practice_steel data/severstal_practice

models: $(READY) ## train the bundled networks again, for two hours (needs CAMVID_DIR, a folder with CamVid)
	@test -d "$(CAMVID_DIR)" || { echo "set CAMVID_DIR to a folder with images/, labels/, codes.txt, valid.txt"; exit 2; }
	$(BIN)/python -m tools.bundled_models.train_deeplab build/models/deeplab --dir "$(CAMVID_DIR)" \
		--practice data/camvid_practice --minutes $(MINUTES)
	$(BIN)/python -m tools.bundled_models.freeze build/models/deeplab/weights.pt data/models/deeplab_street.tar.gz
	$(BIN)/python -m tools.bundled_models.train_fcn build/models/fcn --dir "$(CAMVID_DIR)" \
		--practice data/camvid_practice --minutes $(FCN_MINUTES)
	cp build/models/fcn/fcn_street.pt data/models/fcn_street.pt

serve: $(READY) ## the web service of lesson 07 on http://127.0.0.1:8000
	$(BIN)/python -m helpers.server serve $(SERVE_ARGS)

bench: $(READY) ## measure speed on this machine: kernels, ways to compute, video; records go to data/measured
	for name in kernels cpu_speed fcn_speed video_speed backgrounds_speed server_speed; do $(QUIET) $(BIN)/python tests/benchmarks/$$name.py || exit 1; done

lock: $(READY) ## renew requirements.lock with the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile pyproject.toml $(EXTRAS:%=--extra %) --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-header --no-annotate --output-file requirements.lock

clean: ## remove .venv, build/ and caches; downloads stay in SEGMENTATION_CACHE
	rm -rf $(VENV) $(VENV)-render build .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find helpers tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp: made once the environment holds exactly what the lock says, out of date when lock or pyproject change.
# Every file is checked against its hash. With a backend of its own, torch is another file than the lock's and comes without
# the CUDA libraries: then neither their pins nor any hashes can hold.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if (3, 11) <= v[:2] <= (3, 13) else \
		f"this suite needs Python 3.11, 3.12 or 3.13, found {v[0]}.{v[1]}; name another one: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	sed $(if $(TORCH_BACKEND),'/^ /d; s/ .$$//; /^nvidia/d; /^cuda/d; /^triton/d','') requirements.lock > $(VENV)/wanted.txt
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip sync $(if $(TORCH_BACKEND),--torch-backend=$(TORCH_BACKEND),--require-hashes) \
		$(VENV)/wanted.txt
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --no-deps --editable .
	@touch $(READY)
