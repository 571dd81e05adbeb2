# @title Set-up: run this first, in JupyterLab, Colab or Binder; may be run twice
import subprocess
import sys
from pathlib import Path

REPOSITORY, TAG = "segmentation-notebooks/segmentation-notebooks", ""
here, marker = Path.cwd(), "helpers/environment.py"
places = [here, *here.parents, here / REPOSITORY.split("/")[1]]
root = next((place for place in places if (place / marker).is_file()), None)
if root is None:  # Colab opens the notebook alone: fetch the release that it belongs to
    assert TAG, "this notebook must be published first: make publish REPO=owner/name"
    root, address = places[-1], f"https://github.com/{REPOSITORY}"
    clone = ["git", "clone", "--quiet", "--depth=1", f"--branch={TAG}", address, root]
    failed = f"could not fetch {TAG} of {address}; is this machine online?"
    assert subprocess.run(clone).returncode == 0, failed
if str(root) not in sys.path:
    sys.path.insert(0, str(root))

import helpers

foreign = f"another package called helpers is in the way: {helpers.__file__}; restart"
assert Path(helpers.__file__).resolve().parent.parent == root.resolve(), foreign
from helpers import environment

environment.prepare()
