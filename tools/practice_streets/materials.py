"""Materials for Cycles, all procedural: the colour comes from the mesh's faces, wear and pattern from noise."""

import bpy
import numpy as np


class Nodes:
    """A material's node tree, written as short calls."""

    def __init__(self, name: str) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.shader = self.tree.nodes["Principled BSDF"]

    def add(self, kind: str, **inputs):
        """A node of a kind; inputs are values or sockets, with _ for spaces in their names."""
        node = self.tree.nodes.new(f"ShaderNode{kind}")
        for name, value in inputs.items():
            self.set(node.inputs[name.replace("_", " ")], value)
        return node

    def set(self, socket, value) -> None:
        """A value, or a link from another socket."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        else:
            socket.default_value = value

    def colour(self):
        """The face's own colour."""
        node = self.add("Attribute")
        node.attribute_name = "colour"
        return node.outputs["Color"]

    def metres(self):
        """Coordinates on the face's plane, in metres."""
        return self.add("UVMap").outputs["UV"]

    def place(self):
        """Coordinates in the thing's own frame, in metres."""
        return self.add("TexCoord").outputs["Object"]

    def noise(self, scale: float, low: float, high: float, *, detail=4.0, where=None):
        """Noise stretched to low … high."""
        noise = self.add("TexNoise", Scale=scale, Detail=detail, Vector=where or self.place())
        span = self.add("MapRange", Value=noise.outputs[0], From_Min=0.3, From_Max=0.7, To_Min=low, To_Max=high)
        return span.outputs[0]

    def times(self, colour, factor):
        """A colour scaled by a number."""
        node = self.tree.nodes.new("ShaderNodeVectorMath")
        node.operation = "SCALE"
        self.set(node.inputs[0], colour)
        self.set(node.inputs["Scale"], factor)
        return node.outputs[0]

    def mix(self, share, a, b):
        """a where share is 0, b where it is 1."""
        node = self.tree.nodes.new("ShaderNodeMix")
        node.data_type = "RGBA"
        self.set(node.inputs["Factor"], share)
        self.set(node.inputs[6], a)
        self.set(node.inputs[7], b)
        return node.outputs[2]

    def finish(self, colour, roughness=0.8, **inputs):
        """Links colour and roughness to the surface; returns the material."""
        self.set(self.shader.inputs["Base Color"], colour)
        self.set(self.shader.inputs["Roughness"], roughness)
        for name, value in inputs.items():
            self.set(self.shader.inputs[name.replace("_", " ")], value)
        return self.material


def brick():
    m = Nodes("brick")
    base = m.times(m.colour(), m.noise(0.35, 0.75, 1.2))
    dark = m.times(base, 0.62)
    pattern = m.add(
        "TexBrick",
        Vector=m.metres(),
        Scale=1.0,
        Color1=base,
        Color2=dark,
        Mortar=(0.32, 0.3, 0.27, 1),
        Mortar_Size=0.012,
        Brick_Width=0.23,
        Row_Height=0.075,
        Bias=-0.2,
    )
    return m.finish(pattern.outputs[0], 0.9)


def stained(name: str, coarse: float, fine: float, roughness: float, low=0.72, high=1.15):
    """Plaster, concrete, bark and the like: large stains and a fine grain."""
    m = Nodes(name)
    base = m.times(m.times(m.colour(), m.noise(coarse, low, high)), m.noise(fine, 0.85, 1.12))
    return m.finish(base, roughness)


def roof():
    m = Nodes("roof")
    base = m.times(m.colour(), m.noise(0.6, 0.65, 1.25))
    tiles = m.add(
        "TexBrick",
        Vector=m.metres(),
        Scale=1.0,
        Color1=base,
        Color2=m.times(base, 0.75),
        Mortar=(0.015, 0.015, 0.015, 1),
        Mortar_Size=0.015,
        Brick_Width=0.24,
        Row_Height=0.2,
    )
    return m.finish(tiles.outputs[0], 0.8)


def paving():
    m = Nodes("paving")
    base = m.times(m.times(m.colour(), m.noise(0.7, 0.75, 1.15)), m.noise(25, 0.85, 1.1))
    slabs = m.add(
        "TexBrick",
        Vector=m.metres(),
        Scale=1.0,
        Color1=base,
        Color2=m.times(base, 0.85),
        Mortar=(0.06, 0.06, 0.06, 1),
        Mortar_Size=0.012,
        Brick_Width=0.75,
        Row_Height=0.6,
    )
    return m.finish(slabs.outputs[0], 0.85)


def asphalt(name: str, wet: bool):
    m = Nodes(name)
    grain = m.times(m.times(m.colour(), m.noise(60, 0.6, 1.45, detail=2.0)), m.noise(0.35, 0.78, 1.2))
    if not wet:
        return m.finish(grain, 0.85)
    puddle = m.noise(0.3, 0.0, 1.0)
    rough = m.add("MapRange", Value=puddle, To_Min=0.06, To_Max=0.4).outputs[0]
    return m.finish(m.times(grain, 0.55), rough)


def marking():
    """Paint on the road, worn through in places."""
    m = Nodes("marking")
    worn = m.noise(3.0, -0.25, 0.75, detail=8.0)
    return m.finish(m.mix(worn, m.colour(), (0.11, 0.11, 0.11, 1)), 0.7)


def grass():
    m = Nodes("grass")
    base = m.times(m.times(m.colour(), m.noise(0.8, 0.6, 1.35)), m.noise(30, 0.5, 1.5, detail=3.0))
    return m.finish(base, 0.95)


def shop_window():
    """Glass before a lit clutter of goods."""
    m = Nodes("shop window")
    cells = m.add("TexVoronoi", Vector=m.metres(), Scale=3.2)
    muted = m.add("HueSaturation", Color=cells.outputs["Color"], Saturation=0.4)
    dim = m.times(m.times(muted.outputs[0], m.noise(1.1, -0.1, 0.3)), m.noise(9, 0.3, 1.2))
    goods = m.mix(0.6, m.times(m.colour(), 0.1), dim)
    return m.finish(goods, 0.06, Emission_Color=goods, Emission_Strength=0.25)


def plain(name: str, roughness: float, metallic=0.0, coat=0.0):
    m = Nodes(name)
    return m.finish(m.colour(), roughness, Metallic=metallic, Coat_Weight=coat)


def leaf():
    """Leaves: some light comes through."""
    m = Nodes("leaf")
    return m.finish(m.colour(), 0.6, Subsurface_Weight=0.0)


def lamp():
    """A surface that shines in its own colour."""
    m = Nodes("lamp")
    return m.finish((0.1, 0.1, 0.1, 1), 0.4, Emission_Color=m.colour(), Emission_Strength=1.0)


MAKERS = {
    "brick": brick,
    "roof": roof,
    "paving": paving,
    "marking": marking,
    "grass": grass,
    "shop window": shop_window,
    "leaf": leaf,
    "lamp": lamp,
    "asphalt": lambda: asphalt("asphalt", False),
    "wet asphalt": lambda: asphalt("wet asphalt", True),
    "plaster": lambda: stained("plaster", 0.4, 8.0, 0.85),
    "concrete": lambda: stained("concrete", 0.25, 5.0, 0.85, 0.65, 1.2),
    "bark": lambda: stained("bark", 2.0, 30.0, 0.95, 0.6, 1.3),
    "cloth": lambda: stained("cloth", 4.0, 40.0, 0.9, 0.8, 1.15),
    "blind": lambda: plain("blind", 0.4),
    "glass": lambda: plain("glass", 0.04),
    "paint": lambda: plain("paint", 0.3, coat=0.8),
    "metal": lambda: plain("metal", 0.4, metallic=0.6),
    "plastic": lambda: plain("plastic", 0.5),
    "rubber": lambda: plain("rubber", 0.9),
    "skin": lambda: plain("skin", 0.6),
}


def label_material():
    """Flat light whose red is the fine class and whose green is the thing's number: no shading, no blending."""
    m = Nodes("label")
    m.tree.nodes.remove(m.shader)
    part = m.add("Attribute")
    part.attribute_name = "part"
    number = m.add("ObjectInfo").outputs["Object Index"]
    joined = m.add("CombineXYZ", X=part.outputs["Fac"], Y=number)
    light = m.add("Emission", Color=joined.outputs[0])
    m.tree.links.new(light.outputs[0], m.tree.nodes["Material Output"].inputs[0])
    return m.material


def sky(light, seed: float):
    """A world of sky and drifting cloud, brighter towards the horizon."""
    world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    m = Nodes.__new__(Nodes)
    m.tree = world.node_tree
    where = m.add("TexCoord").outputs["Generated"]
    height = m.add("SeparateXYZ", Vector=where).outputs[2]
    blue = m.mix(m.add("MapRange", Value=height, From_Max=0.6).outputs[0], (*light.horizon, 1), (*light.zenith, 1))
    # Looking at a cloud layer from below: the further down, the more it is squeezed.
    lifted = m.add("Math", Value=height)
    lifted.operation = "ADD"
    lifted.inputs[1].default_value = 0.18
    flat = m.add("VectorMath")
    flat.operation = "DIVIDE"
    m.set(flat.inputs[0], where)
    m.set(flat.inputs[1], m.add("CombineXYZ", X=lifted.outputs[0], Y=lifted.outputs[0], Z=1.0).outputs[0])
    drift = m.add("Mapping", Vector=flat.outputs[0], Location=(seed, seed * 0.7, 0), Scale=(1.1, 1.1, 0.4))
    noise = m.add("TexNoise", Vector=drift.outputs[0], Scale=1.3, Detail=6.0, Roughness=0.6)
    edge = 0.72 - 0.45 * light.clouds
    cover = m.add("MapRange", Value=noise.outputs[0], From_Min=edge - 0.06, From_Max=edge + 0.16)
    under = m.add("MapRange", Value=noise.outputs[0], From_Min=edge, From_Max=edge + 0.35).outputs[0]
    bright = np.array(light.cloud_colour)
    cloud = m.mix(under, (*bright, 1), (*bright * (0.6, 0.62, 0.66), 1))
    background = m.tree.nodes["Background"]
    m.set(background.inputs[0], m.mix(cover.outputs[0], blue, cloud))
    world.cycles.sampling_method, world.cycles.sample_map_resolution = "MANUAL", 128
    return world
