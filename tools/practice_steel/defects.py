"""The four kinds of defects: each draws itself on a sheet and gives its loosely drawn mask, (H, W) uint8 0 and 1."""

import cv2
import numpy as np

from tools.practice_steel.surface import HEIGHT, WIDTH, Canvas, noise


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
