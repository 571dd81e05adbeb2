"""pyproject.toml, requirements.lock and environment.yml say the same, and every direct dependency is used."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib import metadata

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from helpers import environment
from helpers.environment import ROOT
from tools.authoring.notebooks import notebook_paths, read_notebook

pytestmark = pytest.mark.lint

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCK = [
    Requirement(line.removesuffix("\\"))
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith((" ", "#"))
]
# What nobody imports, and the words by which it is used instead.
TOOLS = {
    "import-linter": ("Makefile", "lint-imports"),
    "jupyterlab": ("Makefile", "jupyter lab"),
    "myst-nb": ("tools/site/conf.py", "myst_nb"),
    "nbval": ("Makefile", "--nbval-lax"),
    "onnxscript": ("helpers/networks/onnx.py", "torch.onnx.export"),
    "pytest-timeout": ("pyproject.toml", "\ntimeout = "),
    "ruff": ("Makefile", "ruff check"),
    "pytest-xdist": ("Makefile", "-n 2"),
    "sphinx": ("Makefile", "sphinx"),
}
CONDA_NAMES = {"pytorch-cpu": "torch"}


def requirements(*groups: list[str]) -> dict[str, Requirement]:
    found = [Requirement(line) for group in groups for line in group]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


DIRECT = requirements(PROJECT["dependencies"], *EXTRAS.values())
LOCKED = requirements(PROJECT["dependencies"], *(EXTRAS[name] for name in EXTRAS if name != "render"))


@cache
def imported_modules() -> frozenset[str]:
    """Top-level names of everything that helpers, tests and notebooks import."""
    sources = (path for folder in ("helpers", "tools", "tests") for path in (ROOT / folder).rglob("*.py"))
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sources]
    for path in notebook_paths():
        code = "\n".join(cell.source for cell in read_notebook(path).cells if cell.cell_type == "code")
        trees.append(ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", code, flags=re.MULTILINE)))
    names = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "importorskip":
            names.add(node.args[0].value)
    return frozenset(name.split(".")[0] for name in names)


@cache
def distributions() -> dict[str, set[str]]:
    """Module → packages that bring it, as installed here."""
    return {m: set(map(canonicalize_name, d)) for m, d in metadata.packages_distributions().items()}


@pytest.mark.parametrize("name", sorted(LOCKED))
def test_lock_pins_each_direct_dependency_within_its_range(name: str) -> None:
    pins = [pin for pin in LOCK if canonicalize_name(pin.name) == name]
    assert pins, f"{name} is missing in requirements.lock: make lock"
    for pin in pins:
        (specifier,) = pin.specifier
        assert specifier.operator == "=="
        assert LOCKED[name].specifier.contains(specifier.version, prereleases=True), f"{pin} is outside {LOCKED[name]}"


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize(("system", "platform"), [("Linux", "linux"), ("Darwin", "darwin"), ("Windows", "win32")])
def test_lock_gives_one_version_on_every_platform(python: str, system: str, platform: str) -> None:
    where = {
        "python_version": python,
        "python_full_version": f"{python}.1",
        "platform_system": system,
        "sys_platform": platform,
        "os_name": "nt" if platform == "win32" else "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    names = [canonicalize_name(pin.name) for pin in LOCK if pin.marker is None or pin.marker.evaluate(where)]
    assert len(names) == len(set(names))
    wanted = {name for name, r in LOCKED.items() if r.marker is None or r.marker.evaluate(where)}
    assert wanted <= set(names)


def test_this_environment_is_the_locked_one() -> None:
    different = {}
    for pin in LOCK:
        if pin.marker is None or pin.marker.evaluate():
            installed = next((d.version for d in metadata.distributions(name=pin.name)), None)
            # A PyTorch for another backend carries its name in the version: 2.15.0+cpu is 2.15.0 here.
            if installed is None or not pin.specifier.contains(installed, prereleases=True):
                different[str(pin)] = installed
    cuda = {pin for pin in different if re.match("(nvidia|cuda|triton)", pin)}
    if "+" in metadata.version("torch"):
        different = {pin: version for pin, version in different.items() if pin not in cuda}
    assert not different, "run make lab or make test, which bring .venv up to date"


def test_conda_environment_has_the_same_ranges() -> None:
    specification = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip = specification["dependencies"]
    assert specification["channels"] == ["conda-forge"]
    *from_pip, helpers_itself = pip["pip"]
    assert helpers_itself == "-e ."

    found = requirements([line for line in conda if line != "pip"], from_pip)
    assert SpecifierSet(PROJECT["requires-python"]) == found.pop("python").specifier
    found = {CONDA_NAMES.get(name, name): (r.specifier, str(r.marker)) for name, r in found.items()}
    wanted = requirements(PROJECT["dependencies"], *(EXTRAS[name] for name in ("lab", "encoders", "export", "server")))
    assert found == {name: (r.specifier, str(r.marker)) for name, r in wanted.items()}
    assert {"pytorch-cpu", "torchvision"} <= {Requirement(line).name for line in conda}, "pip's torch would bring CUDA"


def test_conda_environment_gives_a_purpose_for_each_line() -> None:
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    lines = re.findall(r"^ +- (?!conda-forge|pip:)(.*)$", text, re.MULTILINE)
    assert len(lines) > 10
    assert [line for line in lines if not re.search(r" # \w{2,}", line)] == []


@pytest.mark.parametrize("name", sorted(DIRECT))
def test_direct_dependency_is_used(name: str) -> None:
    if name in TOOLS:
        file, words = TOOLS[name]
        assert words in (ROOT / file).read_text(encoding="utf-8")
        return
    modules = {module for module, packages in distributions().items() if name in packages} or {name}
    assert modules & imported_modules(), f"nothing imports {name}: remove it from pyproject.toml"


def test_imports_are_declared() -> None:
    """What is imported is a direct dependency, not something that happens to come with one."""
    own = {"helpers", "tools", *(path.stem for path in (ROOT / "tests").rglob("*.py")), *sys.stdlib_module_names}
    # A folder of the tests; what is there in Colab alone; what comes inside bpy.
    own |= {"benchmarks", "google", "mathutils"}
    undeclared = {m for m in imported_modules() - own if not (distributions().get(m, set()) | {m}) & set(DIRECT)}
    assert not undeclared


def test_one_version_of_uv_everywhere() -> None:
    wanted = re.search(r"UV_VERSION := (\S+)", (ROOT / "Makefile").read_text(encoding="utf-8"))[1]
    for name in ("README.md", ".github/workflows/ci.yml"):
        installs = re.findall(r"pip install uv(\S*)", (ROOT / name).read_text(encoding="utf-8"))
        assert installs and set(installs) == {f"=={wanted}"}, name


@pytest.mark.parametrize("requirement", PROJECT["dependencies"])
def test_setup_cell_knows_the_module_of_each_light_package(requirement: str) -> None:
    name = canonicalize_name(Requirement(requirement).name)
    module = environment.MODULES.get(name, name.replace("-", "_"))
    assert name in distributions()[module]
    heavy = {"tensorflow", "torch", "torchvision", "fastai", "openvino", "jupyterlab"}
    assert name not in heavy
