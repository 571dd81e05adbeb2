"""Stands a road in its surroundings in Blender and photographs it: light, and RTK ids without a blended pixel."""

import bpy
import cv2
import numpy as np

from tools.practice_roads.roads import Road
from tools.practice_roads.surface import CATS_EYE, Surface
from tools.practice_streets import furniture, nature
from tools.practice_streets.ground import strip
from tools.practice_streets.materials import Nodes
from tools.practice_streets.render import Stage
from tools.practice_streets.roadside import backdrop, choose_trees, frontage
from tools.practice_streets.shapes import Shape, Thing
from tools.practice_streets.traffic import any_car
from tools.practice_streets.world import World

SIZE = (288, 352)
ON_THE_MAP = 100  # pass index of what takes its class from the map; of anything else it is the class itself
GRASS = np.array((0.085, 0.11, 0.032))


def surroundings(road: Road, surface: Surface) -> World:
    """Kerbs or verges, grass, trees, hedges, houses and parked cars: all of it background."""
    world, shape = road.world(), Shape()
    rng, half, end = world.rng, road.half + surface.verge, road.length + 50
    for side in (-1, 1):
        edge, low = half, -0.01
        if road.kerb:
            stone, slabs = (0.3, 0.29, 0.28), rng.uniform(0.14, 0.26) * np.array((1.0, 0.97, 0.92))
            edge, low = half + 2.0, 0.12
            for x0, x1, z, z1, material, colour in (
                (half, half + 0.02, 0, 0.13, "concrete", stone),
                (half + 0.02, half + 0.15, 0.13, 0.13, "concrete", stone),
                (half + 0.15, edge, 0.13, 0.13, "paving", slabs),
            ):
                strip(world, shape, -20, end, side * x0, side * x1, z, material, "sidewalk", colour, z1=z1)
        rise = rng.uniform(0.0, 0.35)
        strip(world, shape, -20, end, side * edge, side * (edge + 3), low, "grass", "grass", GRASS, z1=low + rise)
        strip(world, shape, -20, end, side * (edge + 3), side * 90, low + rise, "grass", "grass", GRASS)
        _tufts(world, shape, side, edge if road.kerb else road.half + 0.25, 2.2, low)
    # Beyond what is drawn in detail the road goes on plainly.
    far = surface.colour[-400:, surface.classes.shape[1] // 2].mean(axis=0)
    strip(world, shape, road.length, end, -road.half, road.half, 0.0, "asphalt", "road", far)
    world.things.append(Thing(shape))
    trees = choose_trees(rng, world.town)
    for side in (-1, 1):
        frontage(world, side, half + (2.4 if road.kerb else 0.8), end, trees)
        for s in np.arange(rng.uniform(0, 20), end, rng.uniform(24, 36)):
            pole = furniture.street_lamp(rng) if road.kerb else furniture.telegraph_pole(rng)
            world.place(pole, s, side * (half + 0.7), turn=side * np.pi / 2)
    for s in np.arange(rng.uniform(12, 30), end, 25):  # the camera keeps to the right, so they park on the left
        if road.kerb and rng.random() < 0.6:
            world.place(any_car(rng), s, -road.half + 1.0, turn=np.pi)
    backdrop(world, end - 10, trees)
    return world


def _tufts(world: World, shape: Shape, side: int, start: float, wide: float, low: float) -> None:
    """Blades of grass that stand up beside the road."""
    rng, n = world.rng, 14000
    s, out = rng.uniform(-4, 60, n), start + wide * rng.beta(1.6, 1.2, n)
    centres = np.array([[*world.line.at(a, side * b)[0], low + 0.03] for a, b in zip(s, out, strict=True)])
    verts, faces = nature.leaf_cards(rng, centres, 0.1, 0.02)
    shape.add(verts, faces, "leaf", "grass", np.clip(GRASS * rng.normal(1.1, 0.35, (n, 1)), 0.01, 0.4))


class RoadStage(Stage):
    """A road in its surroundings, ready to be photographed from any place along it."""

    def __init__(self, road: Road, *, samples: int = 6) -> None:
        self.surface, self._shows = road.surface(), ""
        super().__init__(surroundings(road, self.surface), SIZE, samples=samples)
        for item in self.scene.objects:
            item.pass_index = 0  # all of the surroundings is background
        self._lay_surface()
        self._stand_cats_eyes()
        self._ids = _id_material(self._maps["data"])

    def _lay_surface(self) -> None:
        """The map as a mesh that follows the line; coarse relief moves its vertices, fine relief its normals."""
        surface, line = self.surface, self.world.line
        coarse = cv2.blur(surface.height, (11, 11))
        rows, columns = (n // 8 for n in coarse.shape)
        grid = cv2.resize(coarse, (columns + 1, rows + 1), interpolation=cv2.INTER_AREA)
        s, x = (
            np.linspace(0, surface.length, rows + 1),
            np.linspace(surface.across[0, 0], surface.across[0, -1], columns + 1),
        )
        middle = np.array([[*where, heading] for where, heading in map(line.at, s)])
        heading = middle[:, None, 2]
        verts = np.stack(
            [middle[:, None, 0] + np.cos(heading) * x, middle[:, None, 1] + np.sin(heading) * x, grid], axis=-1
        )
        k = np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)
        faces = np.stack([k, k + 1, k + columns + 2, k + columns + 1], axis=-1).reshape(-1, 4)
        mesh = bpy.data.meshes.new("road")
        mesh.from_pydata(verts.reshape(-1, 3).tolist(), [], faces.tolist())
        u, v = np.meshgrid(np.linspace(0, 1, columns + 1), np.linspace(0, 1, rows + 1))
        uv = np.stack([u, v], axis=-1).reshape(-1, 2)[faces.ravel()]
        mesh.uv_layers.new(name="map").data.foreach_set("uv", uv.astype(np.float32).ravel())
        mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
        encoded = np.where(
            surface.colour <= 0.0031308,
            surface.colour * 12.92,
            1.055 * np.maximum(surface.colour, 1e-6) ** (1 / 2.4) - 0.055,
        )
        data = np.stack([surface.rough, surface.classes / 255, np.zeros_like(surface.rough)], axis=-1)
        self._maps = {
            "colour": _image("colour", encoded),
            "data": _image("data", data, linear=True),
            "relief": _image("relief", np.repeat((surface.height - coarse)[..., None], 3, 2), linear=True, deep=True),
        }
        mesh.materials.append(_road_material(self._maps))
        item = bpy.data.objects.new("road", mesh)
        item.pass_index = ON_THE_MAP
        self.scene.collection.objects.link(item)

    def _stand_cats_eyes(self) -> None:
        """Reflectors as blocks of their own: a map can't stand up."""
        shape = Shape()
        for s, x in self.surface.cats_eyes:
            where, heading = self.world.line.at(s, x)
            foot = (*where, 0.0)
            shape.box(foot, (0.16, 0.13, 0.045), "plastic", "clutter", (0.6, 0.42, 0.05), turn=heading, taper=0.6)
            front = np.array([np.sin(heading), -np.cos(heading)]) * 0.053
            shape.box(
                (*(where + front), 0.012), (0.1, 0.014, 0.018), "metal", "clutter", (0.8, 0.75, 0.7), turn=heading
            )
        if self.surface.cats_eyes:
            item = bpy.data.objects.new("cat's eyes", self._mesh(shape))
            item.pass_index = CATS_EYE
            self.scene.collection.objects.link(item)

    def picture(self) -> np.ndarray:
        """Linear light (H, W, 3) float32. A change from ids to pictures costs seconds: take all of one kind first."""
        if self._shows != "picture":
            self._shows = "picture"
            return super().picture()
        return self._render()

    def ids(self) -> np.ndarray:
        """RTK ids (H, W) uint8: one sample through the middle of each pixel, so no two classes mix."""
        scene = self.scene
        if self._shows != "ids":
            self._shows = "ids"
            for item in self._envelopes:
                item.hide_render = True
            scene.world, scene.view_layers[0].material_override = None, self._ids
            scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces = 1, False, 0
            scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 0.01
        raw = self._render()[..., 0]
        ids = np.rint(raw)
        if np.abs(raw - ids).max() > 1e-2:
            raise RuntimeError("the label pass blended two surfaces: its values are not whole numbers")
        return ids.astype(np.uint8)


def _image(name: str, pixels: np.ndarray, *, linear=False, deep=False) -> bpy.types.Image:
    """A map (H, W, 3) as an image of Blender's, its first row at the bottom: there the road begins."""
    height, width = pixels.shape[:2]
    image = bpy.data.images.new(name, width, height, float_buffer=deep)
    if linear:
        image.colorspace_settings.name = "Non-Color"
    image.pixels.foreach_set(np.dstack([pixels, np.ones((height, width))]).astype(np.float32).ravel())
    image.update()
    image.pack()
    return image


def _texture(m: Nodes, image: bpy.types.Image, interpolation="Linear"):
    node = m.add("TexImage")
    node.image, node.interpolation, node.extension = image, interpolation, "EXTEND"
    where = m.add("UVMap")
    where.uv_map = "map"
    m.set(node.inputs["Vector"], where.outputs["UV"])
    return node.outputs["Color"]


def _road_material(maps: dict[str, bpy.types.Image]):
    m = Nodes("road map")
    rough = m.add("SeparateXYZ", Vector=_texture(m, maps["data"])).outputs[0]
    relief = m.add("Bump", Height=_texture(m, maps["relief"]), Distance=1.0, Strength=1.0)
    return m.finish(_texture(m, maps["colour"]), rough, Normal=relief.outputs[0])


def _id_material(data: bpy.types.Image):
    """Flat light whose value is the class: the map's where the map lies, else the object's own number."""
    m = Nodes("ids")
    m.tree.nodes.remove(m.shader)
    index = m.add("ObjectInfo").outputs["Object Index"]
    on_map = m.add("Math", Value=index)
    on_map.operation = "COMPARE"
    on_map.inputs[1].default_value, on_map.inputs[2].default_value = ON_THE_MAP, 0.5
    drawn = m.times(m.add("SeparateXYZ", Vector=_texture(m, data, "Closest")).outputs[1], 255.0)
    light = m.add("Emission", Color=m.mix(on_map.outputs[0], m.add("CombineXYZ", X=index).outputs[0], drawn))
    m.tree.links.new(light.outputs[0], m.tree.nodes["Material Output"].inputs[0])
    return m.material
