"""Records of runs: figures as JSON, with the command, the date and the device that gave them."""

import json
import platform
from datetime import date
from pathlib import Path
from typing import Any

from helpers import environment
from helpers.paths import DATA, replace_file

MEASURED = DATA / "measured"


def run_record(module: str = "helpers", /, **figures: Any) -> dict:
    """Describe the run that is going on.

    Args:
        module: program that was started, or a script's path, if it isn't the suite's command line.
        figures: what it measured, set, or counted.

    Returns:
        command, date (ISO), device and processor, then the figures, see `rounded`.
    """
    about = {
        "command": environment.typed_command(module),
        "date": date.today().isoformat(),
        "device": environment.device_name(),
        "processor": processor(),
    }
    return about | rounded(figures)


def rounded(value: Any) -> Any:
    """Round figures to four digits; NaN (a class that does not occur) becomes None, since JSON has no NaN.

    >>> rounded({"iou": [0.123456, float("nan")], "images": 3})
    {'iou': [0.1235, None], 'images': 3}
    """
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if isinstance(value, float):
        return round(value, 4) if value == value else None
    return value


def processor() -> str:
    """Name the processor and the instruction sets that decide how fast networks run on it."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.is_file():
        return platform.processor() or platform.machine()
    lines = dict(line.split(":", 1) for line in cpuinfo.read_text(encoding="utf-8").splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in lines.items()}
    flags = fields.get("flags", "").split()
    sets = [name for name in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile") if name in flags]
    return " ".join([fields.get("model name", platform.machine()), *sets])


def save(path: str | Path, record: dict) -> Path:
    """Write a record; the file appears whole or not at all."""
    return replace_file(path, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def write(name: str, record: dict) -> Path:
    """Write `data/measured/<name>.json`."""
    return save(MEASURED / f"{name}.json", record)


def read(name: str, *, folder: Path = MEASURED) -> dict:
    """Read a record that came with the suite, `data/measured/<name>.json`."""
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
