"""The pages of the guide that are made from the notebooks: one glossary for all, schedules from their minutes.

python -m tools.authoring.guide
"""

import re
from pathlib import Path

import typer

from helpers.paths import REPO_ROOT, replace_file
from tools.authoring.notebooks import notebook_paths, read_notebook

GUIDE = REPO_ROOT / "notebooks" / "guide"
BREAK = 15  # minutes after each lesson
PAUSE = 60  # minutes at noon
# name → lessons by number, in this order
SCHEDULES = {
    "90 minutes": ["00"],
    "Half a day": ["00", "01"],
    "A day": ["00", "01", "04"],
    "Two days": ["00", "01", "02", "03", "04", "05"],
}
DAY = 3  # lessons a day; after the second one is lunch


def lessons() -> dict[str, tuple[str, int, Path]]:
    """Number of each lesson → title, minutes in class, path."""
    found = {}
    for path in notebook_paths():
        head = read_notebook(path).cells[0].source
        title, minutes = re.search(r"^# (.+)$", head, re.MULTILINE), re.search(r"(\d+) min in class", head)
        if title and minutes:
            found[path.name[:2]] = title[1], int(minutes[1]), path
    return found


def schedules() -> str:
    """The page of schedules, from nine o'clock on."""
    known, parts = (
        lessons(),
        ["# Schedules\n\nMade from the minutes in the title cells: `python -m tools.authoring.guide`."],
    )
    for name, numbers in SCHEDULES.items():
        parts.append(f"## {name}")
        for start in range(0, len(numbers), DAY):
            day, clock, rows = numbers[start : start + DAY], 9 * 60, []
            for place, number in enumerate(day):
                title, minutes, path = known[number]
                rows.append(f"| {_clock(clock)} | {_clock(clock + minutes)} | [{title}](../{path.name}) |")
                clock += minutes
                if place + 1 < len(day):
                    pause, what = (PAUSE, "lunch") if place == 1 else (BREAK, "break")
                    rows.append(f"| {_clock(clock)} | {_clock(clock + pause)} | {what} |")
                    clock += pause
            heading = f"Day {start // DAY + 1}\n\n" if len(numbers) > DAY else ""
            parts.append(f"{heading}| from | to | what |\n|---|---|---|\n" + "\n".join(rows))
    parts.append(
        "Lessons 06 to 09 are sessions of their own: the minutes of their title, after the lessons that their "
        "*What to know before* names."
    )
    return "\n\n".join(parts) + "\n"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def glossary() -> str:
    """The page of all terms, each as the first lesson that has it explains it."""
    terms: dict[str, tuple[str, str]] = {}
    for path in notebook_paths():
        text = "\n\n".join(cell.source for cell in read_notebook(path).cells if cell.cell_type == "markdown")
        section = re.search(r"^## Glossary\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        for term, meaning in re.findall(
            r"^\| (?!term |---)(.+?) \| (.+?) \|$", section[1] if section else "", re.MULTILINE
        ):
            terms.setdefault(term, (meaning, f"[{path.name[:2]}](../{path.name})"))
    rows = [
        f"| {term} | {meaning} | {place} |"
        for term, (meaning, place) in sorted(terms.items(), key=lambda t: t[0].lower())
    ]
    head = "# Glossary\n\nEvery term of the lessons, made from their own tables: `python -m tools.authoring.guide`.\n\n"
    return head + "| term | meaning | lesson |\n|---|---|---|\n" + "\n".join(rows) + "\n"


PAGES = {"schedules.md": schedules, "glossary.md": glossary}


def main() -> None:
    """Write the guide's generated pages."""
    for name, page in PAGES.items():
        replace_file(GUIDE / name, page())
        typer.echo(GUIDE / name)


if __name__ == "__main__":
    typer.run(main)
