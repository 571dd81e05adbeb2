"""Checks of lesson 02's exercises."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from helpers.checker import checker, expect, expect_equal


@checker
def check_flicker(flicker: Callable[[Sequence[np.ndarray], Sequence[np.ndarray]], float]) -> None:
    """Exercise 1, flicker"""
    truths = np.array([[[0, 0, 1, 255]], [[0, 0, 0, 255]]], np.uint8)
    preds = np.array([[[0, 1, 1, 0]], [[0, 0, 0, 1]]], np.uint8)
    hint = "flicker of 1 change among 2 pixels (the third really changed, the fourth has no label)"
    expect_equal(flicker(preds, truths), 1 / 2, hint, tolerance=1e-9)
    expect_equal(flicker(preds[[0, 0]], truths), 0.0, "flicker of a prediction that doesn't change", tolerance=1e-9)
    rng = np.random.default_rng(0)
    preds, truths = (rng.integers(0, 3, (5, 4, 6)).astype(np.uint8) for _ in range(2))
    truths[rng.random(truths.shape) < 0.2] = 255
    stays = (truths[1:] == truths[:-1]) & (truths[1:] != 255)
    wanted = (preds[1:] != preds[:-1])[stays].mean()
    expect_equal(flicker(preds, truths), wanted, "flicker of five 4×6 frames", tolerance=1e-9)


@checker
def check_fading(fading: Callable[[Sequence[np.ndarray], float], Iterator[np.ndarray]]) -> None:
    """Exercise 2, fading"""
    frames = [np.array([[[0.0, 1.0]]]), np.array([[[3.0, 0.0]]]), np.array([[[0.0, 0.5]]])]
    before = [frame.copy() for frame in frames]
    all_at_once = not isinstance(fading(frames, 0.5), Iterator)
    expect(not all_at_once, "fading gives all masks at once; yield each as soon as it is known")
    masks = [np.asarray(mask) for mask in fading(frames, 0.5)]
    expect(all((a == b).all() for a, b in zip(frames, before, strict=True)), "fading changed the logits it was given")
    expect(len(masks) == 3, f"fading gave {len(masks)} masks for 3 frames")
    shape = masks[0].shape
    expect(shape == (1, 1), f"a mask of fading has shape {shape}, expected (1, 1): take the argmax over classes")
    expect_equal([int(m.item()) for m in masks], [1, 0, 0], "the only pixel of fading's masks over three frames")
    expect_equal(
        [int(np.asarray(m).item()) for m in fading(frames, 1.0)], [1, 0, 1], "with weight 1, which forgets the past, it"
    )
    rng = np.random.default_rng(1)
    frames = list(rng.normal(size=(6, 4, 5, 3)))
    mean, wanted = frames[0], []
    for logits in frames:
        mean = 0.3 * logits + 0.7 * mean
        wanted.append(mean.argmax(-1))
    found = np.stack([np.asarray(mask) for mask in fading(frames, 0.3)])
    expect_equal(found, np.stack(wanted), "fading of six 4×5 frames with three classes")
