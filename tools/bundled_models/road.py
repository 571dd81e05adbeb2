"""Bundle a stage of the road lesson, in half precision.

python -m helpers train road --steps 700 --steps-two 1000 --balanced 0.75 --out build/road_long
python -m tools.bundled_models.road build/road_long/stage_one.pt data/models/road_stage_one.pt
python -m tools.bundled_models.road build/road_long/weights.pt data/models/road_stage_two.pt
"""

from pathlib import Path

import typer

from helpers.road_surface import model


def main(weights: Path, out: Path) -> None:
    """Read what `train road` kept of a stage and write it half as large."""
    model.load(weights).save(out, half=True)
    typer.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    typer.run(main)
