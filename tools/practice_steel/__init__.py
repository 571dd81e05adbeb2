"""Practice steel: sheets that look like Severstal's, with the four kinds of defects and loosely drawn masks (numpy).

    python -m tools.practice_steel data/severstal_practice

Every sheet is a grey surface (rolling texture, oxide, uneven light, dark ends) into which defects are pressed as a
relief under raking light. Same seed, same sheets.
"""

import csv
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from helpers import rle
from helpers.images import save_pil
from tools.manifest import write_manifest
from tools.practice_steel.defects import DEFECTS
from tools.practice_steel.surface import HEIGHT, WIDTH, surface

# Sheets for each pattern of defects, in about the proportions of the competition: half are clean, class 3 is common,
# class 2 rare (made a little less rare, so that a small set has enough to split).
TRAIN_PATTERNS = {"": 68, "3": 44, "1": 9, "4": 6, "2": 4, "34": 5, "13": 2, "12": 2}
TEST_PATTERNS = {"": 9, "3": 6, "1": 1, "4": 1, "2": 1, "34": 1, "13": 1}
TABLES = {"train": "train.csv", "test": "sample_submission.csv"}
JPEG_QUALITY = 62


def render(pattern: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A sheet with the defects of a pattern.

    Args:
        pattern: class digits, "" for a clean sheet, "34" for scratches and patches.
        rng: source of randomness.

    Returns:
        Picture (256, 1600) uint8 and masks (4, 256, 1600) bool that share no pixel.
    """
    canvas = surface(rng)
    on_sheet = np.zeros((HEIGHT, WIDTH), bool)
    on_sheet[:, canvas.left : canvas.right] = True
    masks = np.zeros((4, HEIGHT, WIDTH), bool)
    for digit in pattern[::-1]:  # the large ones first; what comes later lies on top
        masks[int(digit) - 1] = (DEFECTS[digit](canvas, rng) > 0) & on_sheet
        for other in pattern[::-1]:
            if other > digit:
                masks[int(other) - 1] &= ~masks[int(digit) - 1]
    edge = cv2.GaussianBlur(on_sheet.astype(np.float32), (0, 0), 1.5)
    light = canvas.light * (0.03 + 0.97 * edge) + rng.normal(0, 1.5, (HEIGHT, WIDTH))
    return np.clip(light, 0, 255).astype(np.uint8), masks


def write_set(folder: Path, *, seed: int = 0) -> None:
    """Write a practice set in the competition's own files, with a manifest of their hashes.

    Args:
        folder: gets train_images/, train.csv, test_images/, sample_submission.csv and manifest.json.
        seed: of everything.
    """
    rng = np.random.default_rng(seed)
    for part, patterns in (("train", TRAIN_PATTERNS), ("test", TEST_PATTERNS)):
        order = rng.permutation([pattern for pattern, count in patterns.items() for _ in range(count)])
        names = sorted(rng.choice(16**9, len(order), replace=False))  # nine hex digits, as the competition has
        rows = []
        (folder / f"{part}_images").mkdir(parents=True, exist_ok=True)
        for number, (name, pattern) in enumerate(zip(names, tqdm(order, desc=part, unit="sheet"), strict=True)):
            sheet_seed = [seed, part == "test", number]
            image, masks = render(str(pattern), np.random.default_rng(sheet_seed))
            image_id = f"{name:09x}.jpg"
            save_pil(folder / f"{part}_images" / image_id, Image.fromarray(image), quality=JPEG_QUALITY)
            for class_id, mask in enumerate(masks, start=1):
                runs = rle.encode(mask) if part == "train" else "1 1"  # the sample only shows the form
                rows.append((f"{image_id}_{class_id}", runs))
        with open(folder / TABLES[part], "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("ImageId_ClassId", "EncodedPixels"))
            writer.writerows(rows)
    write_manifest(folder)
