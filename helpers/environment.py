"""What a notebook needs from the machine it runs on: the second half of the set-up cell.

The first half, `setup_cell.py`, finds or fetches the repository. This one installs the light packages that are
missing and reports the device. It never installs or changes a framework: Colab's own torch and TensorFlow are built
for its GPU, and replacing them breaks the running kernel. It loads no framework either, so it takes no time.
"""

import importlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import TextIO

# Not taken from helpers.paths: that one needs pooch, which may be what is missing.
ROOT = Path(__file__).resolve().parent.parent
# Where the badges point and Colab clones from; changed everywhere at once by `make publish REPO=owner/name`.
REPOSITORY = "segmentation-notebooks/segmentation-notebooks"

# Packages whose module has another name. OpenCV comes as several packages: any of them that brings cv2 will do.
MODULES = {"opencv-python-headless": "cv2", "pillow": "PIL"}
# Never installed from a notebook: what is there fits the machine's GPU and to each other.
FRAMEWORKS = {"numpy", "tensorflow", "torch", "torchvision"}


def prepare() -> None:
    """Install what is missing and light, then print one paragraph about tier and device. May be called twice."""
    install(missing_packages())
    print(report())


def missing_packages() -> list[str]:
    """The requirements of pyproject.toml whose module cannot be found, without frameworks."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    missing = []
    for requirement in project["dependencies"]:
        name = re.match(r"[\w.-]+", requirement)[0].lower()
        module = MODULES.get(name, name.replace("-", "_"))
        if name not in FRAMEWORKS and importlib.util.find_spec(module) is None:
            missing.append(requirement)
    return missing


def install(requirements: list[str]) -> None:
    """Install requirements with pip into the running kernel, leaving every installed version as it is.

    Raises:
        RuntimeError: pip could not do it, for instance offline or because a present package is too old.
    """
    if not requirements:
        return
    print("installing", ", ".join(requirements))
    with tempfile.TemporaryDirectory() as folder:
        # A constraint for everything that is there makes pip fail rather than swap a package under the kernel.
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(installed_versions()), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--constraint", str(constraints), *requirements]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"pip could not install {', '.join(requirements)}:\n{done.stderr.strip()[-1500:]}")
    importlib.invalidate_caches()


def installed_versions() -> list[str]:
    """`name==version` of every package that this kernel imports, sorted."""
    versions = {}
    for dist in metadata.distributions():
        # The first of two copies on sys.path is the one in use; Linux distributions' own version forms are no pins.
        if dist.name and re.fullmatch(r"[\d.]+((a|b|rc)\d+)?(\.(post|dev)\d+)*(\+[\w.]+)?", dist.version or ""):
            versions.setdefault(re.sub(r"[-_.]+", "-", dist.name).lower(), dist.version)
    return [f"{name}=={version}" for name, version in sorted(versions.items())]


def versions(modules: Iterable[str] = ("numpy", "cv2", "matplotlib", "sklearn", "torch", "tensorflow")) -> str:
    """A line for each module with its package and version, or that it is missing; loads none of them.

    >>> print(versions(["no_such_module"]))
    no_such_module    not installed
    """
    providers = metadata.packages_distributions()
    lines = []
    for module in modules:
        package = providers.get(module, [None])[0]
        found = f"{metadata.version(package)}  ({package})" if package else "not installed"
        lines.append(f"{module:<16}  {found}")
    return "\n".join(lines)


def place() -> str:
    """Where the notebook runs: "Colab", "Binder" or "Jupyter"."""
    if importlib.util.find_spec("google") and importlib.util.find_spec("google.colab"):
        return "Colab"
    return "Binder" if "BINDER_SERVICE_HOST" in os.environ else "Jupyter"


def gpu_name() -> str | None:
    """The first GPU that a framework could use, or None. Asks the driver, so no framework is loaded."""
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return "Apple GPU (MPS)"
    if not shutil.which("nvidia-smi"):
        return None
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    names = done.stdout.strip().splitlines()
    return names[0] if done.returncode == 0 and names else None


def device_name() -> str:
    """What a record says about the machine: its GPU, else the number of CPU cores."""
    return gpu_name() or f"{os.cpu_count()} CPU cores"


def progress_stream() -> TextIO:
    """Where progress bars go: into the page in a notebook, which paints stderr red as if it were an error."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return sys.stdout if hasattr(shell, "kernel") else sys.stderr


def typed_command(module: str = "helpers") -> str:
    """The command as it was typed, paths relative to the repository; of those outside only the name: records travel.

    Args:
        module: that was started, or the path of a script in the repository.
    """
    words = [f"python {Path(module).relative_to(ROOT).as_posix()}" if module.endswith(".py") else f"python -m {module}"]
    for word in sys.argv[1:]:
        option, equals, value = word.partition("=") if word.startswith("-") else ("", "", word)
        path = Path(value)
        if value and (path.exists() or path.is_absolute()):
            inside = path.resolve().is_relative_to(ROOT)
            value = path.resolve().relative_to(ROOT).as_posix() if inside else path.name
        words.append(option + equals + value)
    return " ".join(words)


def report() -> str:
    """One paragraph: version, place, tier, device, and what to do for a faster one."""
    from helpers import __version__
    from helpers.paths import tier

    gpu, where = gpu_name(), place()
    advice = {
        "Colab": "For a GPU: menu Runtime ▸ Change runtime type ▸ T4 GPU ▸ Save, then run all cells again.",
        "Binder": "Binder has no GPUs; the sample tier doesn't need one. Use the Colab badge for the full tier.",
        "Jupyter": "The sample tier, which is set here, doesn't need one.",
    }
    lines = [
        f"segmentation-notebooks {__version__} · {where} · Python {platform.python_version()} · tier: {tier()}",
        f"device: {gpu or 'no GPU'}, {os.cpu_count()} CPU cores",
    ]
    if gpu is None:
        lines.append(advice[where])
    return "\n".join(lines)
