"""The rules that every notebook of the suite keeps, one small function each.

A rule gets a `Page` and yields one sentence for each place that breaks it. CONTRIBUTING.md explains them to authors.
"""

import ast
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nbformat import NotebookNode

from helpers.environment import REPOSITORY, ROOT
from tools.authoring.outputs import normalise, open_png, run_id

SETUP_CELL = (ROOT / "helpers" / "setup_cell.py").read_text(encoding="utf-8").rstrip("\n")
MAX_LINES, MAX_COLUMNS, MAX_BYTES = 25, 88, 1_500_000
MAX_WORDS = 2500  # of the markdown cells, without links' targets, code and the credits
FIRST_EXERCISE = 15  # its heading is among the first cells, this many
FIRST_PICTURE = 900  # pixels wide, at least
LAST_SECTIONS = ["Recap", "Glossary", "Where next", "Credits"]
BADGES = [
    f"colab.research.google.com/github/{REPOSITORY}/blob/main/notebooks/",
    f"mybinder.org/v2/gh/{REPOSITORY}/",
    f"nbviewer.org/github/{REPOSITORY}/blob/main/notebooks/",
]
ABSOLUTE_PATH = re.compile(r"(?<![\w/:.~-])(/(home|root|tmp|work|content|Users|usr|opt|mnt|var)/\w|[A-Z]:\\\w)")
OLD_NAMES = {"Image.ANTIALIAS", "tf.gfile", "tf.Session", "tf.GraphDef", "np.fromstring"}
RANDOM = re.compile(r"default_rng|manual_seed|set_seed|random_state|\.fit\(|train\(")

RULES: list[Callable[["Page"], Iterator[str]]] = []


@dataclass(frozen=True)
class Page:
    """A notebook and where it lies."""

    path: Path
    notebook: NotebookNode

    @property
    def cells(self) -> list[NotebookNode]:
        return self.notebook.cells

    @cached_property
    def code(self) -> list[NotebookNode]:
        return [cell for cell in self.cells if cell.cell_type == "code"]

    @cached_property
    def markdown(self) -> list[NotebookNode]:
        return [cell for cell in self.cells if cell.cell_type == "markdown"]

    @cached_property
    def text(self) -> str:
        return "\n\n".join(cell.source for cell in self.cells if cell.cell_type == "markdown")


def problems(page: Page) -> list[str]:
    """Everything that is wrong with a notebook, each with the name of the rule."""
    return [f"{rule.__name__}: {problem}" for rule in RULES for problem in rule(page)]


def rule(function: Callable) -> Callable:
    RULES.append(function)
    return function


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def pictures(cell: NotebookNode) -> list[NotebookNode]:
    return [o for o in cell.get("outputs", []) if any(kind.startswith("image/") for kind in o.get("data", {}))]


def first_line(cell: NotebookNode) -> str:
    return f"cell {cell.id} ({cell.source.strip().splitlines()[0][:50] if cell.source.strip() else 'empty'})"


# --- Anatomy: what stands where -------------------------------------------------------------------------------------


@rule
def title(page: Page) -> Iterator[str]:
    head = page.cells[0]
    if head.cell_type != "markdown" or not head.source.startswith("# "):
        yield "the first cell is a markdown cell that starts with '# ' and the title"
    for badge in BADGES:
        if not re.search(re.escape(badge) + rf"[^\s)]*{re.escape(page.path.name)}", head.source):
            yield f"the first cell has no badge to {badge}…{page.path.name}"
    if not re.search(r"^\w.* · \d+ min in class · .*\d+ min on a laptop · .*download", head.source, re.MULTILINE):
        yield "the first cell has a line 'level · 90 min in class · runs in 1 min on a laptop · 20 MB download'"


@rule
def you_will(page: Page) -> Iterator[str]:
    promise = re.search(r"You will.*?\n((?:\s*\n)*(?:[-*] .*(?:\n  .*)*\n?)+)", page.text)
    count = len(re.findall(r"^[-*] ", promise[1], re.MULTILINE)) if promise else 0
    if not 3 <= count <= 5:
        yield f"'You will' is followed by a list of 3 to 5 things, found {count}"
    if not re.search(r"know before", page.text, re.IGNORECASE):
        yield "say what to know before ('What to know before: …')"


@rule
def setup_first(page: Page) -> Iterator[str]:
    if not page.code or "setup" not in tags(page.code[0]) or page.code[0].source.rstrip("\n") != SETUP_CELL:
        yield "the first code cell is tagged setup and holds helpers/setup_cell.py, word for word"
    elif (
        not page.code[0].metadata.get("jupyter", {}).get("source_hidden")
        or page.code[0].metadata.get("cellView") != "form"
    ):
        yield "the set-up cell is collapsed (metadata jupyter.source_hidden: true and, for Colab, cellView: form)"
    if any("setup" in tags(cell) for cell in page.code[1:]):
        yield "only the first code cell is tagged setup"


@rule
def parameters_second(page: Page) -> Iterator[str]:
    if len(page.code) < 2 or "parameters" not in tags(page.code[1]):
        yield "the second code cell is tagged parameters"
        return
    targets = [t for node in parse(page.code[1]).body if isinstance(node, ast.Assign) for t in node.targets]
    names = [ast.unparse(target) for target in targets]
    if not names or names[0] != "FULL":
        yield 'the first parameter is the tier: FULL = tier() == "full"'
    for name in names:
        if name != name.upper():
            yield f"the parameter {name} is not in capitals"


@rule
def seed_visible(page: Page) -> Iterator[str]:
    source = "\n".join(cell.source for cell in page.code[2:])
    if RANDOM.search(source) and "SEED" not in (page.code[1].source if len(page.code) > 1 else ""):
        yield "something here is random: put SEED = … into the parameters cell and use it"


@rule
def early_picture(page: Page) -> Iterator[str]:
    first = next((picture for cell in page.code[:5] for picture in pictures(cell)), None)
    if first is None:
        yield "none of the first five code cells shows a picture"
    elif (width := picture_width(first)) < FIRST_PICTURE:
        yield f"the first picture is {width} pixels wide, at least {FIRST_PICTURE}: it is what readers stay for"


def picture_width(output: NotebookNode) -> int:
    """Width on the page: of a widget what it says, else of the picture."""
    if widget := re.search(r"data-widget=.*max-width: (\d+)px", output.data.get("text/html", "")):
        return int(widget[1])
    return open_png(next(data for kind, data in output.data.items() if kind.startswith("image/"))).width


@rule
def what_you_should_see(page: Page) -> Iterator[str]:
    for cell, following in zip(page.cells, [*page.cells[1:], None], strict=True):
        if (
            pictures(cell)
            and not {"solution", "check"} & set(tags(cell))
            and (
                following is None or following.cell_type != "markdown" or "What you should see" not in following.source
            )
        ):
            yield f"no 'What you should see' in a markdown cell right below the figure of {first_line(cell)}"
    for says in re.findall(r"What you should see:?\**:?(.*?)(?:\n\n|$)", page.text, re.DOTALL):
        if len(says.split()) < 12:
            yield f"'What you should see: {says.strip()}' names nothing to look for; say which thing, where, how many"


@rule
def pitfall(page: Page) -> Iterator[str]:
    boxes = [i for i, cell in enumerate(page.cells) if cell.cell_type == "markdown" and "Pitfall" in cell.source]
    if not boxes:
        yield "there is no box '> **Pitfall** …'"
    for i in boxes:
        if i + 1 == len(page.cells) or page.cells[i + 1].cell_type != "code":
            yield f"{first_line(page.cells[i])}: the next cell shows the wrong result beside the right one"


@rule
def exercises(page: Page) -> Iterator[str]:
    heads = [i for i, cell in enumerate(page.cells) if re.search(r"^#+ Exercise\b", cell.source, re.MULTILINE)]
    if not 2 <= len(heads) <= 4:
        yield f"a notebook has 2 to 4 exercises ('### Exercise 1 …'), found {len(heads)}"
    if heads and heads[0] >= FIRST_EXERCISE:
        yield f"the first exercise is cell {heads[0] + 1}, at most {FIRST_EXERCISE}: hands on early"
    for number, (one, other) in enumerate(itertools.pairwise(heads), start=1):
        if not any(re.search(r"^## ", cell.source, re.MULTILINE) for cell in page.cells[one:other]):
            yield f"exercises {number} and {number + 1} follow each other: each stands right after its section"
    for start, end in zip(heads, [*heads[1:], len(page.cells)], strict=True):
        name, cells = first_line(page.cells[start]), page.cells[start:end]
        words = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        if not re.search(r"\d+ min", words):
            yield f"{name} doesn't say how many minutes it takes"
        if "Hint" not in words:
            yield f"{name} has no hint"
        found = [tag for cell in cells for tag in tags(cell) if tag in ("solution", "check")]
        if found != ["solution", "check"]:
            yield f"{name} needs a solution cell, then a check cell; found {found}"
        for cell in cells:
            if "solution" in tags(cell):
                if not cell.metadata.get("jupyter", {}).get("source_hidden"):
                    yield f"the solution of {name} is not collapsed (metadata jupyter.source_hidden: true)"
                if not any(isinstance(node, ast.FunctionDef) for node in parse(cell).body):
                    yield f"the solution of {name} defines no function, so participants' copies can't leave it out"


@rule
def alive(page: Page) -> Iterator[str]:
    source = "\n".join(cell.source for cell in page.code)
    if not re.search(r"^from helpers\.widgets import", source, re.MULTILINE):
        yield "there is no widget: from helpers.widgets import compare, threshold, hover_classes, …"
    if (count := len(re.findall(r"\*\*Try it", page.text))) < 3:
        yield f"at least three times the reader changes an argument: '**Try it:** change …', found {count}"


@rule
def choices(page: Page) -> Iterator[str]:
    """At least one Predict lets the reader choose, and each choice answers."""
    answers = re.findall(r"<details><summary>\(([a-z])\) .*?</summary>(.*?)</details>", page.text, re.DOTALL)
    starts = [i for i, (letter, _) in enumerate(answers) if letter == "a"]
    if not starts:
        yield "no Predict has choices that answer: '<details><summary>(a) …</summary>Not quite: …</details>'"
    for start, end in itertools.pairwise([*starts, len(answers)]):
        if sum(answer.startswith("Right") for _, answer in answers[start:end]) != 1:
            yield f"of the choices '{answers[start][1][:30]}…' and those below, one and only one starts with 'Right'"


@rule
def words(page: Page) -> Iterator[str]:
    text = page.text.split("## Credits")[0]
    text = re.sub(r"^\[!.*$", "", text, flags=re.MULTILINE)  # badges
    text = re.sub(r"```.*?```|\]\([^)]*\)|<[^>]+>", " ", text, flags=re.DOTALL)
    if (count := len(re.findall(r"\w[\w'’.-]*", text))) > MAX_WORDS:
        yield f"{count} words, at most {MAX_WORDS}"


@rule
def order(page: Page) -> Iterator[str]:
    """The last section leads to the next notebook in reading order, the last notebook to any."""
    following = [
        path.name for path in sorted(page.path.parent.glob("[0-9][0-9]_*.ipynb")) if path.name > page.path.name
    ]
    where = re.search(r"## Where next(.*?)(?=\n## |\Z)", page.text, re.DOTALL)
    found = re.findall(r"\]\((\d\d_\w+\.ipynb)", where[1]) if where else []
    if following and found[:1] != following[:1]:
        yield f"'Where next' leads to {found[0] if found else 'no notebook'}; the next one is {following[0]}"


@rule
def last_sections(page: Page) -> Iterator[str]:
    headings = re.findall(r"^## (.+?)\s*$", page.text, re.MULTILINE)
    found = [name for heading in headings for name in LAST_SECTIONS if heading.startswith(name)]
    if found != LAST_SECTIONS:
        yield f"the last sections are {', '.join(LAST_SECTIONS)}; found {', '.join(found) or 'none'}"


# --- Cells: what they may hold --------------------------------------------------------------------------------------


@rule
def short_cells(page: Page) -> Iterator[str]:
    for cell in page.code:
        if (lines := len(cell.source.splitlines())) > MAX_LINES:
            yield f"{first_line(cell)} has {lines} lines, at most {MAX_LINES}: logic belongs in helpers"
        if (columns := max(map(len, cell.source.splitlines()), default=0)) > MAX_COLUMNS:
            yield f"{first_line(cell)} has a line of {columns} columns, at most {MAX_COLUMNS}"


@rule
def formulas(page: Page) -> Iterator[str]:
    for cell in page.markdown:
        if doubled := re.search(r"\\\\\w+", re.sub(r"```.*?```|`[^`]*`", "", cell.source, flags=re.DOTALL)):
            yield f"{first_line(cell)} holds {doubled[0]}: a formula has single backslashes"


@rule
def no_shell(page: Page) -> Iterator[str]:
    for cell in page.code:
        if re.search(r"^\s*(!|%pip|%conda|%%bash|%%sh|%cd)", cell.source, re.MULTILINE):
            yield f"{first_line(cell)} calls the shell or installs something; only the set-up cell does"


@rule
def no_star_import(page: Page) -> Iterator[str]:
    stars = re.findall(r"^\s*from (\S+) import \*", "\n".join(cell.source for cell in page.code), re.MULTILINE)
    if stars and not (len(stars) == 1 and stars[0].startswith("fastai")):
        yield f"star imports hide where names come from: {', '.join(stars)} (fastai's own may be shown once)"


@rule
def checked_output(page: Page) -> Iterator[str]:
    checked = [cell for cell in page.code if "nbval-check-output" in tags(cell)]
    if not 3 <= len(checked) <= 8:
        yield f"3 to 8 cells with a known text are tagged nbval-check-output, found {len(checked)}"
    for cell in checked:
        if not cell.outputs or pictures(cell):
            yield f"{first_line(cell)} is tagged nbval-check-output: it must print text and show no picture"


@rule
def links(page: Page) -> Iterator[str]:
    for alt, target in re.findall(r"(!?\[[^\]]*\])\(([^)\s]+)[^)]*\)", page.text):
        if alt == "![]":
            yield f"the picture {target} has no alt text"
        if not re.match(r"[a-z]+:|#", target) and not (page.path.parent / target.split("#")[0]).exists():
            yield f"the link to {target} leads nowhere"
    for image in re.findall(r"<img\b[^>]*>", page.text):
        source = re.search(r'src="([^"]+)"', image)
        if not re.search(r'alt="[^"]+"', image):
            yield f"{image} has no alt text"
        if source and ":" not in source[1] and not (page.path.parent / source[1]).exists():
            yield f"the picture {source[1]} is not there"


# --- Outputs: as committed ------------------------------------------------------------------------------------------


@rule
def run_in_order(page: Page) -> Iterator[str]:
    counts = [cell.execution_count for cell in page.code if cell.source.strip()]
    if counts != list(range(1, len(counts) + 1)):
        yield f"cells were not run once from top to bottom (execution counts {counts}): make notebooks"


@rule
def no_errors(page: Page) -> Iterator[str]:
    for cell in page.code:
        if any(output.output_type == "error" for output in cell.outputs):
            yield f"{first_line(cell)} ended with an error"


@rule
def tidy(page: Page) -> Iterator[str]:
    if "widgets" in page.notebook.metadata:
        yield "the notebook's metadata hold widgets"
    if normalise(page.notebook) != page.notebook:
        yield "metadata or outputs are not in their committed form: make notebooks"


@rule
def one_run(page: Page) -> Iterator[str]:
    run = page.notebook.metadata.get("run", {})
    if not run.get("date") or run.get("id") != run_id(page.notebook):
        yield "the outputs are not those of one run (metadata.run): make notebooks"


@rule
def alt_text(page: Page) -> Iterator[str]:
    for cell in page.code:
        for picture in pictures(cell):
            alt = next(
                (said.get("alt", "") for kind, said in picture.metadata.items() if kind.startswith("image/")), ""
            )
            if len(alt) < 15 or alt.startswith("Figure: "):
                yield f"the figure of {first_line(cell)} has no alt text: metadata of the cell, alt: what it shows"


@rule
def legends(page: Page) -> Iterator[str]:
    for cell in page.code:
        for picture in pictures(cell):
            wanted = picture.metadata.get("image/png", {}).get("legend", [])
            if wanted:
                colors = open_png(picture.data["image/png"]).convert("RGB").getcolors(1 << 24)
                found = {f"#{r:02x}{g:02x}{b:02x}" for _, (r, g, b) in colors}
                for color in sorted(set(wanted) - found):
                    yield f"the figure of {first_line(cell)} has lost the colour {color} of its legend"


@rule
def no_absolute_path(page: Page) -> Iterator[str]:
    for cell in page.cells:
        texts = [cell.source, *(str(o.get("text", "")) for o in cell.get("outputs", []))]
        texts += [
            str(o.data.get(kind, ""))
            for o in cell.get("outputs", [])
            if "data" in o
            for kind in ("text/plain", "text/html")
        ]
        for match in filter(None, map(ABSOLUTE_PATH.search, texts)):
            yield f"{first_line(cell)} holds a path of one machine: {match[0]}…"


@rule
def size(page: Page) -> Iterator[str]:
    if page.path.exists() and (count := page.path.stat().st_size) > MAX_BYTES:
        yield f"{count / 1e6:.2f} MB, at most {MAX_BYTES / 1e6:.1f}: fewer or smaller figures"


@rule
def no_old_names(page: Page) -> Iterator[str]:
    for cell in page.code:
        for name in old_names(parse(cell)):
            yield f"{first_line(cell)} uses {name}"


def old_names(tree: ast.AST) -> Iterator[str]:
    """Calls of the tutorials' era that today's libraries have removed, or that download weights unasked."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in OLD_NAMES:
            yield ast.unparse(node)
        if isinstance(node, ast.keyword) and node.arg == "pretrained" and getattr(node.value, "value", False) is True:
            yield "pretrained=True"


def parse(cell: NotebookNode) -> ast.Module:
    """The cell's Python without lines that only IPython understands; empty if it is none, which running it shows."""
    try:
        return ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", cell.source, flags=re.MULTILINE))
    except SyntaxError:
        return ast.Module([], [])
