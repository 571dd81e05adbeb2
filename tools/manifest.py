"""A manifest of hashes beside each practice set: what is committed is what was made, and nothing went missing."""

import hashlib
import json
from pathlib import Path

from helpers.paths import replace_file

MANIFEST = "manifest.json"


def hash_files(folder: str | Path) -> dict[str, str]:
    """The sha256 of every file that a practice set holds: {path relative to the folder: hex digest}.

    Cards (README.md), hidden files and the manifest itself are left out.
    """
    folder = Path(folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in (MANIFEST, "README.md"))
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not path.name.startswith(".")
    }


def write_manifest(folder: str | Path) -> Path:
    """Write manifest.json for what is in the folder now."""
    return replace_file(Path(folder) / MANIFEST, json.dumps(hash_files(folder), indent=1) + "\n")


def differences(folder: str | Path) -> list[str]:
    """Files that are missing, changed or not in the manifest, one line each; an empty list where all is as made."""
    wanted = json.loads((Path(folder) / MANIFEST).read_text(encoding="utf-8"))
    found = hash_files(folder)
    missing = [f"{name}: missing" for name in wanted.keys() - found.keys()]
    unknown = [f"{name}: not in {MANIFEST}" for name in found.keys() - wanted.keys()]
    changed = [f"{name}: changed" for name in wanted.keys() & found.keys() if wanted[name] != found[name]]
    return sorted(missing + unknown + changed)
