"""Set up the suite from this kit, without a network: python3 install.py [folder]

This program is copied into the kit and runs there by itself, so it uses nothing but Python.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path

KIT = Path(__file__).resolve().parent


def main() -> None:
    made_for = json.loads((KIT / "kit.json").read_text(encoding="utf-8"))
    here = {"system": f"{platform.system()} {platform.machine()}", "python": "{}.{}".format(*sys.version_info)}
    if here != made_for:
        sys.exit(
            f"this kit is for {made_for['system']} and Python {made_for['python']}, found {here['system']} and Python "
            f"{here['python']}: run it with python{made_for['python']}, or make a kit on a machine like this one"
        )
    suite = Path(sys.argv[1] if len(sys.argv) > 1 else "~/segmentation-notebooks").expanduser().resolve()
    shutil.copytree(KIT / "suite", suite, dirs_exist_ok=True)
    venv.create(suite / ".venv", with_pip=True)
    python = suite / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    # As variables, the settings also hold for what pip itself starts to build the suite.
    environ = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": (KIT / "wheels").as_uri()}
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--requirement", KIT / "requirements.txt"], env=environ, check=True)
    subprocess.run([*pip, "--editable", suite], env=environ, check=True)
    (suite / ".venv" / "ready").touch()  # tells make that nothing is left to set up
    print(f"ready: cd {suite} and make lab")


if __name__ == "__main__":
    main()
