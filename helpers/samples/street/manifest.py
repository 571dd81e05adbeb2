"""The hashes of the committed practice files."""

import hashlib
import json
from pathlib import Path

FOLDERS = ("data/camvid_practice", "data/street_clip", "images/streets")


def files(root: Path) -> list[Path]:
    """Every practice file under root, sorted."""
    found = (path for folder in FOLDERS for path in (root / folder).rglob("*"))
    return sorted(
        p for p in found if p.is_file() and p.suffix in (".jpg", ".png", ".mp4", ".txt") and "frames" not in p.parts
    )


def hashes(root: Path) -> dict[str, str]:
    """Path below root → sha256, for every practice file."""
    return {p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files(root)}


def write(root: Path) -> Path:
    """Writes data/manifest.json."""
    path = root / "data/manifest.json"
    path.write_text(json.dumps(hashes(root), indent=1) + "\n")
    return path
