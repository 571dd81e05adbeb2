"""Pictures and masks through `tf.data`: they move together, in an order that the seed decides (TensorFlow)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf

from helpers.datasets import camvid, pets
from helpers.images import read_image, resize_image
from helpers.labels import CAMVID11, LabelSet
from helpers.masks import resize_mask

VOID = 255  # for pixels that nobody labelled; Keras leaves it out as `ignore_class`


@dataclass(frozen=True)
class Source:
    """A data set: which pictures to learn from, which to score on, and how to read a mask.

    Attributes:
        train_paths, valid_paths: pictures.
        labels: what the masks' ids mean.
        read_mask: from a picture's path to its mask (H, W) uint8, `VOID` where nobody knows.
    """

    train_paths: list[Path]
    valid_paths: list[Path]
    labels: LabelSet
    read_mask: Callable[[Path], np.ndarray]


def camvid_source(folder: str | Path, *, split: str = "valid") -> Source:
    """CamVid, or a folder in its layout, in its 11 classes; for `split` see `datasets.camvid.split`."""
    return Source(*camvid.split(folder, split), CAMVID11, partial(_camvid_mask, labels=camvid.label_set(folder)))


def _camvid_mask(image_path: Path, *, labels: LabelSet) -> np.ndarray:
    mask = camvid.read_label(camvid.get_y_fn(image_path), labels)
    mask[mask == CAMVID11.ignore_index] = VOID
    return mask


def pets_source(images: str | Path, annotations: str | Path) -> Source:
    """Oxford-IIIT Pets, see `datasets.pets.split`; the border of a trimap is left out, not learnt as a class."""

    def read(image_path: Path) -> np.ndarray:
        return pets.read_trimap(Path(annotations) / "trimaps" / f"{image_path.stem}.png")

    return Source(*pets.split(images, annotations), pets.PETS, read)


def read_pair(image_path: str | Path, source: Source, *, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Read a picture and its mask, both in one size.

    Args:
        image_path: one of the source's pictures.
        source: where it is from.
        size: (height, width) in pixels.

    Returns:
        image (H, W, 3) uint8 RGB, mask (H, W) uint8.
    """
    image_path = Path(image_path)
    return resize_image(read_image(image_path), size), resize_mask(source.read_mask(image_path), size)


def frames(image_paths: list[Path], source: Source, *, size: tuple[int, int]) -> tf.data.Dataset:
    """Give all pairs once, in the order of the paths; read when they are first needed, then kept in memory.

    Returns:
        A data set of (image (H, W, 3) uint8, mask (H, W) uint8).
    """

    def read(path: bytes) -> tuple[np.ndarray, np.ndarray]:
        return read_pair(path.decode(), source, size=size)

    def with_shapes(path: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image, mask = tf.numpy_function(read, [path], (tf.uint8, tf.uint8))
        return tf.ensure_shape(image, (*size, 3)), tf.ensure_shape(mask, size)

    return tf.data.Dataset.from_tensor_slices([str(path) for path in image_paths]).map(with_shapes).cache()


def random_view(image: tf.Tensor, mask: tf.Tensor, seed: tf.Tensor, *, size: tuple[int, int]):
    """Draw a view of a frame: another zoom, place, side and light; the mask follows in all but the light.

    Args:
        image: (H, W, 3) uint8.
        mask: (H, W) uint8.
        seed: (2,) integers; the same ones give the same view.
        size: (height, width) of the view.

    Returns:
        view (height, width, 3) float32 in 0 … 255, its mask (height, width) int32.
    """
    seeds = tf.unstack(tf.random.split(seed, 4))
    zoom = tf.random.stateless_uniform([], seeds[0], 0.7, 1.4)
    whole = tf.cast(tf.shape(mask), tf.float32)
    scaled = tf.maximum(tf.cast(zoom * whole, tf.int32), size)
    image = tf.image.resize(image, scaled)  # bilinear
    mask = tf.image.resize(mask[..., None], scaled, method="nearest")  # ids never mix
    both = tf.concat([image, tf.cast(mask, tf.float32)], axis=-1)  # cut and mirrored as one
    both = tf.image.stateless_random_crop(both, (*size, 4), seeds[1])
    both = tf.image.stateless_random_flip_left_right(both, seeds[2])
    gain, shift = tf.unstack(tf.random.stateless_uniform([2], seeds[3], -1.0, 1.0))
    view = (both[..., :3] - 127) * (1 + 0.4 * gain) + 127 + 40 * shift
    return tf.clip_by_value(view, 0, 255), tf.cast(both[..., 3], tf.int32)


def training_batches(pairs: tf.data.Dataset, *, size: tuple[int, int], batch: int, seed: int = 0) -> tf.data.Dataset:
    """Shuffle frames and draw a new view of each, without end.

    Args:
        pairs: from `frames`.
        size: (height, width) of the views.
        batch: views in a batch.
        seed: the same one gives the same batches in the same order, on any machine.

    Returns:
        A data set of (views (B, height, width, 3) float32, masks (B, height, width) int32).
    """
    seeds = tf.data.Dataset.random(seed=seed).batch(2)
    drawn = tf.data.Dataset.zip(pairs.shuffle(1000, seed=seed).repeat(), seeds)
    views = drawn.map(
        lambda pair, seed: random_view(*pair, tf.cast(seed, tf.int32), size=size),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    return views.batch(batch).prefetch(tf.data.AUTOTUNE)


def validation_batches(pairs: tf.data.Dataset, *, batch: int) -> tf.data.Dataset:
    """Give whole frames in order, as `training_batches` gives views."""
    return pairs.map(lambda image, mask: (tf.cast(image, tf.float32), tf.cast(mask, tf.int32))).batch(batch)
