"""The picture that an inexpensive camera behind a windscreen takes: soft, vignetted, compressed, through some dirt."""

import cv2
import numpy as np

from tools.practice_roads.roads import Road
from tools.practice_streets.camera import develop


def photograph(linear: np.ndarray, road: Road, frame: int) -> np.ndarray:
    """Develop linear light (H, W, 3) into sRGB uint8; the camera's settings and the dirt stay those of the sequence."""
    lens = np.random.default_rng([road.seed, 3])
    grain = np.random.default_rng([road.seed, 4, frame])
    picture = develop(linear, lens, road.light, noise=grain).astype(np.float32)
    height, width = picture.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    picture *= (1 - lens.uniform(0.12, 0.3) * (x**2 + y**2) ** 1.3 / 2)[..., None]
    picture = cv2.GaussianBlur(picture, (0, 0), lens.uniform(0.55, 0.8))
    dirt = _dirt(lens, (height, width), road.dirt)
    haze = cv2.GaussianBlur(picture, (0, 0), 14)
    picture = picture * (1 - dirt) + (0.55 * haze + 28) * dirt
    for _ in range(2):  # colour is stored coarsely, and twice: by the camera's video and by its JPEG
        quality = int(lens.integers(72, 86))
        _, coded = cv2.imencode(
            ".jpg", np.clip(picture, 0, 255)[..., ::-1].astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality]
        )
        picture = cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1].astype(np.float32)
    return picture.astype(np.uint8)


def _dirt(rng: np.random.Generator, shape: tuple[int, int], amount: float) -> np.ndarray:
    """How much of each pixel dirt hides: (H, W, 1) float32, specks out of focus and a wiped streak or two."""
    cover = np.zeros(shape, np.float32)
    for _ in range(int(amount * 45)):
        where = int(rng.integers(0, shape[1])), int(rng.integers(0, shape[0]))
        cv2.circle(cover, where, int(rng.integers(1, 5)), float(rng.uniform(0.15, 0.6)), -1)
    for _ in range(int(amount * 4)):
        start = rng.uniform(0, 1, 2) * shape[::-1]
        end = start + rng.normal(0, 60, 2)
        cv2.line(
            cover, tuple(map(int, start)), tuple(map(int, end)), float(rng.uniform(0.05, 0.14)), int(rng.integers(3, 9))
        )
    return cv2.GaussianBlur(cover, (0, 0), 2.6)[..., None]
