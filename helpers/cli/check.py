"""`check`: does my machine work?"""

import os
import shutil
import time
from importlib import metadata

import numpy as np
import typer

from helpers import compute, environment, models, paths
from helpers.cli.console import FAILED, complain, say
from helpers.datasets.pairing import image_files
from helpers.images import read_image

# What the lessons stand on; the light packages are there, or this command would not run.
PACKAGES = ("jupyterlab", "tensorflow", "ai-edge-litert", "torch", "torchvision", "fastai", "openvino", "scikit-learn")


def check() -> None:
    """Say whether this machine can run the notebooks: versions, device, cache, and a segmentation in seconds."""
    failed = False
    for step in (environment.report, _packages, _cache, _segmentation, compute.report):
        try:
            say(step())
        except (ValueError, OSError) as error:  # each step is worth knowing, whatever became of the one before
            complain(error)
            failed = True
    say("something is missing, see above" if failed else "this machine is ready")
    if failed:
        raise typer.Exit(FAILED)


def _packages() -> str:
    versions, missing = [], []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    said = f"packages: {', '.join(versions)}"
    return f"{said}\nnot installed, so their lessons won't run: {', '.join(missing)}" if missing else said


def _cache() -> str:
    folder = paths.cache_dir()
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if not os.access(existing, os.W_OK):
        raise OSError(f"the cache {folder} can't be written to; set SEGMENTATION_CACHE to a folder of your own")
    return f"cache: {folder} ({shutil.disk_usage(existing).free / 1e9:.1f} GB free)"


def _segmentation() -> str:
    start = time.perf_counter()
    model = models.load(models.DEFAULT_MODEL)
    image = read_image(image_files(paths.DATA / "camvid_practice" / "images")[0])
    model.predict(image)
    loaded = time.perf_counter()
    classes = len(np.unique(model.predict(image)))
    seconds = time.perf_counter() - loaded
    found = f"found {classes} of {model.labels.num_classes} classes in a street of {image.shape[1]}×{image.shape[0]}"
    return f"{models.DEFAULT_MODEL}: {found} in {seconds:.2f} s, after {loaded - start:.1f} s to start"
