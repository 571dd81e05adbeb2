"""Training the Keras U-Net from the command line: epochs, a backup that a killed run goes on from, a record."""

import time
from pathlib import Path

import keras

from helpers.images import read_image
from helpers.keras_unet.data import VOID, Source, frames, training_batches
from helpers.keras_unet.model import KerasSegmenter, build
from helpers.metrics import ConfusionMatrix
from helpers.paths import replacing

FRAME, VIEW = (192, 256), (128, 160)  # height and width of the frames, and of the views that are cut from them


def compiled(model: keras.Model, *, steps: int, rate: float = 2e-3) -> keras.Model:
    """Give a U-Net its loss, its optimizer and a learning rate that warms up and then falls along a cosine.

    Args:
        model: from `model.build`.
        steps: of the whole training.
        rate: highest learning rate of AdamW.
    """
    schedule = keras.optimizers.schedules.CosineDecay(
        rate / 20, steps, warmup_target=rate, warmup_steps=max(1, steps // 10)
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=0.03),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=VOID),
    )
    return model


def score(segmenter: KerasSegmenter, image_paths: list[Path], source: Source) -> ConfusionMatrix:
    """Compare predictions of whole pictures, at their own size, with their masks."""
    matrix = ConfusionMatrix(source.labels.num_classes, ignore_index=VOID)
    for path in image_paths:
        matrix.update(source.read_mask(path), segmenter.predict(read_image(path)))
    return matrix


def train(
    out: Path,
    source: Source,
    *,
    encoder: str = "efficientnet_lite0",
    weights: str | None = None,
    epochs: int,
    batch: int = 8,
    rate: float = 2e-3,
    seed: int = 0,
) -> tuple[KerasSegmenter, dict]:
    """Train for some epochs; started again after a kill, the run in `out` goes on after its last whole epoch.

    Args:
        out: folder of the run: backup/ while it lasts, weights.keras at the end.
        source: its train_paths are learnt from.
        encoder, weights: see `model.encoder`.
        epochs: views per frame.
        batch: views in a step.
        rate: highest learning rate.
        seed: of first weights and views.

    Returns:
        The trained network, and a record of steps and seconds (of this start).

    Raises:
        ValueError: the loss became infinite or undefined; nothing is saved.
    """
    keras.utils.set_random_seed(seed)
    steps = max(1, len(source.train_paths) // batch)
    pairs = frames(source.train_paths, source, size=FRAME)
    model = compiled(build(source.labels.num_classes, name=encoder, weights=weights), steps=steps * epochs, rate=rate)
    start = time.perf_counter()
    history = model.fit(
        training_batches(pairs, size=VIEW, batch=batch, seed=seed),
        epochs=epochs,
        steps_per_epoch=steps,
        callbacks=[keras.callbacks.BackupAndRestore(out / "backup"), keras.callbacks.TerminateOnNaN()],
        shuffle=False,
    )
    losses = history.history.get("loss", [])
    if any(loss != loss or loss == float("inf") for loss in losses):
        raise ValueError(f"the loss is {losses[-1]} after {len(losses)} epochs; lower --rate; nothing was saved")
    with replacing(out / "weights.keras") as temporary:
        model.save(temporary)
    record = {"steps": steps * epochs, "seconds": time.perf_counter() - start, "losses": losses}
    return KerasSegmenter(model, source.labels, size=max(FRAME)), record
