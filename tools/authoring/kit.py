"""A kit for a room without a network: every package as a file, the suite, and a program that sets both up.

    python -m tools.authoring.kit

The packages are those of `requirements.lock` for this system and this Python, so make a kit on a machine like those in
the room. PyTorch comes without CUDA, which keeps the kit small enough for a stick.
"""

import json
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import typer
from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename

from helpers.paths import REPO_ROOT

KIT = REPO_ROOT / "build" / "kit"
INSTALL = Path(__file__).with_name("kit_install.py")
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
CUDA = ("nvidia", "cuda", "triton")  # what PyTorch needs on a GPU alone
README = """\
Semantic segmentation: everything for a room without a network

For {system}, Python {python}. Copy this folder from the stick to a disk first; that is faster. Then

    python{python} install.py              sets up ~/segmentation-notebooks; another place: install.py FOLDER
    cd ~/segmentation-notebooks
    make lab                           on Windows: .venv\\Scripts\\jupyter lab notebooks

wheels/ holds the packages, suite/ the notebooks. Nothing is fetched, and nothing outside the folder is changed.
"""


def pins(lock: str) -> list[str]:
    """The lines of a lock, without hashes and without what only CUDA needs.

    >>> pins("torch==2.15.0 \\\\\\n    --hash=sha256:00\\ntriton==3.7.0\\n# why\\nav==17 ; sys_platform == 'win32'\\n")
    ['torch==2.15.0', "av==17 ; sys_platform == 'win32'"]
    """
    lines = [line.removesuffix("\\").strip() for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    return [line for line in lines if not line.startswith(CUDA)]


def addresses(lines: list[str], *, backend: str) -> list[str]:
    """Where the file of each package lies, with its hash, for this system; a source where there is no wheel."""
    with tempfile.TemporaryDirectory() as folder:
        wanted, found = Path(folder) / "wanted.txt", Path(folder) / "pylock.toml"
        wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "uv", "pip", "compile", wanted, "--no-deps", f"--torch-backend={backend}"]
        command += ["--python", sys.executable, "--format", "pylock.toml", "--output-file", found, "--quiet"]
        subprocess.run(command, check=True)
        packages = tomllib.loads(found.read_text(encoding="utf-8"))["packages"]
    order = {tag: place for place, tag in enumerate(sys_tags())}
    chosen = []
    for package in packages:
        files = []
        for wheel in package.get("wheels", []):
            name = wheel.get("name") or wheel["url"].rpartition("/")[2].replace("%2B", "+")
            places = [order[tag] for tag in parse_wheel_filename(name)[3] if tag in order]
            files += [(min(places), wheel)] if places else []
        file = min(files, key=lambda f: f[0])[1] if files else package["sdist"]
        chosen.append(f"{file['url']}#sha256={file['hashes']['sha256']}")
    return chosen


def copy_suite(out: Path) -> int:
    """Copy the repository's own files, without what was built or downloaded; returns how many."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPO_ROOT, capture_output=True, text=True, check=True).stdout
    names = [name for name in listed.split("\0") if name and (REPO_ROOT / name).is_file()]
    for name in names:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPO_ROOT / name, out / name)
    return len(names)


@app.command()
def main(
    out: Path = typer.Option(KIT, help="folder for the kit"),
    lock: Path = typer.Option(REPO_ROOT / "requirements.lock", help="the packages, each with its version"),
    backend: str = typer.Option("cpu", help="PyTorch for this: uv's --torch-backend"),
) -> None:
    """Download the packages, copy the suite, write the program that installs both."""
    build = tomllib.loads((REPO_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    wanted = pins(lock.read_text(encoding="utf-8"))
    (out / "requirements.txt").write_text("\n".join(wanted) + "\n", encoding="utf-8")
    files = out / "addresses.txt"
    files.write_text("\n".join(addresses([*wanted, *build], backend=backend)) + "\n", encoding="utf-8")
    # Wheels are taken as they are, sources become wheels; every file is checked against its hash.
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", out / "wheels", "--requirement", files]
    subprocess.run(command, check=True)
    files.unlink()
    count = copy_suite(out / "suite")
    made_for = {
        "system": f"{platform.system()} {platform.machine()}",
        "python": ".".join(platform.python_version_tuple()[:2]),
    }
    (out / "kit.json").write_text(json.dumps(made_for) + "\n", encoding="utf-8")
    (out / "README.txt").write_text(README.format(**made_for), encoding="utf-8")
    shutil.copy(INSTALL, out / "install.py")
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    wheels = len(list((out / "wheels").iterdir()))
    typer.echo(f"{out}: {wheels} packages, {count} files of the suite, {size / 1e9:.2f} GB")


if __name__ == "__main__":
    app()
