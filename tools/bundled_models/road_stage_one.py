"""Bundle the road lesson's stage one, in half precision.

python -m helpers train road --steps 700 --steps-two 350 --out build/road_run
python -m tools.bundled_models.road_stage_one build/road_run/stage_one.pt data/models/road_stage_one.pt
"""

from pathlib import Path

import typer

from helpers.road_surface import model


def main(weights: Path, out: Path) -> None:
    """Read what `train road` kept of its first stage and write it half as large."""
    model.load(weights).save(out, half=True)
    typer.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    typer.run(main)
