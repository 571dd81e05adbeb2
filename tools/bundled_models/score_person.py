"""Score a person model: `python -m tools.bundled_models.score_person build/person_left_out.pt --left-out`.

Needs the folder of real photos that SEGMENTATION_REAL_DATA names.
"""

from typing import Annotated

import numpy as np
import torch
import typer

from helpers import models, paths, records
from helpers.backgrounds import PersonModel
from helpers.backgrounds.data import practice_portraits
from helpers.backgrounds.scores import person_iou
from helpers.images import read_image
from helpers.labels import PASCAL_VOC
from helpers.masks import read_mask
from tools.bundled_models.train_person import LEFT_OUT


def score(model: PersonModel, pairs: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """IoU of the person in each picture; NaN where there is none, neither true nor found."""
    return {name: person_iou(model.predict(image), person) for name, (image, person) in pairs.items()}


def main(
    model: Annotated[str, typer.Argument(help="name or file")] = "person_small",
    size: Annotated[int | None, typer.Option(help="longest side that the network sees")] = None,
    left_out: Annotated[
        bool, typer.Option("--left-out", help="also the ten photos that such a run has left out")
    ] = False,
    record: Annotated[str, typer.Option(help="write data/measured/NAME.json")] = "",
) -> None:
    """Print the IoU of persons: a real street, practice portraits, and photos that were left out."""
    torch.set_num_threads(1)
    real = paths.real_data()
    if real is None:
        raise SystemExit("set SEGMENTATION_REAL_DATA to the folder with coco_voc/ and photos/")
    network = models.load_person(model, size=size)
    photos = real / "photos"
    street = {
        "FudanPed00054": (read_image(photos / "FudanPed00054.png"), read_mask(photos / "FudanPed00054_mask.png") > 0)
    }
    portraits = {p.name: (p.image, p.alpha) for p in practice_portraits()}
    figures = {"street": score(network, street), "portraits": score(network, portraits)}
    if left_out:
        folder, person = real / "coco_voc", PASCAL_VOC.index("person")
        pairs = {
            stem: (read_image(folder / "images" / f"{stem}.jpg"), read_mask(folder / "masks" / f"{stem}.png") == person)
            for stem in LEFT_OUT
        }
        figures["left_out"] = score(network, pairs)
        large = [figures["left_out"][stem] for stem, (_, mask) in pairs.items() if mask.mean() > 0.1]
        figures["left_out_large"] = float(np.mean(large))
    for name, values in figures.items():
        print(name, records.rounded(values))
    if record:
        records.write(record, records.run_record("tools.bundled_models.score_person", size=network.size, **figures))


if __name__ == "__main__":
    typer.run(main)
