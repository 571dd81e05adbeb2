# Set-up: run this cell first. It works in JupyterLab, Colab and Binder, and may be run twice.
import subprocess
import sys
from pathlib import Path

REPOSITORY = "segmentation-notebooks/segmentation-notebooks"
here = Path.cwd()
places = [here, *here.parents, here / REPOSITORY.split("/")[1]]
root = next((place for place in places if (place / "helpers" / "environment.py").is_file()), None)
if root is None:  # Colab opens the notebook alone: fetch the rest of the repository beside it
    root = places[-1]
    clone = ["git", "clone", "--quiet", "--depth=1", f"https://github.com/{REPOSITORY}", str(root)]
    assert subprocess.run(clone).returncode == 0, f"could not fetch {clone[-2]}; is this machine online?"
if str(root) not in sys.path:
    sys.path.insert(0, str(root))

import helpers

foreign = f"another package called helpers is in the way: {helpers.__file__}; restart the kernel, run this cell first"
assert Path(helpers.__file__).resolve().parent.parent == root.resolve(), foreign
from helpers import environment

environment.prepare()
