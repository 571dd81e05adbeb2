"""Turns a world into a Blender scene and renders it: linear light, and exact class and instance ids."""

import os
import tempfile

import bpy
import numpy as np

from tools.practice_streets import materials
from tools.practice_streets.classes import COUNTABLE
from tools.practice_streets.shapes import Shape, Thing
from tools.practice_streets.world import World


class Stage:
    """A world in Blender, ready to be photographed from any camera.

    Args:
        world: what to show.
        size: (height, width) in pixels.
        samples: light paths a pixel; the picture is denoised afterwards.
    """

    def __init__(self, world: World, size: tuple[int, int] = (360, 480), *, samples: int = 8) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.world, self.scene = world, bpy.context.scene
        self.samples = samples
        self._materials: dict[str, bpy.types.Material] = {}
        self._meshes: dict[int, bpy.types.Mesh] = {}
        self._envelopes: list[bpy.types.Object] = []
        self._objects: list[tuple[Thing, list[bpy.types.Object]]] = []
        self._settings(size)
        number = 0
        for thing in world.things:
            number += thing.countable
            self._stand(thing, number if thing.countable else 0)
        self._light()

    def _settings(self, size) -> None:
        render, cycles = self.scene.render, self.scene.cycles
        render.engine, cycles.device = "CYCLES", "CPU"
        render.resolution_y, render.resolution_x = size
        render.use_persistent_data = True
        render.image_settings.file_format = "OPEN_EXR"
        render.image_settings.color_depth = "32"
        cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 3, 2, 2
        cycles.caustics_reflective = cycles.caustics_refractive = False
        cycles.sample_clamp_indirect = 4.0
        cycles.use_adaptive_sampling = cycles.use_light_tree = False
        cycles.denoising_quality, cycles.denoising_prefilter = "FAST", "NONE"
        self.scene.view_settings.view_transform = "Raw"
        camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        self.scene.collection.objects.link(camera)
        self.scene.camera = camera
        self._sky = materials.sky(self.world.town.light, float(self.world.rng.uniform(0, 100)))
        self._label = materials.label_material()

    def _mesh(self, shape: Shape) -> bpy.types.Mesh:
        """The mesh of a shape, made once."""
        if id(shape) in self._meshes:
            return self._meshes[id(shape)]
        a, mesh = shape.arrays(), bpy.data.meshes.new("shape")
        mesh.vertices.add(len(a["verts"]))
        mesh.vertices.foreach_set("co", a["verts"].astype(np.float32).ravel())
        mesh.loops.add(len(a["loops"]))
        mesh.loops.foreach_set("vertex_index", a["loops"].astype(np.int32))
        mesh.polygons.add(len(a["starts"]))
        mesh.polygons.foreach_set("loop_start", a["starts"].astype(np.int32))
        mesh.polygons.foreach_set("material_index", a["material"].astype(np.int32))
        mesh.uv_layers.new(name="uv").data.foreach_set("uv", a["uv"].astype(np.float32).ravel())
        mesh.attributes.new("part", "FLOAT", "FACE").data.foreach_set("value", a["part"].astype(np.float32))
        rgba = np.c_[a["colour"], np.ones(len(a["colour"]))].astype(np.float32)
        mesh.attributes.new("colour", "FLOAT_COLOR", "FACE").data.foreach_set("color", rgba.ravel())
        for name in a["materials"]:
            if name not in self._materials:
                self._materials[name] = materials.MAKERS[name]()
            mesh.materials.append(self._materials[name])
        mesh.update(calc_edges=True)
        mesh.set_sharp_from_angle(angle=0.7)
        self._meshes[id(shape)] = mesh
        return mesh

    def _stand(self, thing: Thing, number: int) -> None:
        """An object for a thing, and one for its envelope."""
        objects = []
        for shape in (thing.shape, thing.envelope):
            if shape is None:
                continue
            item = bpy.data.objects.new("thing", self._mesh(shape))
            item.pass_index = number
            item.location, item.rotation_euler = thing.at, (0, 0, thing.turn)
            item.scale = (thing.scale,) * 3
            self.scene.collection.objects.link(item)
            objects.append(item)
            if shape is thing.envelope:
                self._envelopes.append(item)
        for where, watts, colour in thing.lamps:
            data = bpy.data.lights.new("lamp", "POINT")
            data.energy, data.color, data.shadow_soft_size = watts, colour, 0.3
            lamp = bpy.data.objects.new("lamp", data)
            c, s = np.cos(thing.turn), np.sin(thing.turn)
            x, y, z = where
            lamp.location = (thing.at[0] + c * x - s * y, thing.at[1] + s * x + c * y, z)
            self.scene.collection.objects.link(lamp)
        self._objects.append((thing, objects))

    def _light(self) -> None:
        light = self.world.town.light
        if light.sun:
            data = bpy.data.lights.new("sun", "SUN")
            data.energy, data.color, data.angle = light.sun, light.sun_colour, 0.01
            sun = bpy.data.objects.new("sun", data)
            side = self.world.rng.uniform(0, 2 * np.pi)
            sun.rotation_euler = (np.radians(90 - light.sun_height), 0, side)
            self.scene.collection.objects.link(sun)

    def look(self, s: float, *, x: float, height=1.35, yaw=0.0, pitch=0.0, lens=32.0) -> None:
        """Puts the camera at s along the street, x to the right of its middle; angles in radians."""
        where, heading = self.world.line.at(s, x)
        camera = self.scene.camera
        camera.location = (*where, height)
        camera.rotation_euler = (np.pi / 2 + pitch, 0, heading + yaw)
        camera.data.lens = lens

    def move(self, seconds: float) -> None:
        """Moves everything that drives, rides or walks to where it is after some seconds."""
        for thing, objects in self._objects:
            if thing.speed:
                ahead = np.array([-np.sin(thing.turn), np.cos(thing.turn), 0]) * thing.speed * seconds
                for item in objects:
                    item.location = np.asarray(thing.at) + ahead

    def picture(self) -> np.ndarray:
        """Linear light (H, W, 3) float32."""
        scene = self.scene
        for item in self._envelopes:
            item.hide_render = True
        scene.world, scene.view_layers[0].material_override = self._sky, None
        scene.cycles.samples, scene.cycles.use_denoising = self.samples, True
        scene.cycles.max_bounces = 3
        scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BLACKMAN_HARRIS", 1.5
        return self._render()

    def labels(self) -> tuple[np.ndarray, np.ndarray]:
        """Fine class ids (H, W) uint8 and instance numbers (H, W) uint16, 0 where nothing is countable.

        One sample through the middle of each pixel, so no two surfaces mix.
        """
        scene = self.scene
        bpy.context.view_layer.update()  # places of things are known only then
        for item in self._envelopes:
            # From inside a bare crown one sees the street, not the crown's outline.
            item.hide_render = _encloses(item, scene.camera.location)
        scene.world, scene.view_layers[0].material_override = None, self._label
        scene.cycles.samples, scene.cycles.use_denoising = 1, False
        scene.cycles.max_bounces = 0
        scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 0.01
        raw = self._render()
        ids = np.rint(raw)
        if np.abs(raw - ids).max() > 1e-3:
            raise RuntimeError("the label pass blended two surfaces: its values are not whole numbers")
        fine, number = ids[..., 0].astype(np.uint8), ids[..., 1].astype(np.uint16)
        return fine, np.where(np.isin(fine, COUNTABLE), number, 0).astype(np.uint16)

    def _render(self) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "frame.exr")
            self.scene.render.filepath = path
            bpy.ops.render.render(write_still=True)
            image = bpy.data.images.load(path)
            image.colorspace_settings.name = "Non-Color"
            pixels = np.empty(image.size[0] * image.size[1] * image.channels, np.float32)
            image.pixels.foreach_get(pixels)
            shape = (image.size[1], image.size[0], image.channels)
            bpy.data.images.remove(image)
        return pixels.reshape(shape)[::-1, :, :3].copy()


def _encloses(item: bpy.types.Object, point) -> bool:
    """Whether a point lies in the box around an object."""
    corners = np.array(item.bound_box)
    inside = np.array(item.matrix_world.inverted() @ point)
    return bool(((corners.min(0) < inside) & (inside < corners.max(0))).all())
