"""Lesson 04: a U-Net on CamVid, with fastai."""

import warnings

# fastai compiles two activations at import with torch.jit.script, which torch 2.15 calls deprecated: not our readers'
# concern.
warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", FutureWarning)
