"""Lesson 06: thirteen classes of road surface, some of them in one pixel of ten thousand."""

import warnings

# fastai compiles two activations at import with torch.jit.script, which torch 2.15 calls deprecated: not our readers'
# concern.
warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", FutureWarning)
