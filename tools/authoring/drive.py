"""The moving picture of the README: `python -m tools.authoring.drive`.

The bundled network on the bundled drive, frame after frame, as an animated WebP, which browsers and GitHub play.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image
from tqdm import tqdm

from helpers import models, paths
from helpers.images import resize_image
from helpers.labels import CAMVID11, fold_mask
from helpers.masks import overlay, resize_mask
from helpers.video import VideoReader

CLIP = paths.DATA / "street_clip" / "clip.mp4"
OUT = paths.IMAGES / "street_drive.webp"


def frames(clip: Path, *, width: int, every: int) -> list[np.ndarray]:
    """Some frames of a drive, (height, width, 3) uint8 RGB, with their classes, seen as CamVid's 11, laid over."""
    model = models.load(models.DEFAULT_MODEL)
    palette = CAMVID11.palette()
    found = []
    for _, image in tqdm(VideoReader(clip, every=every), unit=" frames"):
        mask = fold_mask(model.predict(image), model.labels, CAMVID11)
        size = [round(side * width / max(mask.shape)) for side in mask.shape]
        image, mask = resize_image(image, size), resize_mask(mask, size)
        found.append(overlay(image, mask, palette, alpha=0.55, ignore_index=CAMVID11.ignore_index))
    return found


def main(
    clip: Annotated[Path, typer.Argument(help="a video")] = CLIP,
    out: Annotated[Path, typer.Option(help="ends in .webp")] = OUT,
    width: Annotated[int, typer.Option(min=16, help="pixels of the longer side")] = 720,
    every: Annotated[int, typer.Option(min=1, help="use one frame in so many")] = 1,
    quality: Annotated[int, typer.Option(min=1, max=100)] = 55,
) -> None:
    """Write the animation, over and over again from its start."""
    rate = VideoReader(clip).info.fps / every
    first, *rest = map(Image.fromarray, frames(clip, width=width, every=every))
    with paths.replacing(out) as temporary:
        first.save(
            temporary,
            "WEBP",
            save_all=True,
            append_images=rest,
            duration=round(1000 / rate),
            loop=0,
            quality=quality,
            method=6,
        )
    typer.echo(f"{out}: {1 + len(rest)} frames, {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    typer.run(main)
