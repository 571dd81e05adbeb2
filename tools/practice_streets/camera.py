"""What a camera does to light: exposure, white balance, lens fall-off, blur, noise and a tone curve."""

import numpy as np

from tools.practice_streets.towns import Light


def develop(
    linear: np.ndarray,
    rng: np.random.Generator,
    light: Light,
    *,
    noise: np.random.Generator | None = None,
    metered: np.ndarray | None = None,
) -> np.ndarray:
    """Develops linear light as an inexpensive camera in a car would.

    Args:
        linear: (H, W, 3) float, linear RGB.
        rng: draws exposure, white balance and the lens.
        light: its exposure shifts the meter.
        noise: draws the noise; rng when None.
        metered: what the meter sees, as linear; the picture itself when None.

    Returns:
        (H, W, 3) uint8 sRGB.
    """
    height, width = linear.shape[:2]
    # The meter looks at the lower, darker part and lets the sky burn out, as in real dashboard footage.
    metered = linear if metered is None else metered
    ground = metered[height // 3 :].mean(axis=2)
    gain = 0.1 / max(1e-4, np.exp(np.log(ground + 1e-3).mean()))
    gain *= 2 ** (light.exposure + rng.normal(0, 0.3))
    cast = metered[-height // 3 :].mean(axis=(0, 1))
    balance = (cast.mean() / np.maximum(cast, 1e-4)) ** rng.uniform(0.65, 0.95) * rng.normal(
        (1, 1, 1.03), (0.04, 0.02, 0.05)
    )
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    falloff = 1 - rng.uniform(0.05, 0.2) * (x**2 + y**2)[..., None] / 2
    signal = linear * gain * balance * falloff
    veil = rng.uniform(0, 0.012) * np.minimum(signal, 2).mean()  # stray light in the lens
    signal = _soften(signal + veil, rng.uniform(0.0, 0.35))
    shot = np.sqrt(np.maximum(signal, 0)) * rng.uniform(0.006, 0.02)
    signal = signal + (noise or rng).normal(size=signal.shape) * (shot + rng.uniform(0.001, 0.004))
    signal = np.maximum(signal, 0)
    # A shoulder from 0.7 up keeps some cloud; contrast below it.
    signal = np.where(signal > 0.7, 0.7 + 0.3 * (1 - np.exp(-(signal - 0.7) / 0.3)), signal)
    srgb = np.where(signal < 0.0031308, 12.92 * signal, 1.055 * np.maximum(signal, 1e-9) ** (1 / 2.4) - 0.055)
    contrast = rng.uniform(0.1, 0.45)
    srgb = srgb * (1 - contrast) + contrast * srgb**2 * (3 - 2 * srgb)
    grey = srgb.mean(axis=2, keepdims=True)
    srgb = grey + (srgb - grey) * rng.uniform(0.75, 1.05)
    return np.clip(np.rint(srgb * 255), 0, 255).astype(np.uint8)


def _soften(image: np.ndarray, amount: float) -> np.ndarray:
    """A small blur: each pixel takes `amount` of its four neighbours' mean."""
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="edge")
    around = (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) / 4
    return image * (1 - amount) + around * amount
