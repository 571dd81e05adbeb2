"""Renders the practice roads: `python -m tools.practice_roads` (needs Blender's bpy, Python 3.11).

Writes data/rtk_practice: images/<stem>.jpg, masks/<stem>.png, codes.txt, valid.txt and the manifest of their hashes.
Frames that are there already are kept, so an interrupted run goes on where it stopped; `--force` renders all again.
"""

from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from tqdm import tqdm

from helpers.datasets.rtk import sequence
from helpers.images import save_image
from helpers.labels import RTK
from helpers.masks import save_mask
from helpers.paths import REPO_ROOT, replace_file
from tools.manifest import write_manifest
from tools.practice_roads.camera import photograph
from tools.practice_roads.roads import FRAMES, ROADS, SPACING, Road
from tools.practice_roads.surface import UNPAVED

SPECK = 4  # pixels: less than that of an object is left to the pavement, as people do who label photographs


def main(
    folder: Annotated[Path, typer.Argument(help="where the practice set goes")] = REPO_ROOT / "data/rtk_practice",
    only: Annotated[list[str] | None, typer.Option(help="one sequence; may be given again")] = None,
    frames: Annotated[str, typer.Option(help="numbers of the frames, by commas")] = ",".join(map(str, range(FRAMES))),
    samples: Annotated[int, typer.Option(min=1, help="light paths a pixel")] = 6,
    force: Annotated[bool, typer.Option(help="render again what is there already")] = False,
) -> None:
    """Render the practice roads with Blender's Cycles."""
    numbers = [int(number) for number in frames.split(",")]
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for road in ROADS:
        if only and road.name not in only:
            continue
        paths = {k: folder / f"images/{road.name}_{k:03}.jpg" for k in numbers}
        missing = [k for k in numbers if force or not paths[k].exists()]
        if missing:
            _film(road, missing, folder, samples)
    held_out = {road.name for road in ROADS if road.valid}
    names = sorted(path.name for path in (folder / "images").glob("*.jpg"))
    replace_file(folder / "codes.txt", "".join(f"{name}\n" for name in RTK.class_names))
    replace_file(folder / "valid.txt", "".join(f"{name}\n" for name in names if sequence(name) in held_out))
    write_manifest(folder)


def _film(road: Road, numbers: list[int], folder: Path, samples: int) -> None:
    """Drive along a road. A frame's picture comes last: where it is, the frame is done."""
    from tools.practice_roads.stage import RoadStage

    stage, rng = RoadStage(road, samples=samples), np.random.default_rng([road.seed, 5])
    mount = {"height": rng.uniform(1.2, 1.45), "pitch": rng.uniform(-0.14, -0.1), "lens": rng.uniform(27, 30)}
    lane = road.half * rng.uniform(0.36, 0.5)
    shake = rng.normal(0, 1, (FRAMES, 3))

    def look(k: int) -> None:
        pose = mount | {"pitch": mount["pitch"] + 0.008 * shake[k, 0], "yaw": 0.02 * shake[k, 1]}
        stage.look(1.5 + SPACING * k, x=lane + 0.15 * shake[k, 2], **pose)

    for k in numbers:
        look(k)
        save_mask(folder / f"masks/{road.name}_{k:03}.png", without_specks(stage.ids()), RTK.palette())
    for k in tqdm(numbers, unit="frame", desc=road.name):
        look(k)
        save_image(folder / f"images/{road.name}_{k:03}.jpg", photograph(stage.picture(), road, k), quality=88)


def without_specks(ids: np.ndarray) -> np.ndarray:
    """Give objects of fewer than SPECK pixels to the pavement around them."""
    cleaned, pavement = ids.copy(), ids.copy()
    pavement[ids > UNPAVED] = 0
    for label in range(UNPAVED + 1, 13):
        _, parts, stats, _ = cv2.connectedComponentsWithStats((ids == label).astype(np.uint8), connectivity=8)
        for part in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] < SPECK):
            rows, columns = np.nonzero(parts == part)
            near = pavement[max(0, rows.min() - 3) : rows.max() + 4, max(0, columns.min() - 3) : columns.max() + 4]
            votes = np.bincount(near.ravel(), minlength=4)[1:4]
            if votes.any():
                cleaned[parts == part] = votes.argmax() + 1
    return cleaned


if __name__ == "__main__":
    typer.run(main)
