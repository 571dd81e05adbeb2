"""What the notebook hands to fastai: random crops as a transform of pairs."""

import numpy as np
from fastai.vision.all import ItemTransform, PILImage, PILMask

from helpers.road_surface.train import crop


class RandomCrop(ItemTransform):
    """A random crop of picture and mask alike, in another light, see `train.crop`; validation frames stay whole.

    Args:
        size: (height, width) of the crop.
        balanced: share of the crops that show a rare class near their middle.
        seed: of all this.
    """

    split_idx = 0  # fastai's number of the training set

    def __init__(self, size: tuple[int, int], *, balanced: float = 0.0, seed: int = 0):
        super().__init__()
        self.size, self.balanced, self.rng = size, balanced, np.random.default_rng(seed)

    def encodes(self, pair):  # untyped: fastai looks for a function by type, and sends a list
        """From a picture and its mask, as fastai holds them, to the crop and its mask."""
        image, mask = (np.asarray(part) for part in pair)
        image, mask = crop(image, mask, size=self.size, rng=self.rng, balanced=self.balanced)
        return PILImage.create(image), PILMask.create(mask)
