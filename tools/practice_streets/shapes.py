"""Meshes as arrays: a Shape collects vertices and faces; each face knows its material, colour and fine class.

Lengths are metres, z is up, a thing's front looks along +y and its foot stands at z = 0. Nothing here needs Blender.
"""

from dataclasses import dataclass, field

import numpy as np

from tools.practice_streets.classes import FINE_IDS

Colour = tuple[float, float, float] | np.ndarray


class Shape:
    """A growing mesh of polygons."""

    def __init__(self) -> None:
        self._blocks: list[tuple] = []  # (verts (n, 3), faces (m, k), material, fine id, colours (m, 3))

    def add(self, verts, faces, material: str, part: str, colour: Colour) -> "Shape":
        """Adds faces (m, k) over new verts (n, 3); colour is linear RGB, one for all or one a face (m, 3)."""
        faces = np.asarray(faces, np.int64)
        if len(faces):
            colours = np.broadcast_to(np.asarray(colour, float), (len(faces), 3))
            self._blocks.append((np.asarray(verts, float), faces, material, FINE_IDS[part], colours))
        return self

    def join(self, other: "Shape", at=(0, 0, 0), turn: float = 0.0, scale: float = 1.0) -> "Shape":
        """Adds another shape, scaled, turned about z (radians, counter-clockwise) and moved."""
        turned = rotation(turn) * scale
        self._blocks += [(verts @ turned.T + at, *rest) for verts, *rest in other._blocks]
        return self

    def relabelled(self, part: str, material: str | None = None) -> "Shape":
        """The same faces as another fine class, and of another material where one is given."""
        other, fine_id = Shape(), FINE_IDS[part]
        other._blocks = [(v, f, material or old, fine_id, colours) for v, f, old, _, colours in self._blocks]
        return other

    def bent(self, move) -> "Shape":
        """The same faces over moved vertices: move takes and gives (n, 3)."""
        other = Shape()
        other._blocks = [(move(verts), *rest) for verts, *rest in self._blocks]
        return other

    def quad(self, corners, material: str, part: str, colour: Colour) -> "Shape":
        """One flat four-cornered face, corners counter-clockwise as seen."""
        return self.add(corners, [[0, 1, 2, 3]], material, part, colour)

    def box(self, foot, size, material: str, part: str, colour: Colour, *, turn=0.0, taper=1.0, shear=0.0) -> "Shape":
        """An upright box on the middle of its foot; the top is tapered and sheared along y by factors of its size."""
        half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.asarray(size[:2]) / 2
        top = half * taper + [0, shear]
        verts = np.vstack([np.c_[half, np.zeros(4)], np.c_[top, np.full(4, size[2])]])
        return self.add(verts @ rotation(turn).T + foot, _BOX_FACES, material, part, colour)

    def tubes(self, starts, ends, radii, end_radii, material: str, part: str, colour: Colour, *, sides=8, caps=False):
        """Straight tubes, many at once: starts and ends (n, 3), radii one or n."""
        starts, ends = np.atleast_2d(np.asarray(starts, float)), np.atleast_2d(np.asarray(ends, float))
        n = len(starts)
        axis = ends - starts
        axis /= np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-9)
        helper = np.where(np.abs(axis[:, 2:]) > 0.9, [[1.0, 0, 0]], [[0, 0, 1.0]])
        u = np.cross(helper, axis)
        u /= np.linalg.norm(u, axis=1, keepdims=True)
        v = np.cross(axis, u)
        angle = np.arange(sides) * 2 * np.pi / sides
        ring = u[:, None] * np.cos(angle)[:, None] + v[:, None] * np.sin(angle)[:, None]
        low = starts[:, None] + ring * np.broadcast_to(radii, n)[:, None, None]
        high = ends[:, None] + ring * np.broadcast_to(end_radii, n)[:, None, None]
        verts = np.concatenate([low, high], axis=1).reshape(-1, 3)
        i = np.arange(sides)
        j = (i + 1) % sides
        side = np.stack([i, j, j + sides, i + sides], axis=1)
        offsets = (np.arange(n) * 2 * sides)[:, None, None]
        colour = np.asarray(colour, float)
        per_face = np.repeat(colour, sides, axis=0) if colour.ndim == 2 else colour
        self.add(verts, (side + offsets).reshape(-1, 4), material, part, per_face)
        if caps:
            ends_of_tube = np.stack([i[::-1], i + sides])
            per_cap = np.repeat(colour, 2, axis=0) if colour.ndim == 2 else colour
            self.add(verts, (ends_of_tube + offsets).reshape(-1, sides), material, part, per_cap)
        return self

    def rod(self, start, end, radius, material: str, part: str, colour: Colour, *, end_radius=None, sides=8) -> "Shape":
        """One closed tube."""
        end_radius = radius if end_radius is None else end_radius
        return self.tubes(start, end, radius, end_radius, material, part, colour, sides=sides, caps=True)

    def path(self, points, radius, material: str, part: str, colour: Colour, *, sides=6) -> "Shape":
        """A tube along points (n, 3)."""
        points = np.asarray(points, float)
        return self.tubes(points[:-1], points[1:], radius, radius, material, part, colour, sides=sides)

    def loft(self, rings, material: str, part: str, colour: Colour, *, caps=True) -> "Shape":
        """A skin over rings (n, k, 3), each a closed loop."""
        rings = np.asarray(rings, float)
        n, k, _ = rings.shape
        faces = loft_faces(n, k).reshape(-1, 4)
        self.add(rings.reshape(-1, 3), faces, material, part, colour)
        if caps:
            self.add(rings[0], [np.arange(k)[::-1]], material, part, np.atleast_2d(colour)[0])
            self.add(rings[-1], [np.arange(k)], material, part, np.atleast_2d(colour)[-1])
        return self

    def ball(self, centre, radii, material: str, part: str, colour: Colour, *, rings=6, sides=10) -> "Shape":
        """An ellipsoid."""
        tilt = np.linspace(-np.pi / 2, np.pi / 2, rings + 1)
        angle = np.arange(sides) * 2 * np.pi / sides
        across, up = np.maximum(np.cos(tilt), 0.02)[:, None], np.sin(tilt)[:, None]
        unit = np.stack([across * np.cos(angle), across * np.sin(angle), np.broadcast_to(up, (rings + 1, sides))], -1)
        return self.loft(unit * radii + centre, material, part, colour)

    def arrays(self) -> dict[str, np.ndarray | list[str]]:
        """The whole mesh.

        Returns:
            verts (n, 3), loops (l,), starts (m,), part (m,) fine ids, colour (m, 3), uv (l, 2) in metres on each
            face's own plane, material (m,) indices into `materials`.
        """
        verts, loops, starts, part, colour, material, uv = [], [], [], [], [], [], []
        names: list[str] = []
        n_verts = n_loops = 0
        for block_verts, faces, name, fine_id, colours in self._blocks:
            if name not in names:
                names.append(name)
            m, k = faces.shape
            verts.append(block_verts)
            loops.append((faces + n_verts).ravel())
            starts.append(n_loops + np.arange(m) * k)
            part.append(np.full(m, fine_id))
            colour.append(colours)
            material.append(np.full(m, names.index(name)))
            uv.append(_plane_uv(block_verts[faces]).reshape(-1, 2))
            n_verts, n_loops = n_verts + len(block_verts), n_loops + m * k
        joined = {"verts": verts, "loops": loops, "starts": starts, "part": part, "colour": colour, "uv": uv}
        joined = {key: np.concatenate(value) for key, value in joined.items()}
        return {**joined, "material": np.concatenate(material), "materials": names}


@dataclass
class Thing:
    """A shape standing in the world; things that share a shape are drawn from one mesh.

    `envelope` is what a person would outline when labelling something that one can look through (a bare crown, the
    wheels of a bicycle, railings): only the label pass sees it.
    """

    shape: Shape
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn: float = 0.0
    scale: float = 1.0
    countable: bool = False
    envelope: Shape | None = None
    speed: float = 0.0  # metres a second along its own front
    lamps: list = field(default_factory=list)  # ((x, y, z), watts, colour) in its own frame


def rotation(turn: float) -> np.ndarray:
    """The 3×3 matrix that turns about z by `turn` radians, counter-clockwise."""
    c, s = np.cos(turn), np.sin(turn)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def loft_faces(n: int, k: int) -> np.ndarray:
    """Faces (n - 1, k, 4) between n rings of k points."""
    i = np.arange(k)
    side = np.stack([i, (i + 1) % k, (i + 1) % k + k, i + k], axis=1)
    return side + (np.arange(n - 1) * k)[:, None, None]


def _plane_uv(corners: np.ndarray) -> np.ndarray:
    """Metres along and up the plane of each face: corners (m, k, 3) → (m, k, 2)."""
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    along = np.stack([-normal[:, 1], normal[:, 0], np.zeros(len(normal))], axis=1)
    length = np.linalg.norm(along, axis=1, keepdims=True)
    flat = length[:, 0] < 0.2 * np.linalg.norm(normal, axis=1)
    along = np.where(flat[:, None], [[1.0, 0, 0]], along / np.maximum(length, 1e-12))
    up = np.cross(normal, along)
    up /= np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-12)
    return np.stack([np.einsum("mkc,mc->mk", corners, along), np.einsum("mkc,mc->mk", corners, up)], axis=-1)


_BOX_FACES = [[3, 2, 1, 0], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]]
