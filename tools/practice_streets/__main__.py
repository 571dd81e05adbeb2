"""Renders the practice streets: `python -m tools.practice_streets` (needs the extra `render`).

Writes data/camvid_practice, data/street_clip and images/streets, each with the manifest of its hashes. Frames that are
there already are kept, so an interrupted run goes on where it stopped; `--force` renders everything again.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from tqdm import tqdm

from helpers.colors import evenly_spaced_colors
from helpers.images import save_image
from helpers.labels import CAMVID, CITYSCAPES
from helpers.masks import save_mask
from helpers.paths import REPO_ROOT, replace_file
from helpers.video import VideoWriter
from tools.manifest import write_manifest
from tools.practice_streets.classes import TO_CAMVID, TO_CITYSCAPES
from tools.practice_streets.plan import CLIP_FPS, PICTURES, PRACTICE, Shot, clip_shots

app = typer.Typer(add_completion=False)


class Part(StrEnum):
    """What can be rendered by itself."""

    practice = "practice"
    pictures = "pictures"
    clip = "clip"


@app.command()
def main(
    root: Annotated[Path, typer.Argument(help="folder that holds data/ and images/")] = REPO_ROOT,
    only: Annotated[list[Part] | None, typer.Option(help="one part; may be given again; all when left out")] = None,
    first: Annotated[int | None, typer.Option(min=1, help="only the first N frames of each part")] = None,
    samples: Annotated[int, typer.Option(min=1, help="light paths a pixel")] = 8,
    force: Annotated[bool, typer.Option(help="render again what is there already")] = False,
) -> None:
    """Render the practice streets with Blender's Cycles."""
    try:
        import bpy  # noqa: F401
    except ImportError:
        typer.echo("Blender's bpy is not installed; it needs Python 3.11: pip install -e '.[render]'", err=True)
        raise typer.Exit(2) from None
    for part in only or list(Part):
        if part is Part.clip:
            folder = root / "data/street_clip"
            _film(clip_shots()[:first], folder, samples, force)
        else:
            folder = root / ("images/streets" if part is Part.pictures else "data/camvid_practice")
            _shoot((PICTURES if part is Part.pictures else PRACTICE)[:first], folder, samples, force)
        if part is Part.practice:
            replace_file(folder / "codes.txt", "\n".join(CAMVID.class_names) + "\n")
            replace_file(folder / "valid.txt", "".join(f"{shot.stem}.jpg\n" for shot in PRACTICE if shot.valid))
        write_manifest(folder)


def _shoot(shots: list[Shot], folder: Path, samples: int, force: bool) -> None:
    """Renders single frames, each in a street of its own. The picture comes last: where it is, the frame is done."""
    from tools.practice_streets.render import Stage

    for shot in tqdm(shots, unit="frame", desc=folder.name):
        image_path = shot.path(folder, "image")
        if image_path.exists() and not force:
            continue
        stage = Stage(shot.world(), shot.size, samples=samples)
        stage.look(**shot.view())
        fine, instances = stage.labels()
        save_mask(shot.path(folder, "camvid"), TO_CAMVID[fine], CAMVID.palette())
        save_mask(shot.path(folder, "cityscapes"), TO_CITYSCAPES[fine], CITYSCAPES.palette())
        save_mask(shot.path(folder, "instances"), *_numbered(instances))
        save_image(image_path, shot.develop(stage.picture()), quality=90)


def _film(shots: list[Shot], folder: Path, samples: int, force: bool) -> None:
    """Renders the drive: one street, in which the camera and the traffic move."""
    from tools.practice_streets.render import Stage

    clip_path = folder / "clip.mp4"
    if clip_path.exists() and not force:
        return
    (folder / "labels").mkdir(parents=True, exist_ok=True)
    stage = Stage(shots[0].world(), shots[0].size, samples=samples)
    metered = None
    with VideoWriter(clip_path, CLIP_FPS, crf=20) as video:
        for number, shot in enumerate(tqdm(shots, unit="frame", desc=folder.name)):
            stage.move(shot.seconds)
            stage.look(**shot.view())
            fine, _ = stage.labels()
            save_mask(folder / f"labels/{number:03}.png", TO_CITYSCAPES[fine], CITYSCAPES.palette())
            linear = stage.picture()
            metered = linear if metered is None else 0.9 * metered + 0.1 * linear  # a camera's meter is slow
            video.write(shot.develop(linear, metered))


def _numbered(instances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Instance numbers (H, W) from 1 without gaps, and colours to tell them apart; 0 stays nothing, black."""
    _, numbers = np.unique(np.append(0, instances.ravel()), return_inverse=True)
    colors = evenly_spaced_colors(max(1, int(numbers.max())))
    return numbers[1:].reshape(instances.shape), np.vstack([np.zeros((1, 3), np.uint8), colors])


if __name__ == "__main__":
    app()
