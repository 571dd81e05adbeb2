"""Lesson 04: a U-Net on CamVid, with fastai."""

import warnings

from helpers.camvid.folder import codes, get_y_fn, split, split_by_sequence

# fastai compiles two activations at import with torch.jit.script, which torch 2.15 calls deprecated: not our readers'
# concern.
warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", FutureWarning)

__all__ = ["MeanIoU", "acc_camvid", "codes", "data_block", "get_y_fn", "learner", "split", "split_by_sequence"]


def __getattr__(name: str):
    """What needs fastai is imported when it is asked for: commands look at a folder in milliseconds."""
    if name in __all__:
        from helpers.camvid import lesson

        return getattr(lesson, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
