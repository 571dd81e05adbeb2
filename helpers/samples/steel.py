"""Practice steel: sheets that look like Severstal's, with the four kinds of defects and loosely drawn masks (numpy).

    python -m helpers.samples.steel data/severstal_practice

Every sheet is a grey surface (rolling texture, oxide, uneven light, dark ends) into which defects are pressed as a
relief under raking light. Same seed, same sheets.
"""

import csv
from pathlib import Path
from typing import Annotated, NamedTuple

import cv2
import numpy as np
import typer
from PIL import Image
from tqdm import tqdm

from helpers import rle
from helpers.images import save_pil
from helpers.paths import DATA
from helpers.samples.manifest import write_manifest

HEIGHT, WIDTH = 256, 1600
# Sheets for each pattern of defects, in about the proportions of the competition: half are clean, class 3 is common,
# class 2 rare (made a little less rare, so that a small set has enough to split).
TRAIN_PATTERNS = {"": 68, "3": 44, "1": 9, "4": 6, "2": 4, "34": 5, "13": 2, "12": 2}
TEST_PATTERNS = {"": 9, "3": 6, "1": 1, "4": 1, "2": 1, "34": 1, "13": 1}
TABLES = {"train": "train.csv", "test": "sample_submission.csv"}
JPEG_QUALITY = 62


class Canvas(NamedTuple):
    """A sheet being made: brightness (H, W) float32 in 0 … 255, and x where sheet begins and ends."""

    light: np.ndarray
    left: int
    right: int


def noise(rng: np.random.Generator, grain_y: float, grain_x: float) -> np.ndarray:
    """Smooth random field of mean 0 and deviation 1 whose blobs are about (grain_y, grain_x) pixels large."""
    small = rng.standard_normal((int(HEIGHT / grain_y) + 3, int(WIDTH / grain_x) + 3), np.float32)
    field = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    if min(grain_x, grain_y) > 3:  # blobs without the corners of the grid
        field = cv2.GaussianBlur(field, (0, 0), sigmaX=grain_x / 3, sigmaY=grain_y / 3)
    return (field - field.mean()) / (field.std() + 1e-6)


def bump(rng: np.random.Generator, width: float) -> np.ndarray:
    """(1, W) window around a random column, 1 at its middle, falling off over about `width` pixels."""
    x = np.arange(WIDTH, dtype=np.float32)[None]
    return np.exp(-(((x - rng.uniform(0, WIDTH)) / width) ** 2))


def surface(rng: np.random.Generator) -> Canvas:
    """A sheet without defects, but with all that a beginner's model takes for one: oxide, shade, streaks, seams."""
    y = np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None]
    level = rng.uniform(18, 30) if rng.random() < 0.08 else rng.uniform(65, 130)
    light = 1 + rng.uniform(-0.1, 0.4) * y + 0.06 * noise(rng, 300, 350) - rng.uniform(0, 0.3) * x**2
    for _ in range(rng.integers(0, 4)):  # bands that a roll or a guide has left, with a straight edge
        edge = rng.uniform(-1, 1)
        light *= np.where((x > edge) & (x < edge + rng.uniform(0.1, 0.8)), rng.uniform(0.86, 1.1), 1)
    ripple = noise(rng, 1.6, rng.uniform(6, 20))
    streaks = noise(rng, rng.uniform(40, 120), 1.5)
    light *= 1 + 0.03 * ripple + rng.uniform(0.01, 0.05) * streaks + 0.03 * noise(rng, 5, 4)
    light *= 1 + rng.uniform(0.05, 0.11) * noise(rng, 1, 1)
    light *= 1 - 0.25 * np.clip(noise(rng, 50, 3) - 2.2, 0, 1.5)  # single darker streaks, no defects
    if rng.random() < 0.45:  # oxide: brighter islands, drawn out down the sheet
        island = noise(rng, 110, 18) + 0.6 * noise(rng, 20, 4) + 0.35 * noise(rng, 3, 2)
        island = island * bump(rng, rng.uniform(150, 500)) > rng.uniform(0.7, 1.3)
        light *= np.where(island, rng.uniform(1.2, 1.5) + 0.05 * ripple, 1)
    if rng.random() < 0.55:  # stains: dark dashes
        stain = (0.6 * noise(rng, 14, 3) + 0.5 * noise(rng, 4, 12) + 0.6 * noise(rng, 30, 40)) * bump(rng, 250)
        light *= 1 - 0.3 * np.clip(stain - 1.0, 0, 1)
    if rng.random() < 0.3:  # brushed lines, aslant
        phase = 40 * x + rng.uniform(-8, 8) * y + 1.5 * noise(rng, 120, 250)
        light *= 1 + 0.08 * np.clip(np.sin(rng.uniform(0.5, 2.5) * phase), -0.2, 1) * bump(rng, 300)
    light = (light * level).astype(np.float32)
    if rng.random() < 0.12:  # a wet seam: overexposed drops in a column
        drops = noise(rng, 7, 5) + 3.2 * bump(rng, rng.uniform(5, 14)) > 2.7
        light[drops] = rng.uniform(200, 255)
    glints = rng.random((HEIGHT, WIDTH)) < rng.uniform(0, 0.002)
    light[glints] *= rng.uniform(1.3, 2.2)
    left, right = 0, WIDTH
    if rng.random() < 0.25:  # the sheet ends inside the picture
        if rng.random() < 0.5:
            left = int(rng.uniform(40, 700))
        else:
            right = int(rng.uniform(900, 1560))
    return Canvas(light, left, right)


def press(canvas: Canvas, height: np.ndarray, rng: np.random.Generator) -> None:
    """Shade a relief (H, W) in pixels of height as light from the upper left at a low angle shows it."""
    slope_y, slope_x = np.gradient(height)
    shade = 1 - rng.uniform(0.35, 0.55) * slope_x - rng.uniform(0.45, 0.75) * slope_y
    np.multiply(canvas.light, np.clip(shade, 0.25, 2.6), out=canvas.light)


def place(canvas: Canvas, rng: np.random.Generator, margin: int = 40) -> tuple[float, float]:
    """A random (y, x) on the sheet."""
    x = rng.uniform(canvas.left + margin, max(canvas.right - margin, canvas.left + margin + 1))
    return rng.uniform(20, HEIGHT - 20), x


def pits(canvas: Canvas, rng: np.random.Generator) -> np.ndarray:
    """Class 1: small pits in short columns, each column boxed."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    height = np.zeros((HEIGHT, WIDTH), np.float32)
    middle = place(canvas, rng)[1]
    for _ in range(rng.integers(3, 10)):
        y, x = rng.uniform(10, HEIGHT - 10), np.clip(rng.normal(middle, 160), canvas.left + 15, canvas.right - 15)
        length = rng.uniform(8, 45)
        points = np.column_stack([x + rng.normal(0, 3, 6), y + rng.uniform(-0.5, 0.5, 6) * length]).round()
        for px, py in points[: rng.integers(2, 7)].astype(int).tolist():
            axes = (int(rng.integers(1, 3)), int(rng.integers(1, 5)))
            cv2.ellipse(height, (px, py), axes, rng.uniform(-20, 20), 0, 360, -rng.uniform(2.5, 6), -1)
        box = cv2.boxPoints(cv2.minAreaRect(points.astype(np.float32)))
        box = box + np.sign(box - box.mean(0)) * rng.uniform(5, 9, (4, 2))  # drawn a little too large
        cv2.fillPoly(mask, [box.round().astype(np.int32)], 1)
    press(canvas, cv2.GaussianBlur(height, (0, 0), 0.7) * (1 + 0.3 * noise(rng, 2, 2)), rng)
    canvas.light[:] *= 1 + 0.1 * cv2.GaussianBlur(height, (0, 0), 1.2)
    return mask


def wavy_line(y0: float, y1: float, x: float, wander: float, rng: np.random.Generator) -> np.ndarray:
    """Points (n, 2) of a line down the sheet that wanders sideways."""
    y = np.arange(y0, y1)
    path = np.interp(y, np.linspace(y0, y1, 9), np.cumsum(rng.normal(0, wander, 9)))
    return np.column_stack([x + path, y]).round().astype(np.int32)


def cracks(canvas: Canvas, rng: np.random.Generator) -> np.ndarray:
    """Class 2: one to three fine cracks down the sheet, in narrow boxes."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    middle = place(canvas, rng)[1]
    for _ in range(rng.integers(1, 4)):
        length = rng.uniform(90, 250)
        y = rng.uniform(0, HEIGHT - length)
        line = wavy_line(y, y + length, np.clip(rng.normal(middle, 40), canvas.left + 15, canvas.right - 15), 1.8, rng)
        depth = np.zeros((HEIGHT, WIDTH), np.float32)
        cv2.polylines(depth, [line], False, float(rng.uniform(0.75, 1)), int(rng.integers(1, 3)), cv2.LINE_AA)
        depth *= np.clip(1 + 0.4 * noise(rng, 20, 20), 0, 1)
        canvas.light[:] *= (1 - 0.75 * depth) * (1 + 0.35 * np.roll(depth, 2, axis=1))
        mask |= loosen(depth > 0.1, rng, margin=7)
    return mask


def scratches(canvas: Canvas, rng: np.random.Generator) -> np.ndarray:
    """Class 3: bundles of streaks along the sheet, short slanted scratches, or fields of specks."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    kind = rng.choice(["streaks", "slanted", "specks"], p=[0.7, 0.12, 0.18])
    for _ in range(rng.integers(1, {"streaks": 6, "slanted": 6, "specks": 3}[kind])):
        y, x = place(canvas, rng)
        marks = np.zeros((HEIGHT, WIDTH), np.float32)
        if kind == "streaks":
            half = rng.uniform(3, 20)
            top, bottom = (0, HEIGHT) if rng.random() < 0.45 else sorted(rng.uniform(0, HEIGHT, 2))
            bottom = min(HEIGHT, max(bottom, top + 60))
            for _ in range(int(rng.uniform(0.5, 1.3) * half) + 1):
                part = sorted(rng.uniform(top, bottom, 2))
                line = wavy_line(*part, x + rng.uniform(-half, half), 0.4, rng)
                cv2.polylines(marks, [line], False, float(rng.uniform(0.4, 1)), int(rng.integers(1, 4)), cv2.LINE_AA)
            tone = rng.choice([-0.55, -0.7, 0.5], p=[0.5, 0.35, 0.15])
        elif kind == "slanted":
            for _ in range(rng.integers(1, 4)):
                start = np.array([x, y]) + rng.normal(0, 12, 2)
                angle = rng.choice([-1, 1]) * rng.uniform(0.3, 1.2)
                end = start + rng.uniform(25, 90) * np.array([np.sin(angle), np.cos(angle)])
                ends = [tuple(point.round().astype(int).tolist()) for point in (start, end)]
                cv2.line(marks, *ends, 1.0, int(rng.integers(1, 4)), cv2.LINE_AA)
            tone = rng.choice([1.1, 0.6, -0.4])
        else:
            field = noise(rng, 2.2, 2.2) > rng.uniform(1.5, 2.0)
            axes = (int(rng.uniform(50, 140)), int(rng.uniform(25, 60)))
            zone = cv2.ellipse(np.zeros_like(mask), (int(x), int(y)), axes, rng.uniform(-10, 10), 0, 360, 1, -1)
            marks[field & (zone > 0)] = 1
            tone = 1.4
        canvas.light[:] *= 1 + tone * marks * np.clip(1 + 0.3 * noise(rng, 8, 3), 0, 1.5)
        mask |= loosen(marks > 0.1, rng, margin=10 if kind == "specks" else 6)
    return mask


def patches(canvas: Canvas, rng: np.random.Generator) -> np.ndarray:
    """Class 4: large rough patches, torn or folded, in strong relief."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    for _ in range(rng.integers(1, 4)):
        y, x = place(canvas, rng, margin=70)
        radius_y, radius_x = rng.uniform(25, 100), np.exp(rng.uniform(np.log(25), np.log(170)))
        ragged = 0.22 * noise(rng, 40, 50) + 0.1 * noise(rng, 8, 8)
        inside = 1 - np.hypot((rows - y) / radius_y, (columns - x) / radius_x) + ragged > 0.25
        inside = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_OPEN, disc(5))
        folds = np.abs(noise(rng, rng.uniform(8, 20), rng.uniform(20, 60)))  # creases where the field crosses zero
        height = 7 * np.sqrt(folds) + 1.2 * noise(rng, 6, 9) + 0.5 * noise(rng, 2, 2) + 3
        press(canvas, cv2.GaussianBlur(height * inside, (0, 0), 0.9), rng)
        flakes = 1 + 0.25 * noise(rng, 14, 22)
        canvas.light[:] *= np.where(inside > 0, rng.uniform(0.8, 1.2) * np.clip(flakes, 0.5, 2), 1)
        mask |= loosen(inside, rng, margin=9)
    return mask


DEFECTS = {"1": pits, "2": cracks, "3": scratches, "4": patches}


def disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def loosen(region: np.ndarray, rng: np.random.Generator, *, margin: int) -> np.ndarray:
    """What a person draws around a region: a polygon of few corners, some pixels too large. (H, W) uint8 0 and 1."""
    grown = cv2.dilate(np.asarray(region, np.uint8), disc(margin))
    outlines, _ = cv2.findContours(grown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for outline in outlines:
        corners = cv2.approxPolyDP(outline, rng.uniform(3, 7), True)
        jitter = rng.integers(-2, 3, corners.shape)
        cv2.fillPoly(mask, [(corners + jitter).astype(np.int32)], 1)
    return mask


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


def main(
    folder: Annotated[Path, typer.Argument(help="folder for the set")] = DATA / "severstal_practice", seed: int = 0
) -> None:
    """Make the practice sheets of the steel lesson."""
    write_set(folder, seed=seed)


if __name__ == "__main__":
    typer.run(main)
