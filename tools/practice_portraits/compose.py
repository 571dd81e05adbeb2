"""Put rendered persons before a street or a bookshelf, as the lesson's practice portraits.

python -m tools.practice_portraits.compose build/portraits_held data/portraits_practice
"""

from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from helpers import backgrounds, paths
from helpers.images import read_image, save_image

BOOKS = (
    (120, 40, 34),
    (44, 62, 88),
    (78, 88, 60),
    (172, 146, 104),
    (196, 186, 166),
    (66, 46, 36),
    (112, 76, 48),
)  # RGB


def bookshelf(rng: np.random.Generator, size: int) -> np.ndarray:
    """Rows of books in warm light, out of focus: (size, size, 3) uint8."""
    shelf = np.full((size, size, 3), (62, 44, 30), np.float32)
    height = size // 4
    for top in range(-rng.integers(height // 2), size, height):
        left = 0
        while left < size:
            width, gap = rng.integers(size // 40, size // 14), rng.integers(height // 12, height // 4)
            colour = rng.uniform(0.5, 1.2) * np.array(BOOKS[rng.integers(len(BOOKS))])
            shelf[max(0, top + gap) : max(0, top + height - size // 50), left : left + width] = colour
            left += width + (rng.integers(size // 8) if rng.random() < 0.1 else 0)
    light = np.linspace(1.15, 0.55, size, dtype=np.float32)[None, :, None]
    return np.clip(cv2.GaussianBlur(shelf, (0, 0), size / 90) * light, 0, 255).astype(np.uint8)


def main(
    renderings: Annotated[Path, typer.Argument(help="folder of NAME.png with alpha")],
    out: Annotated[Path, typer.Argument(help="folder for NAME.jpg and NAME_alpha.png")],
) -> None:
    """Write the practice portraits."""
    out.mkdir(parents=True, exist_ok=True)
    streets = sorted((paths.IMAGES / "streets").glob("street_*.jpg"))
    for number, path in enumerate(sorted(renderings.glob("*.png"))):
        rng = np.random.default_rng(number)
        person = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)
        colours, alpha = np.ascontiguousarray(person[..., :3]), person[..., 3].astype(np.float32) / 255
        if number % 2:
            behind = bookshelf(rng, len(person))
        else:
            street = read_image(streets[number // 2 % len(streets)])
            behind = backgrounds.blur_background(street, np.zeros(street.shape[:2], np.float32), radius=3)
        behind = backgrounds.as_background(behind, alpha.shape)
        noise = rng.normal(0, 2, colours.shape).astype(np.float32)
        image = cv2.add(backgrounds.composite(colours, behind, alpha), noise, dtype=cv2.CV_8U)
        name = f"portrait_{number + 1}"
        save_image(out / f"{name}.jpg", image)
        save_image(out / f"{name}_alpha.png", person[..., 3])


if __name__ == "__main__":
    typer.run(main)
