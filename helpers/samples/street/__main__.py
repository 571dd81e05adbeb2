"""Renders the practice streets: `python -m helpers.samples.street` (needs the extra `render`).

Writes data/camvid_practice, data/street_clip and images/streets, and the manifest of their hashes. What is there already
is kept, so an interrupted run goes on where it stopped; `--force` renders everything again.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from tqdm import tqdm

from helpers.images import save_image
from helpers.labels import CAMVID, CITYSCAPES, evenly_spaced_colors
from helpers.masks import save_mask
from helpers.paths import REPO_ROOT
from helpers.samples.street import manifest
from helpers.samples.street.classes import TO_CAMVID, TO_CITYSCAPES
from helpers.samples.street.plan import PICTURES, PRACTICE, Shot, clip_shots

app = typer.Typer(add_completion=False)


@app.command()
def main(
    root: Annotated[Path, typer.Argument(help="folder that holds data/ and images/")] = REPO_ROOT,
    only: Annotated[list[str], typer.Option(help="practice, pictures, clip; all when not given")] = (),
    first: Annotated[int, typer.Option(help="only the first N shots of each part")] = 10_000,
    samples: Annotated[int, typer.Option(help="light paths a pixel")] = 8,
    force: Annotated[bool, typer.Option(help="render again what is there already")] = False,
) -> None:
    """Render the practice streets with Blender's Cycles."""
    parts = set(only) or {"practice", "pictures", "clip"}
    if "pictures" in parts:
        _shoot(PICTURES[:first], root / "images/streets", samples, force)
    if "practice" in parts:
        folder = root / "data/camvid_practice"
        _shoot(PRACTICE[:first], folder, samples, force)
        (folder / "codes.txt").write_text("\n".join(CAMVID.class_names) + "\n")
        (folder / "valid.txt").write_text("".join(f"{shot.stem}.jpg\n" for shot in PRACTICE if shot.valid))
    if "clip" in parts:
        _film(root / "data/street_clip", samples, force)
    manifest.write(root)


def _shoot(shots: list[Shot], folder: Path, samples: int, force: bool) -> None:
    """Renders single frames, each in a street of its own."""
    from helpers.samples.street.render import Stage  # loads Blender

    for shot in tqdm(shots, unit="frame", desc=folder.name):
        image_path = shot.path(folder, "image")
        if image_path.exists() and not force:
            continue
        stage = Stage(shot.world(), shot.size, samples=samples)
        stage.look(**shot.view())
        fine, instances = stage.labels()
        save_mask(shot.path(folder, "camvid"), TO_CAMVID[fine], CAMVID.palette())
        save_mask(shot.path(folder, "cityscapes"), TO_CITYSCAPES[fine], CITYSCAPES.palette())
        save_mask(shot.path(folder, "instances"), *_counted(instances))
        save_image(image_path, shot.develop(stage.picture()), quality=90)


def _film(folder: Path, samples: int, force: bool) -> None:
    """Renders the drive: one street, the camera and the traffic move."""
    from helpers.samples.street.render import Stage
    from helpers.video import VideoWriter

    stage = None
    frames = folder / "frames"
    for number, shot in enumerate(tqdm(clip_shots(), unit="frame", desc="clip")):
        path = frames / f"{number:03}.png"
        if path.exists() and not force:
            continue
        if stage is None:
            stage = Stage(shot.world(), shot.size, samples=samples)
        stage.move(shot.seconds)
        stage.look(**shot.view())
        fine, _ = stage.labels()
        save_mask(folder / "labels" / f"{number:03}.png", TO_CITYSCAPES[fine], CITYSCAPES.palette())
        save_image(path, shot.develop(stage.picture()))
    del VideoWriter


def _counted(instances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Instance numbers without gaps, from 1, and colours to tell them apart."""
    _, numbers = np.unique(np.append(0, instances.ravel()), return_inverse=True)
    numbers = numbers[1:].reshape(instances.shape)
    return numbers, np.vstack([np.zeros((1, 3), np.uint8), evenly_spaced_colors(max(1, numbers.max()))])


if __name__ == "__main__":
    app()
