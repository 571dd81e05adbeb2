"""Road surfaces drawn from above: what each square centimetre is, its colour, its roughness and its height.

Everything is numpy, seen straight from above: rows run along the road, columns across it. Blender then lays the drawing
on the ground, so a label is exact by construction: the same map that colours a pothole says that it is one.
"""

from dataclasses import dataclass

import cv2
import numpy as np

BACKGROUND, ASPHALT, PAVED, UNPAVED, MARKING, BUMP, CATS_EYE, DRAIN, MANHOLE, PATCH, PUDDLE, POTHOLE, CRACK = range(13)
PAVEMENTS = {"asphalt": ASPHALT, "paved": PAVED, "unpaved": UNPAVED}
PIXEL = 0.015  # metres

WHITE, YELLOW = (0.55, 0.55, 0.52), (0.55, 0.36, 0.04)


def noise(rng: np.random.Generator, shape: tuple[int, int], cell: float | tuple[float, float], octaves=1) -> np.ndarray:
    """Smooth noise (H, W) float32 with a standard deviation near 1; cell is its grain in metres (along, across)."""
    cell = np.broadcast_to(cell, 2).astype(float)
    total, weight = np.zeros(shape, np.float32), 0.0
    for octave in range(octaves):
        grid = [max(2, int(np.ceil(n * PIXEL / c)) + 1) for n, c in zip(shape, np.maximum(cell, PIXEL), strict=True)]
        layer = rng.standard_normal(grid, dtype=np.float32)
        total += cv2.resize(layer, shape[::-1], interpolation=cv2.INTER_CUBIC) * 0.55**octave
        weight, cell = weight + 0.55 ** (2 * octave), cell / 2
    return total / np.sqrt(weight)


@dataclass
class Surface:
    """A stretch of road as maps of equal size, drawn from a seed.

    Attributes:
        classes: (H, W) uint8 RTK ids.
        colour: (H, W, 3) float32 linear albedo.
        rough: (H, W) float32 roughness, 0 a mirror.
        height: (H, W) float32 metres.
        half: half the carriageway's width, metres; what lies outside is verge.
    """

    rng: np.random.Generator
    length: float
    half: float
    verge: float
    wet: bool = False

    def __post_init__(self) -> None:
        shape = round(self.length / PIXEL), round(2 * (self.half + self.verge) / PIXEL)
        self.classes = np.zeros(shape, np.uint8)
        self.colour = np.zeros((*shape, 3), np.float32)
        self.rough = np.full(shape, 0.9, np.float32)
        self.height = np.zeros(shape, np.float32)
        self.along = (np.arange(shape[0], dtype=np.float32)[:, None] + 0.5) * PIXEL
        self.across = (np.arange(shape[1], dtype=np.float32)[None] + 0.5) * PIXEL - self.half - self.verge
        self.worn = noise(self.rng, shape, 0.35, 4)
        self.cats_eyes: list[tuple[float, float]] = []  # (along, across); they stand up, so they aren't on the map
        self._grass()

    def _noise(self, cell, octaves=1) -> np.ndarray:
        return noise(self.rng, self.classes.shape, cell, octaves)

    def _grass(self) -> None:
        tone = 1 + 0.3 * self._noise(0.6, 4) + 0.25 * self._noise(0.025)
        earth = np.clip(0.5 + 0.9 * self._noise(0.8, 3) - 2.0 * (np.abs(self.across) - self.half), 0, 1)[..., None]
        green, brown = np.float32((0.075, 0.1, 0.03)), np.float32((0.17, 0.12, 0.075))
        self.colour[:] = (green * (1 - earth) + brown * earth) * np.clip(tone, 0.25, 2)[..., None]
        self.height += 0.02 * self._noise(0.15, 3)

    # --- the three pavements ---

    def pave(self, kind: str, start: float, end: float, tint=(1.0, 1.0, 1.0)) -> None:
        """Lay a pavement from start to end (metres along); its edge is ragged where there is no kerb."""
        ragged = 0.0 if self.verge == 0 else {"asphalt": 0.07, "paved": 0.05, "unpaved": 0.16}[kind]
        edge = self.half + ragged * noise(self.rng, self.classes.shape, (1.2, 50), 4)
        inside = (np.abs(self.across) < edge) & (self.along >= start) & (self.along < end)
        colour, rough, height = getattr(self, f"_{kind}")()
        if self.wet:
            damp = np.clip(0.55 + 0.35 * self._noise(1.8, 3), 0, 1)
            colour, rough = colour * (1 - 0.5 * damp[..., None]), rough - 0.42 * damp
        dusty = np.clip(1 - (self.half - np.abs(self.across)) / 0.5 + 0.4 * self._noise(0.4, 2), 0, 1)[..., None] * 0.45
        colour = colour * (1 - dusty) + np.float32((0.15, 0.125, 0.095)) * dusty
        self.classes[inside] = PAVEMENTS[kind]
        self.colour[inside] = (colour * np.float32(tint))[inside]
        self.rough[inside] = rough[inside]
        self.height[inside] = height[inside]

    def _wheels(self, width=0.25) -> np.ndarray:
        """1 where wheels roll, fading to 0 within `width` metres: two tracks in each of two lanes."""
        lane = self.half / 2
        tracks = [side * lane + wheel * 0.75 for side in (-1, 1) for wheel in (-1, 1)]
        wander = 0.12 * noise(self.rng, self.classes.shape, (12, 50))
        near = [np.exp(-(((self.across - t + wander) / width) ** 2)) for t in tracks]
        return np.max(near, axis=0)

    def _asphalt(self):
        age = self.rng.uniform(0.06, 0.15)
        grain, stain = self._noise(PIXEL), self._noise((5, 1.2), 4)
        oil = np.exp(-(((np.abs(self.across) - self.half / 2) / 0.3) ** 2)) * np.clip(
            0.5 + self._noise((3, 0.4), 2), 0, 1
        )
        tone = age * (1 + 0.3 * grain + 0.16 * self._noise(0.04) + 0.14 * stain + 0.14 * self._wheels() - 0.3 * oil)
        colour = np.clip(tone, 0.015, 0.5)[..., None] * np.float32((1.02, 1.0, 0.97))
        return colour, 0.85 - 0.1 * self._wheels(), 0.0012 * grain + 0.006 * self._noise(1.5, 2)

    def _paved(self):
        """Hewn stones in rows across the road, each with its own tone, rounded at the joints."""
        shape = self.classes.shape
        long, deep = (self.rng.uniform(0.17, 0.24), self.rng.uniform(0.12, 0.17))
        rows_at = self.along + 0.02 * noise(self.rng, shape, (0.8, 0.35), 2) + 0.03 * self._noise((3, 2))
        row = np.floor(rows_at / deep).astype(int)
        row -= row.min()
        shift = self.rng.uniform(0, 1, row.max() + 1)[row]
        columns = (self.across + 0.012 * noise(self.rng, shape, 0.12)) / long + shift + 50
        column = np.floor(columns).astype(int)
        stones = self.rng.standard_normal((row.max() + 1, column.max() + 1), dtype=np.float32)[row, column]
        gap = np.minimum(
            np.minimum(rows_at % deep, deep - rows_at % deep), np.minimum(columns % 1, 1 - columns % 1) * long
        )
        joint = np.clip(1 - gap / (0.016 + 0.006 * np.abs(self.worn)), 0, 1)
        tone = self.rng.uniform(0.13, 0.2) * (
            1 + 0.2 * stones + 0.12 * self._noise(0.03, 2) + 0.12 * self._noise(2.5, 3)
        )
        stone = np.clip(tone, 0.03, 0.6)[..., None] * np.float32((1.03, 1.0, 0.95))
        moss = np.clip(0.5 + 0.6 * self._noise(1.2, 2), 0, 1)[..., None]
        filling = np.float32((0.06, 0.05, 0.035)) * (1 - moss) + np.float32((0.045, 0.06, 0.02)) * moss
        colour = stone * (1 - joint[..., None]) + filling * joint[..., None]
        height = -0.016 * joint**2 + 0.004 * stones + 0.02 * self._noise(1.6, 2) - 0.015 * self._wheels(0.4)
        return colour, 0.75 + 0.15 * joint, height.astype(np.float32)

    def _unpaved(self):
        """Trodden earth with stones, ruts under the wheels and looser gravel between them."""
        wheels = self._wheels(0.35)
        soil = np.float32([(0.3, 0.165, 0.085), (0.27, 0.2, 0.125), (0.24, 0.15, 0.09)][self.rng.integers(3)])
        tone = (
            1
            + 0.16 * self._noise(0.5, 4)
            + 0.14 * self._noise(0.03, 2)
            + 0.12 * self._noise((8, 1.0), 3)
            + 0.14 * wheels
        )
        colour = soil * np.clip(tone, 0.3, 2)[..., None]
        pebbles = self._noise(0.035) + 0.5 * self._noise(0.6, 2) - 0.5 * wheels
        stones = np.clip((pebbles - 1.55) * 4, 0, 1)
        grey = np.float32((0.3, 0.28, 0.25)) * np.clip(1 + 0.4 * self._noise(0.05), 0.4, 1.8)[..., None]
        colour = colour * (1 - 0.8 * stones[..., None]) + grey * 0.8 * stones[..., None]
        height = 0.012 * stones - 0.035 * wheels + 0.018 * self._noise(0.35, 4) + 0.02 * self._noise((1.2, 3), 2)
        return colour, np.full_like(wheels, 0.95), height.astype(np.float32)

    # --- what lies on them ---

    def _window(self, s: float, x: float, reach_s: float, reach_x: float):
        """The part of the maps about (s, x) and metres along and across from there."""
        rows = slice(max(0, int((s - reach_s) / PIXEL)), max(0, int((s + reach_s) / PIXEL) + 1))
        left = x + self.half + self.verge
        columns = slice(max(0, int((left - reach_x) / PIXEL)), max(0, int((left + reach_x) / PIXEL) + 1))
        return (rows, columns), self.along[rows] - s, self.across[:, columns] - x

    def free(self, s: float, x: float, reach_s: float, reach_x: float, *, earth=False) -> bool:
        """Whether nothing but pavement and paint lies there; `earth` also allows an unpaved road."""
        if abs(x) + reach_x > self.half + 0.05 or s + reach_s > self.length:
            return False
        part = self.classes[self._window(s, x, reach_s, reach_x)[0]]
        return part.size > 0 and np.isin(part, (ASPHALT, PAVED, MARKING, UNPAVED)[: 3 + earth]).all()

    def pavement(self, s: float) -> str:
        """The kind of pavement at s metres along."""
        row = self.classes[min(int(s / PIXEL), len(self.classes) - 1)]
        shares = {kind: (row == label).sum() for kind, label in PAVEMENTS.items()}
        return max(shares, key=shares.get)

    def lay(
        self, where, cover: np.ndarray, label: int | None, *, colour=None, rough=None, sink=None, flat=None
    ) -> None:
        """Cover part of the maps; `cover` (h, w) is 0 … 1, and from a half on the class changes.

        Args:
            where: slices of a window.
            label: class id, None to leave it.
            colour: linear albedo, one or (h, w, 3).
            rough: roughness.
            sink: metres added to the height.
            flat: height that replaces the relief.
        """
        cover = np.broadcast_to(cover, self.classes[where].shape).astype(np.float32)
        if colour is not None:
            self.colour[where] += cover[..., None] * (np.asarray(colour, np.float32) - self.colour[where])
        if rough is not None:
            self.rough[where] += cover * (rough - self.rough[where])
        if sink is not None:
            self.height[where] += cover * sink
        if flat is not None:
            self.height[where] += cover * (flat - self.height[where])
        if label is not None:
            part = self.classes[where]
            part[(cover > 0.5) & (part > 0)] = label

    def _blob(self, ds, dx, along: float, across: float, ragged=0.22) -> np.ndarray:
        """How deep inside a ragged ellipse each point lies: 1 in the middle, 0 on the edge, negative outside."""
        angle = np.arctan2(ds / along, dx / across)
        outline = 1 + sum(
            ragged / k * self.rng.normal(0, 0.7) * np.cos(k * angle + self.rng.uniform(0, 6.28))
            for k in (2, 3, 5, 8, 13)
        )
        return 1 - np.sqrt((ds / along) ** 2 + (dx / across) ** 2) / np.maximum(outline, 0.3)

    def line(self, s0: float, s1: float, x: float, width=0.12, colour=WHITE) -> None:
        """A painted line along the road, worn in places."""
        self.paint((s0 + s1) / 2, x, s1 - s0, width, colour)

    def paint(self, s: float, x: float, along: float, across: float, colour=WHITE, label=MARKING) -> None:
        """A painted rectangle; where the paint has gone to over a half it is no marking any more."""
        where, ds, dx = self._window(s, x, along / 2 + 0.02, across / 2 + 0.02)
        shape = (np.abs(ds) < along / 2) & (np.abs(dx) < across / 2)
        shape &= self.classes[where] > 0
        fresh = np.clip(1.15 - 0.45 * np.maximum(self.worn[where], 0) - 0.1 * np.abs(self.worn[where]), 0, 1)
        self.lay(
            where, shape * fresh, label, colour=np.float32(colour) * (1 + 0.06 * self.worn[where][..., None]), rough=0.6
        )

    def zebra(self, s: float) -> None:
        """A pedestrian crossing."""
        for x in np.arange(-self.half + 0.4, self.half - 0.3, 0.9):
            self.paint(s, x, 3.0, 0.42)

    def bump(self, s: float, *, colour=YELLOW) -> None:
        """A speed bump across the road, with slanting stripes."""
        long = self.rng.uniform(1.5, 2.2)
        where, ds, dx = self._window(s, 0, long / 2, self.half)
        swell = np.cos(np.clip(ds / long, -0.5, 0.5) * np.pi) ** 2 * (self.classes[where] > 0)
        self.height[where] += 0.1 * swell
        self.lay(where, np.where(swell > 0, 0.75, 0), BUMP, colour=(0.06, 0.06, 0.06))
        stripes = ((dx + ds * 0.8) % 0.9 < 0.45) & (swell > 0)
        fresh = np.clip(1.1 - 0.5 * np.maximum(self.worn[where], 0), 0, 1)
        self.lay(where, stripes * fresh, None, colour=colour, rough=0.6)

    def manhole(self, s: float, x: float) -> None:
        """An iron cover in its frame, a little below the surface."""
        r = self.rng.uniform(0.3, 0.36)
        where, ds, dx = self._window(s, x, r + 0.25, r + 0.25)
        d = np.sqrt(ds**2 + dx**2)
        self.lay(where, np.clip((r + 0.16 - d) / 0.03, 0, 1) * 0.7, None, colour=(0.09, 0.088, 0.085), flat=0.0)
        iron = np.float32((0.085, 0.07, 0.06)) * (1 + 0.3 * self.worn[where][..., None])
        self.lay(where, (d < r) * 1.0, MANHOLE, colour=iron, rough=0.45, flat=-0.012)
        ribs = ((ds % 0.07 < 0.03) ^ (dx % 0.07 < 0.03)) & (d < r * 0.82)
        self.lay(where, ribs * 1.0, None, colour=iron * 1.7, sink=0.006)
        self.lay(where, ((d < r) & (d > r * 0.86)) * 1.0, None, colour=(0.03, 0.027, 0.025), sink=-0.006)

    def drain(self, s: float, side: int) -> None:
        """A grating at the road's edge."""
        along, across = self.rng.uniform(0.8, 1.0), self.rng.uniform(0.4, 0.5)
        x = side * (self.half - across / 2 - 0.08)
        where, ds, dx = self._window(s, x, along / 2 + 0.1, across / 2 + 0.1)
        frame = (np.abs(ds) < along / 2) & (np.abs(dx) < across / 2)
        self.lay(where, (np.abs(ds) < along / 2 + 0.09) * 0.8, None, colour=(0.22, 0.21, 0.2), flat=-0.015)
        self.lay(where, frame * 1.0, DRAIN, colour=(0.13, 0.11, 0.1), rough=0.5, flat=-0.02)
        slots = frame & (ds % 0.09 < 0.052) & (np.abs(dx) < across / 2 - 0.05)
        self.lay(where, slots * 1.0, None, colour=(0.006, 0.006, 0.006), rough=0.9, sink=-0.08)

    def patch(self, s: float, x: float, along: float, across: float) -> None:
        """A mended place: newer asphalt with a sealed edge."""
        where, ds, dx = self._window(s, x, along / 2 + 0.1, across / 2 + 0.1)
        wobble = 0.035 * self.worn[where]
        inside = np.minimum(along / 2 - np.abs(ds), across / 2 - np.abs(dx)) + wobble
        tone = self.rng.choice([0.035, 0.045, 0.19]) * (1 + 0.25 * self.rng.standard_normal(inside.shape, np.float32))
        self.lay(where, np.clip(inside / 0.02, 0, 1), PATCH, colour=tone[..., None] * np.ones(3), rough=0.8, flat=0.012)
        seam = np.exp(-((inside / 0.02) ** 2))
        self.lay(where, seam * 0.8, None, colour=(0.012, 0.012, 0.013), rough=0.5)

    def pothole(self, s: float, x: float, along: float, across: float) -> None:
        """A hole with a broken rim and loose stones in it."""
        where, ds, dx = self._window(s, x, along * 1.6, across * 1.6)
        deep = self._blob(ds, dx, along, across) + 0.05 * self.worn[where]
        base = self.classes[where][self.classes[where] > 0]
        earth = len(base) and np.bincount(base).argmax() == UNPAVED
        fill = np.float32((0.19, 0.135, 0.085) if earth else (0.13, 0.115, 0.095))
        gravel = 1 + 0.45 * self.rng.standard_normal(deep.shape, np.float32)
        shade = np.clip(gravel, 0.3, 2) * (1 - 0.45 * np.clip(deep * 2, 0, 1))
        self.lay(where, np.clip(deep * 9, 0, 1), POTHOLE, colour=fill * shade[..., None], rough=0.95)
        self.height[where] -= 0.085 * np.clip(deep * 2.2, 0, 1) - 0.012 * np.clip(deep * 4, 0, 1) * (gravel - 1)
        self.lay(where, np.exp(-((deep / 0.05) ** 2)) * 0.6, None, colour=fill * 0.35)

    def puddle(self, s: float, x: float, along: float, across: float) -> None:
        """Standing water with a damp rim; the water lies flat and mirrors the sky."""
        where, ds, dx = self._window(s, x, along * 1.7, across * 1.7)
        deep = self._blob(ds, dx, along, across, 0.3) + 0.06 * self.worn[where]
        damp = np.clip(1 + deep * 4, 0, 1) * 0.75
        self.lay(where, damp, None, colour=self.colour[where] * 0.45, rough=0.45)
        muddy = (
            np.float32((0.085, 0.06, 0.04)) if (self.classes[where] == UNPAVED).mean() > 0.5 else (0.03, 0.03, 0.028)
        )
        self.lay(where, np.clip(deep * 20, 0, 1), PUDDLE, colour=muddy, rough=0.02, flat=-0.03)

    def crack(self, s: float, x: float, *, along: float, across: float) -> None:
        """A crack that wanders from (s, x) by so many metres, with twigs; the label is a hand's breadth wide."""
        steps = max(8, int(np.hypot(along, across) / 0.12))
        walk = np.cumsum(self.rng.normal(0, 0.035, (steps, 2)), axis=0)
        path = np.array([s, x]) + np.linspace(0, 1, steps)[:, None] * (along, across) + walk
        paths = [path]
        for _ in range(self.rng.integers(1, 4)):
            start = path[self.rng.integers(steps)]
            paths.append(start + np.cumsum(self.rng.normal(0, 0.06, (self.rng.integers(4, 12), 2)), axis=0))
        self._crack(paths, 0.05)

    def crazing(self, s: float, x: float, along: float, across: float) -> None:
        """A field of cracks like an alligator's skin."""
        where, ds, dx = self._window(s, x, along * 1.4, across * 1.4)
        inside = (self._blob(ds, dx, along, across) > 0) & (self.classes[where] == ASPHALT)
        seeds = self.rng.uniform(
            (-along * 1.4, -across * 1.4), (along * 1.4, across * 1.4), (int(along * across * 110), 2)
        )
        free = np.full(inside.shape, 255, np.uint8)
        rows, columns = ((seeds + (along * 1.4, across * 1.4)) / PIXEL).astype(int).T
        keep = (rows < free.shape[0]) & (columns < free.shape[1])
        free[rows[keep], columns[keep]] = 0
        _, cells = cv2.distanceTransformWithLabels(free, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        edge = cv2.morphologyEx(cells.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((2, 2))) > 0
        self.lay(where, inside * 0.35, None, colour=self.colour[where] * 0.8)
        self.lay(where, (edge & inside) * 0.9, None, colour=(0.012, 0.011, 0.01), sink=-0.012)
        self.lay(where, inside * 0.51, CRACK)

    def _crack(self, paths, reach: float) -> None:
        for path in paths:
            dots = ((path + (0, self.half + self.verge)) / PIXEL).astype(np.int32)[:, ::-1]
            line, wide = np.zeros(self.classes.shape, np.uint8), np.zeros(self.classes.shape, np.uint8)
            cv2.polylines(line, [dots], False, 1, int(self.rng.integers(1, 4)))
            cv2.polylines(wide, [dots], False, 1, round(2 * reach / PIXEL))
            line, wide = (line > 0) & (self.classes == ASPHALT), (wide > 0) & (self.classes == ASPHALT)
            self.colour[line], self.height[line] = (0.012, 0.011, 0.01), self.height[line] - 0.015
            self.colour[wide] *= 0.88
            self.classes[wide] = CRACK
