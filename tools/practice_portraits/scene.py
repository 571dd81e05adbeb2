"""One person as a Blender scene: skin, eyes, hair strand by strand, clothes, glasses, hats, light."""

import math

import bpy
import numpy as np
from mathutils import Matrix, Vector
from mathutils.bvhtree import BVHTree
from PIL import Image

from tools.practice_portraits import bodies
from tools.practice_portraits.people import Person

STRAND_POINTS = 10


def build(person: Person, rng: np.random.Generator) -> None:
    """Make the present scene empty, and put the person in it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    mesh = bodies.base_mesh()
    rest = bodies.shaped(**person.shape)
    turns = {}
    for side, pose in person.arms.items():
        turns |= bodies.arm(rest, side, **pose)
    for bone, (axis, degrees) in person.turns.items():
        turns[bone] = bodies.turned(axis, degrees) @ turns.get(bone, np.eye(3))
    vertices, moves = bodies.posed(rest, turns)
    clothes = _clothes(person, rest, vertices, rng)
    body = mesh.groups == "body"
    hidden = np.isin(mesh.quads, clothes["covered"]).all(1)
    skin = _mesh("skin", vertices, mesh.quads[body & ~hidden])
    _paint_skin(skin, person, rest)
    _teeth(vertices)
    for side in "LR":
        _eye(rest, moves[f"eye.{side}"], side, person)
    tree = BVHTree.FromPolygons([Vector(v) for v in vertices], mesh.quads[body].tolist())
    head = moves["head"]
    _hair(person, rest, vertices, head, tree, rng)
    if person.glasses:
        _glasses(person, rest, head)
    if person.hat:
        _hat(person, rest, head)


def _move(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def _mesh(name: str, vertices: np.ndarray, faces: np.ndarray, *, smooth: bool = True, levels: int = 1):
    """A mesh object of the faces, without the vertices that they don't need; keeps their former ids as attribute."""
    used, compact = np.unique(faces, return_inverse=True)
    data = bpy.data.meshes.new(name)
    data.from_pydata(vertices[used].tolist(), [], compact.reshape(faces.shape).tolist())
    if smooth:
        data.shade_smooth()
    data["ids"] = used.astype(np.int32)
    thing = bpy.data.objects.new(name, data)
    bpy.context.collection.objects.link(thing)
    if levels:
        subdivision = thing.modifiers.new("smooth", "SUBSURF")
        subdivision.levels = subdivision.render_levels = levels
    return thing


def _material(
    name: str,
    colour,
    *,
    roughness: float = 0.6,
    attribute: str | None = None,
    bump: float = 0.0,
    scale: float = 60.0,
    **inputs,
):
    """A principled material whose colour is given, or an attribute of the mesh; with noise as bumps."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1)
    shader.inputs["Roughness"].default_value = roughness
    for key, value in inputs.items():
        shader.inputs[key.replace("_", " ")].default_value = value
    if attribute:
        source = nodes.new("ShaderNodeAttribute")
        source.attribute_name = attribute
        links.new(source.outputs["Color"], shader.inputs["Base Color"])
    if bump:
        noise, relief = nodes.new("ShaderNodeTexNoise"), nodes.new("ShaderNodeBump")
        noise.inputs["Scale"].default_value = scale
        noise.inputs["Detail"].default_value = 6
        relief.inputs["Strength"].default_value = bump
        relief.inputs["Distance"].default_value = 0.004
        links.new(noise.outputs["Fac"], relief.inputs["Height"])
        links.new(relief.outputs["Normal"], shader.inputs["Normal"])
    return material


def _dress(thing, material) -> None:
    thing.data.materials.append(material)


def _paint(thing, colours: np.ndarray) -> None:
    """Store (V, 3) linear colours with the mesh, under the name "paint"."""
    layer = thing.data.color_attributes.new("paint", "FLOAT_COLOR", "POINT")
    layer.data.foreach_set("color", np.concatenate([colours, np.ones((len(colours), 1))], 1).ravel())


def _lookup(name: str, uv: np.ndarray) -> np.ndarray:
    """MakeHuman's picture of where something lies on the skin, read at each vertex: (V,) 0..1."""
    picture = np.asarray(Image.open(bodies.data_folder() / "textures" / name).convert("L"), float) / 255
    rows = ((1 - uv[:, 1]) * (picture.shape[0] - 1)).round().astype(int).clip(0, picture.shape[0] - 1)
    columns = (uv[:, 0] * (picture.shape[1] - 1)).round().astype(int).clip(0, picture.shape[1] - 1)
    return picture[rows, columns]


def _paint_skin(skin, person: Person, rest: np.ndarray) -> None:
    ids = np.array(skin.data["ids"])
    uv = bodies.base_mesh().uv[ids]
    tone = np.array(person.skin)
    colours = np.tile(tone, (len(ids), 1))
    red = tone * np.array([1.05, 0.72, 0.70])
    for name, share in (("mpfb_face.jpg", 0.12), ("mpfb_ears.jpg", 0.45), ("mpfb_fingernails.jpg", 0.3)):
        part = (share * _lookup(name, uv))[:, None]
        colours = colours * (1 - part) + red * part
    lips = (0.8 * _lookup("mpfb_lips.jpg", uv))[:, None]
    colours = colours * (1 - lips) + np.array(person.lips) * lips
    scalp = _scalp(rest, 0.012)[ids][:, None] * (0.85 if person.hair["cover"] else 0)
    colours = colours * (1 - scalp) + np.array(person.hair["colour"]) * 0.7 * scalp
    _paint(skin, colours)
    _dress(
        skin,
        _material(
            "skin",
            tone,
            roughness=0.48,
            attribute="paint",
            bump=0.12,
            scale=180,
            Subsurface_Weight=0.25,
            Subsurface_Scale=0.01,
            IOR=1.4,
        ),
    )


def _teeth(vertices: np.ndarray) -> None:
    mesh = bodies.base_mesh()
    for name, colour in (
        ("upper-teeth", (0.75, 0.72, 0.65)),
        ("lower-teeth", (0.75, 0.72, 0.65)),
        ("tongue", (0.45, 0.12, 0.1)),
    ):
        thing = _mesh(name, vertices, mesh.quads[mesh.groups == f"helper-{name}"])
        _dress(thing, _material(name, colour, roughness=0.3))


def _eye(rest: np.ndarray, move: np.ndarray, side: str, person: Person) -> None:
    """A ball with iris and pupil where MakeHuman's eye is."""
    mesh = bodies.base_mesh()
    own = np.unique(mesh.quads[mesh.groups == f"helper-{side.lower()}-eye"])
    centre = rest[own].mean(0)
    radius = np.linalg.norm(rest[own] - centre, axis=1).mean()
    gaze = bodies.FRONT
    bpy.ops.mesh.primitive_uv_sphere_add(segments=64, ring_count=48, radius=1)
    ball = bpy.context.object
    unit = np.array([v.co for v in ball.data.vertices])
    angle = np.degrees(np.arccos(np.clip(unit @ gaze, -1, 1)))
    white, iris, black = np.array([0.72, 0.7, 0.68]), np.array(person.eyes), np.array([0.005] * 3)
    colours = np.where((angle < 12)[:, None], black, np.where((angle < 28)[:, None], iris, white))
    points = _move(centre + radius * unit, move)
    ball.data.vertices.foreach_set("co", points.ravel())
    ball.data.shade_smooth()
    _paint(ball, colours)
    _dress(ball, _material("eye", iris, roughness=0.12, attribute="paint"))


def _scalp(rest: np.ndarray, soft: float = 0.0) -> np.ndarray:
    """Where hair grows on the body at rest: (V,), 0 or 1, or in between near the hairline."""
    head, top = bodies.joint(rest, "head"), rest[:13380, 2].max()
    eyes = bodies.joint(rest, "eye.L")[2]
    size = top - eyes
    back = rest[:, 1] - head[1]  # positive behind
    # The hairline rises from the nape over the ears to the forehead.
    line = np.where(back > 0.03, eyes - 0.55 * size, np.where(back > -0.035, eyes + 0.18 * size, eyes + 0.60 * size))
    above = rest[:, 2] - line
    inside = np.clip(above / soft + 0.5, 0, 1) if soft else (above > 0).astype(float)
    return inside * (bodies.bone_shares("head", "temporalis", "neck03") > 0.4)


def _hair(person: Person, rest, vertices, head_move, tree, rng) -> None:
    mesh = bodies.base_mesh()
    body = mesh.quads[mesh.groups == "body"]
    style, colour = person.hair, np.array(person.hair["colour"])
    if style["cover"]:
        shut = _scalp(rest)[body].min(1) > 0
        if person.hat in ("beanie", "cap"):  # what shows below them
            shut &= rest[body][:, :, 2].max(1) < bodies.joint(rest, "eye.L")[2] + 0.035
        _strands("hair", body[shut], vertices, tree, rng, colour, style, person)
    eyes = [bodies.joint(rest, f"eye.{side}") for side in "LR"]
    centre = rest[body].mean(1)
    front = centre[:, 1] < bodies.joint(rest, "head")[1] - 0.05
    face = front & (
        bodies.bone_shares("head", "temporalis", "oculi", "orbicularis", "levator", "special")[body].min(1) > 0.3
    )
    brow = np.zeros(len(body), bool)
    for eye in eyes:
        dx = (centre[:, 0] - eye[0]) * np.sign(eye[0])
        arch = 0.0235 - 7.0 * (dx - 0.006) ** 2
        brow |= face & (np.abs(dx) < 0.026) & (np.abs(centre[:, 2] - eye[2] - arch) < 0.004)
    thin = {"length": 0.006, "curl": 0.0, "frizz": 0.05, "count": 260, "lift": 0.25, "part": 0.0, "thick": 0.00035}
    _strands("brows", body[brow], vertices, tree, rng, colour * 0.6, thin, person)
    if style["beard"]:
        mouth = bodies.joint(rest, "jaw", end="tail")
        chin = front & (centre[:, 2] < eyes[0][2] - 0.052) & (centre[:, 2] > mouth[2] - 0.035)
        lips = _lookup("mpfb_lips.jpg", mesh.uv)[body].max(1) > 0.05
        chin &= ~lips & (np.abs(centre[:, 0]) < 0.075) & (bodies.bone_shares("neck", "spine")[body].max(1) < 0.7)
        beard = {"length": style["beard"], "curl": 0.25, "frizz": 0.35, "count": 2000, "lift": 0.5, "part": 0.0}
        _strands("beard", body[chin], vertices, tree, rng, colour * 0.8, beard, person)


def _strands(name, faces, vertices, tree, rng, colour, style, person) -> None:
    """Hair as curves that grow from the faces, fall, curl, and lie on the body instead of running through it."""
    if not len(faces):
        return
    corners = vertices[faces]
    area = np.linalg.norm(np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]), axis=1)
    chosen = rng.choice(len(faces), style["count"], p=area / area.sum())
    u, v = rng.random((2, style["count"], 1))
    c = corners[chosen]
    roots = (c[:, 0] * (1 - u) + c[:, 1] * u) * (1 - v) + (c[:, 3] * (1 - u) + c[:, 2] * u) * v
    normal = np.cross(c[:, 2] - c[:, 0], c[:, 3] - c[:, 1])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    length = style["length"] * rng.uniform(0.75, 1.1, (style["count"], 1))
    step = length / (STRAND_POINTS - 1)
    aside = np.where(roots[:, :1] > style["part"], 1.0, -1.0) * np.array([1, 0, 0])
    back = np.array([0, 1.0, 0])
    direction = normal * style["lift"] + 0.45 * aside + 0.4 * back + rng.normal(0, 0.15, roots.shape)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    points = [roots]
    fall = np.array([0, 0, -1.0])
    for i in range(1, STRAND_POINTS):
        weight = (1 - style["lift"]) * min(1.0, 0.25 + 3 * i / STRAND_POINTS)
        direction = direction * (1 - 0.45 * weight) + fall * 0.45 * weight
        direction += style["frizz"] * rng.normal(0, 0.6, roots.shape)
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        point = points[-1] + direction * step
        for j in range(len(point)):  # out of the body
            near, out, _, distance = tree.find_nearest(Vector(point[j]), 0.06)
            if near is not None:
                depth = (Vector(point[j]) - near).dot(out)
                if depth < 0.004:
                    point[j] = near + out * 0.004
        points.append(point)
    points = np.stack(points, 1)
    if style["curl"]:
        along = np.linspace(0, 1, STRAND_POINTS)[None, :, None]
        phase = rng.uniform(0, 2 * np.pi, (len(roots), 1, 1))
        turns = max(1.0, style["length"] / 0.05) * 2 * np.pi * along + phase
        points += style["curl"] * 0.02 * along**0.5 * np.concatenate([np.sin(turns), np.cos(turns), 0 * turns], 2)
    data = bpy.data.hair_curves.new(name)
    data.add_curves([STRAND_POINTS] * len(roots))
    data.attributes["position"].data.foreach_set("vector", points.astype(np.float32).ravel())
    taper = np.linspace(1, 0.35, STRAND_POINTS)
    thick = style.get("thick", 0.0006) * np.tile(taper, len(roots))
    (data.attributes.get("radius") or data.attributes.new("radius", "FLOAT", "POINT")).data.foreach_set(
        "value", thick.astype(np.float32)
    )
    thing = bpy.data.objects.new(name, data)
    bpy.context.collection.objects.link(thing)
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes = material.node_tree.nodes
    nodes.clear()
    shader, out = nodes.new("ShaderNodeBsdfHairPrincipled"), nodes.new("ShaderNodeOutputMaterial")
    shader.parametrization = "COLOR"
    shader.inputs["Color"].default_value = (*colour, 1)
    shader.inputs["Roughness"].default_value = 0.35
    material.node_tree.links.new(shader.outputs[0], out.inputs[0])
    data.materials.append(material)


def _clothes(person: Person, rest, vertices, rng) -> dict:
    """Shirt, perhaps a jacket over it, trousers or a skirt, all from MakeHuman's tights and skirt.

    Returns:
        Under "covered" the ids of the vertices of the body that they hide.
    """
    mesh = bodies.base_mesh()
    tights = mesh.quads[mesh.groups == "helper-tights"]
    neck, hips = bodies.joint(rest, "neck01"), bodies.joint(rest, "upperleg01.L")
    lower, hand = bodies.bone_shares("lowerarm"), bodies.bone_shares("wrist", "metacarpal", "finger")
    upper2, leg = bodies.bone_shares("upperarm02"), bodies.bone_shares("lowerleg", "foot", "toe")
    z, y = rest[:, 2], rest[:, 1]
    waist = hips[2] + 0.04

    def shirt_of(sleeves: str, collar: float, down: float) -> np.ndarray:
        # A neckline that lies lower in front than behind.
        high = z < neck[2] + collar - np.clip((neck[1] - y) / 0.1, 0, 1) * person.neckline
        keep = high & (z > down) & (hand < 0.3)
        if sleeves in ("short", "none"):
            keep &= lower < 0.1
        if sleeves == "none":
            keep &= upper2 < 0.3
        arms = bodies.bone_shares("upperarm", "lowerarm", "wrist", "shoulder") > 0.5
        return keep | (arms & high & (hand < 0.3) & ((lower < 0.1) | (sleeves == "long")) & (sleeves != "none"))

    covered = np.zeros(len(rest), bool)
    keep = shirt_of(person.sleeves, 0.03, waist - 0.12)
    shirt = _mesh("shirt", vertices, tights[keep[tights].all(1)], levels=2)
    _fabric(shirt, person.top, 0.011, rng)
    covered |= shirt_of(person.sleeves, 0.0, waist - 0.08)
    if person.jacket is not None:
        keep = shirt_of("long", 0.045, waist - 0.2)
        faces = tights[keep[tights].all(1)]
        gap = (np.abs(rest[:, 0]) < 0.055) & (y < neck[1] - 0.03) & (lower + upper2 < 0.1)
        _fabric(_mesh("jacket", vertices, faces[~gap[faces].any(1)], levels=2), person.jacket, 0.024, rng)
        covered |= (bodies.bone_shares("upperarm", "lowerarm") > 0.95) & (hand < 0.02)
    if person.skirt:
        skirt = mesh.quads[mesh.groups == "helper-skirt"]
        _fabric(_mesh("skirt", vertices, skirt, levels=2), person.bottom, 0.004, rng)
        covered |= (z < waist - 0.02) & (z > waist - 0.25) & (lower + hand + upper2 < 0.01)
    else:
        keep = (z < waist) & (leg < 2) & (bodies.bone_shares("foot", "toe") < 0.5) & (lower + hand + upper2 < 0.01)
        trousers = _mesh("trousers", vertices, tights[keep[tights].all(1)], levels=2)
        _fabric(trousers, person.bottom, 0.004, rng)
        covered |= keep & (z < waist - 0.04) & (bodies.bone_shares("foot", "toe") < 0.2)
    shoe = bodies.bone_shares("foot", "toe") > 0.5
    feet = _mesh("shoes", vertices, mesh.quads[mesh.groups == "body"][shoe[mesh.quads[mesh.groups == "body"]].all(1)])
    _fabric(feet, (0.03, 0.03, 0.035), 0.006, rng)
    return {"covered": np.flatnonzero(covered)}


def _fabric(thing, colour, thickness: float, rng) -> None:
    """Cloth with folds, of one colour or striped or checked, with a hem that has a thickness."""
    folds = bpy.data.textures.new("folds", "CLOUDS")
    folds.noise_scale, folds.noise_depth = rng.uniform(0.06, 0.14), 4
    displaced = thing.modifiers.new("folds", "DISPLACE")
    displaced.texture, displaced.strength, displaced.mid_level = folds, 0.012, 0.5 - thickness / 0.012
    solid = thing.modifiers.new("hem", "SOLIDIFY")
    solid.thickness, solid.offset = 0.003, 1
    pattern = colour.get("pattern") if isinstance(colour, dict) else None
    base = colour["colour"] if isinstance(colour, dict) else colour
    material = _material("cloth", base, roughness=0.85, bump=0.35, scale=rng.uniform(150, 400), Sheen_Weight=0.2)
    if pattern:
        nodes, links = material.node_tree.nodes, material.node_tree.links
        place = nodes.new("ShaderNodeTexCoord")
        texture = nodes.new("ShaderNodeTexWave" if pattern == "stripes" else "ShaderNodeTexChecker")
        texture.inputs["Scale"].default_value = rng.uniform(6, 16) if pattern == "stripes" else rng.uniform(15, 40)
        if pattern == "stripes":
            texture.bands_direction = rng.choice(["X", "Z"])
        mix = nodes.new("ShaderNodeMix")
        mix.data_type = "RGBA"
        links.new(place.outputs["Object"], texture.inputs["Vector"])
        links.new(texture.outputs["Fac"], mix.inputs["Factor"])
        mix.inputs["A"].default_value, mix.inputs["B"].default_value = (*base, 1), (*colour["second"], 1)
        links.new(mix.outputs["Result"], nodes["Principled BSDF"].inputs["Base Color"])
    _dress(thing, material)


def _placed(thing, head_move: np.ndarray) -> None:
    """Take a thing that was made for the head at rest along with the head."""
    thing.matrix_world = Matrix(head_move.tolist()) @ thing.matrix_world


def _glasses(person: Person, rest, head_move) -> None:
    left, right = (bodies.joint(rest, f"eye.{side}") for side in "LR")
    frame = _material("frame", person.glasses["frame"], roughness=0.3)
    forward = left[1] - 0.026
    for eye in (left, right):
        bpy.ops.mesh.primitive_torus_add(major_radius=0.024, minor_radius=0.0016, major_segments=48, minor_segments=10)
        ring = bpy.context.object
        ring.rotation_euler = (math.pi / 2, 0, 0)
        ring.scale = (1.05, person.glasses["tall"], 1)
        ring.location = (eye[0] * 1.08, forward, eye[2] - 0.003)
        things = [ring]
        if person.glasses["dark"]:
            bpy.ops.mesh.primitive_cylinder_add(radius=0.0235, depth=0.001, vertices=48)
            lens = bpy.context.object
            lens.rotation_euler, lens.scale, lens.location = ring.rotation_euler, ring.scale, ring.location
            _dress(lens, _material("lens", (0.01, 0.01, 0.012), roughness=0.06))
            things.append(lens)
        sign = math.copysign(1, eye[0])
        outer = (eye[0] * 1.08 + sign * 0.025, forward, eye[2])
        ear = (sign * (abs(eye[0]) + 0.047), left[1] + 0.085, eye[2] + 0.002)
        things += [_rod(outer, ear, 0.0016)]
        for thing in things:
            bpy.context.view_layer.update()
            if not thing.data.materials:
                _dress(thing, frame)
            _placed(thing, head_move)
    bridge = _rod((left[0] * 1.08 - 0.024, forward, left[2]), (right[0] * 1.08 + 0.024, forward, right[2]), 0.0016)
    _dress(bridge, frame)
    bpy.context.view_layer.update()
    _placed(bridge, head_move)


def _rod(start, end, radius: float):
    start, end = Vector(start), Vector(end)
    bpy.ops.mesh.primitive_cylinder_add(radius=radius, depth=(end - start).length, vertices=12)
    rod = bpy.context.object
    rod.rotation_mode = "QUATERNION"
    rod.rotation_quaternion = (end - start).to_track_quat("Z", "Y")
    rod.location = (start + end) / 2
    return rod


def _hat(person: Person, rest, head_move) -> None:
    """A beanie or cap from the skin of the skull, blown up; a straw hat with a wide brim."""
    mesh = bodies.base_mesh()
    body = mesh.quads[mesh.groups == "body"]
    eyes = bodies.joint(rest, "eye.L")[2]
    skull = (bodies.bone_shares("head", "temporalis", "orbicularis", "oculi") > 0.5) & (rest[:, 2] > eyes + 0.028)
    centre = rest[:13380][skull[:13380]].mean(0)
    wide = 1.13 if person.hat == "beanie" else 1.1
    blown = _move(centre + (rest - centre) * [wide, wide, 1.06] - [0, -0.003, 0.004], head_move)
    crown = _mesh("hat", blown, body[skull[body].all(1)], levels=2)
    _dress(crown, _material("felt", person.hat_colour, roughness=0.9, bump=0.6, scale=140, Sheen_Weight=0.4))
    solid = crown.modifiers.new("felt", "SOLIDIFY")
    solid.thickness = 0.006 if person.hat == "beanie" else 0.003
    if person.hat == "beanie":
        return
    bpy.ops.mesh.primitive_cylinder_add(radius=1, depth=0.003, vertices=64)
    brim = bpy.context.object
    width = np.ptp(rest[:13380][skull[:13380]], 0)
    if person.hat == "cap":
        brim.scale = (width[0] * 0.52, width[1] * 0.5, 1)
        brim.location = (0, centre[1] - width[1] * 0.42, eyes + 0.036)
        brim.rotation_euler = (-0.12, 0, 0)
    else:
        brim.scale = (width[0] * 1.05, width[1] * 0.98, 1)
        brim.location = (0, centre[1], eyes + 0.045)
    bpy.context.view_layer.update()
    _placed(brim, head_move)
    _dress(brim, _material("brim", person.hat_colour, roughness=0.85, bump=0.5, scale=220))


def light(outdoors: bool, rng: np.random.Generator, target: Vector) -> None:
    """Sun and sky, or a lamp in front, one that fills, one behind, in colours that differ."""
    world = bpy.data.worlds.new("sky")
    bpy.context.scene.world = world
    world.use_nodes = True
    ground = world.node_tree.nodes["Background"]
    if outdoors:
        ground.inputs["Color"].default_value = (*rng.uniform((0.35, 0.45, 0.6), (0.6, 0.7, 0.85)), 1)
        ground.inputs["Strength"].default_value = rng.uniform(0.35, 0.7)
        lamps = [("SUN", rng.uniform(-70, 70), rng.uniform(20, 65), rng.uniform(1.2, 2.6), (1, 0.94, 0.84))]
    else:
        warm = rng.uniform(0, 1)
        colour = np.array([1, 0.97, 0.94]) * (1 - warm) + np.array([1, 0.8, 0.6]) * warm
        ground.inputs["Color"].default_value = (*colour, 1)
        ground.inputs["Strength"].default_value = rng.uniform(0.2, 0.45)
        side = rng.choice([-1, 1])
        lamps = [
            ("AREA", side * rng.uniform(20, 65), rng.uniform(10, 45), rng.uniform(22, 48), colour),
            ("AREA", -side * rng.uniform(120, 160), rng.uniform(20, 50), rng.uniform(5, 35), (0.85, 0.92, 1)),
        ]
    for kind, around, up, energy, colour in lamps:
        data = bpy.data.lights.new("lamp", kind)
        data.energy, data.color = energy, colour
        if kind == "AREA":
            data.size = rng.uniform(0.4, 1.4)
        lamp = bpy.data.objects.new("lamp", data)
        bpy.context.collection.objects.link(lamp)
        a, e = math.radians(around), math.radians(up)
        where = Vector((math.sin(a) * math.cos(e), -math.cos(a) * math.cos(e), math.sin(e)))
        lamp.location = target + 2.2 * where
        lamp.rotation_euler = (-where).to_track_quat("-Z", "Y").to_euler()


def aim(person: Person, target: Vector, height: float, *, pixels: tuple[int, int]) -> None:
    """A camera that sees `height` metres of the world around the target, from the person's front or side."""
    data = bpy.data.cameras.new("camera")
    camera = bpy.data.objects.new("camera", data)
    bpy.context.collection.objects.link(camera)
    data.lens, data.sensor_fit, data.sensor_height = person.lens, "VERTICAL", 24.0
    data.clip_start = 0.01
    distance = float(height) * person.lens / 24.0
    a, e = math.radians(person.view[0]), math.radians(person.view[1])
    where = Vector((math.sin(a) * math.cos(e), -math.cos(a) * math.cos(e), math.sin(e)))
    camera.location = target + distance * where
    camera.rotation_euler = (-where).to_track_quat("-Z", "Y").to_euler()
    scene = bpy.context.scene
    scene.camera = camera
    scene.render.resolution_y, scene.render.resolution_x = pixels


def render(path: str, *, samples: int = 32) -> None:
    """Write what the camera sees as a PNG with straight colours and exact alpha: each sample hits the person or not."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = samples, True
    scene.cycles.use_adaptive_sampling = False  # alpha needs all samples everywhere
    scene.cycles.max_bounces, scene.cycles.transparent_max_bounces = 4, 8
    scene.render.film_transparent = True
    scene.render.threads_mode, scene.render.threads = "FIXED", 2
    scene.view_settings.view_transform = "Standard"
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGBA"
    scene.render.filepath = path
    bpy.ops.render.render(write_still=True)
