"""What a frame of a segmented video looks like: map, overlay or both, above a strip that names the colours."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from helpers.labels import LabelSet
from helpers.masks import colorize, overlay

VIEWS = ("overlay", "map", "side")
MAX_ROWS = 4  # of the legend
ROW, SQUARE, GAP = 18, 12, 8  # pixels


class FrameView:
    """Draws frames of one video, all with the same layout.

    The legend names every class of a label set that fits into four rows; of a longer one (ADE20K) the classes in the
    order in which they first appear.

    Args:
        label_set: gives colours, names and the ignore id.
        view: "overlay" (colours over the picture), "map" (colours alone), "side" (picture, then overlay).
        palette: "official" or "colorblind".
        alpha: how strongly the overlay is coloured, 0 … 1.
        legend: whether to add the strip.
    """

    def __init__(
        self,
        label_set: LabelSet,
        *,
        view: str = "overlay",
        palette: str = "official",
        alpha: float = 0.5,
        legend: bool = True,
    ):
        if view not in VIEWS:
            raise ValueError(f"unknown view {view!r}; choose one of {', '.join(VIEWS)}")
        self.label_set, self.view, self.alpha, self.legend = label_set, view, alpha, legend
        self.palette = label_set.palette(palette)
        self._strip: np.ndarray | None = None

    def __call__(self, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Draw one frame.

        Args:
            image: (H, W, 3) uint8 RGB.
            mask: (H, W) integer ids of the label set, of the picture's size.

        Returns:
            (H + strip, W, 3) uint8 RGB, twice as wide for "side".
        """
        if self.view == "map":
            drawn = colorize(mask, self.palette)
        else:
            ignore = self.label_set.ignore_index
            drawn = overlay(image, mask, self.palette, alpha=self.alpha, ignore_index=ignore)
        if self.view == "side":
            drawn = np.hstack([image, drawn])
        return np.vstack([drawn, self._legend(drawn.shape[1], mask)]) if self.legend else drawn

    def _legend(self, width: int, mask: np.ndarray) -> np.ndarray:
        """The strip below; drawn again only when a class of a long label set appears for the first time."""
        if self._strip is None:
            ids = [i for i in range(self.label_set.num_classes) if i != self.label_set.ignore_index]
            needed = 1 + max(row for _, row in _places(self._names(ids), width))
            self._rows = min(MAX_ROWS, needed)
            self._complete = needed <= MAX_ROWS
            self._ids = ids if self._complete else []
            self._strip = self._draw_legend(width)
        if not self._complete:
            present = np.flatnonzero(np.bincount(mask.ravel())[: self.label_set.num_classes])
            new = [int(i) for i in present if i not in self._ids and i != self.label_set.ignore_index]
            if new:
                self._ids += new
                self._strip = self._draw_legend(width)
        return self._strip

    def _names(self, ids: Sequence[int]) -> list[str]:
        return [self.label_set.class_names[i] for i in ids]

    def _draw_legend(self, width: int) -> np.ndarray:
        """A white strip with a coloured square and the name for each class, as far as the rows reach."""
        strip = Image.new("RGB", (width, self._rows * ROW + 4), "white")
        pen = ImageDraw.Draw(strip)
        names = self._names(self._ids)
        for i, name, (x, row) in zip(self._ids, names, _places(names, width), strict=True):
            y = row * ROW + 2
            pen.rectangle((x, y + 2, x + SQUARE, y + 2 + SQUARE), fill=tuple(self.palette[i].tolist()), outline="gray")
            pen.text((x + SQUARE + 4, y + ROW / 2), name, fill="black", font=_font(), anchor="lm")
        return np.asarray(strip)


def _places(names: Sequence[str], width: int) -> list[tuple[int, int]]:
    """Where each legend entry goes, (x in pixels, row), written like words into lines of a width."""
    places, x, row = [], GAP, 0
    for name in names:
        needed = SQUARE + 4 + round(_font().getlength(name)) + GAP
        if x > GAP and x + needed > width:
            x, row = GAP, row + 1
        places.append((x, row))
        x += needed
    return places


@lru_cache
def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size=12)
