"""Procedural materials: every one a handful of shader nodes, seen through the evening's haze."""

from __future__ import annotations

import bpy

HAZE = (0.86, 0.66, 0.52)
HAZE_DISTANCE = 1000.0
"""Metres after which the air hides 63 % of what lies behind it."""


class Graph:
    """A node tree that is written down rather than wired up."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        tree.nodes.clear()
        self.tree = tree

    def add(self, kind: str, inputs: dict | None = None, out: int | str = 0, **settings):
        """A node; ``inputs`` gives each socket a constant or another node's output. Returns the output ``out``."""
        node = self.tree.nodes.new(kind)
        for name, value in settings.items():
            setattr(node, name, value)
        for socket, value in (inputs or {}).items():
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, node.inputs[socket])
            else:
                node.inputs[socket].default_value = value
        return node.outputs[out] if len(node.outputs) else None

    def math(self, operation: str, a, b=0.0, *, clamp: bool = False):
        return self.add("ShaderNodeMath", {0: a, 1: b}, operation=operation, use_clamp=clamp)

    def mix(self, factor, a, b, blend: str = "MIX"):
        colours = {6: _colour(a), 7: _colour(b), 0: factor}
        return self.add("ShaderNodeMix", colours, out=2, data_type="RGBA", blend_type=blend)

    def noise(self, scale: float, detail: float = 4.0, coords=None, rough: float = 0.55, stretch=None):
        if stretch is not None:
            coords = self.add("ShaderNodeMapping", {0: coords or self.coords(), 3: stretch})
        inputs = {"Scale": scale, "Detail": detail, "Roughness": rough}
        return self.add("ShaderNodeTexNoise", inputs | ({"Vector": coords} if coords else {"Vector": self.coords()}))

    def coords(self):
        return self.add("ShaderNodeTexCoord", out="Object")

    def ramp(self, factor, *stops):
        """A colour ramp through (position, colour) stops."""
        socket = self.add("ShaderNodeValToRGB", {0: factor})
        ramp = socket.node.color_ramp
        while len(ramp.elements) < len(stops):
            ramp.elements.new(0.5)
        for element, (position, colour) in zip(ramp.elements, stops, strict=True):
            element.position, element.color = position, _colour(colour)
        return socket

    def bump(self, height, strength: float, distance: float = 0.05):
        return self.add("ShaderNodeBump", {"Height": height, "Strength": strength, "Distance": distance})

    def principled(self, colour, rough=0.8, normal=None, **more):
        inputs = {"Base Color": _colour(colour), "Roughness": rough, "Specular IOR Level": 0.3}
        inputs |= {k.replace("_", " "): v for k, v in more.items()}
        return self.add("ShaderNodeBsdfPrincipled", inputs | ({"Normal": normal} if normal else {}))

    def finish(self, shader, *, haze: bool = True) -> None:
        """Lay haze over what the camera sees, by the length of its ray; reflections and bounces see through."""
        if haze:
            length = self.add("ShaderNodeLightPath", out="Ray Length")
            camera = self.add("ShaderNodeLightPath", out="Is Camera Ray")
            clear = self.math("POWER", 2.71828, self.math("MULTIPLY", length, -1 / HAZE_DISTANCE))
            factor = self.math("MULTIPLY", camera, self.math("SUBTRACT", 1.0, clear))
            air = self.add("ShaderNodeEmission", {0: (*HAZE, 1), 1: 0.55})
            shader = self.add("ShaderNodeMixShader", {0: factor, 1: shader, 2: air})
        self.add("ShaderNodeOutputMaterial", {0: shader})


def _colour(c):
    return c if isinstance(c, bpy.types.NodeSocket) or len(c) == 4 else (*c, 1.0)


def _new(name: str) -> tuple[bpy.types.Material, Graph]:
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    material.cycles.emission_sampling = "NONE"  # the haze must not become a lamp
    return material, Graph(material.node_tree)


def _dim(c, by: float):
    return tuple(v * by for v in c)


def plain(name: str, colour, rough: float = 0.7, **more):
    material, g = _new(name)
    tint = g.mix(g.noise(3.0), _dim(colour, 0.8), _dim(colour, 1.12))
    g.finish(g.principled(tint, rough, **more))
    return material


def plaster(name: str, colour):
    """Old plaster: blotches, streaks of rain, a rough grain."""
    material, g = _new(name)
    blotch = g.ramp(g.noise(0.55, 6), (0.35, _dim(colour, 0.72)), (0.62, colour))
    streak = g.ramp(g.noise(0.5, 5, stretch=(3.0, 3.0, 0.25)), (0.45, (1, 1, 1)), (0.72, (0.62, 0.56, 0.5)))
    tint = g.mix(0.75, blotch, streak, "MULTIPLY")
    g.finish(g.principled(tint, 0.9, g.bump(g.noise(9, 5), 0.5, 0.06)))
    return material


def tiles(name: str, colour):
    """Roof tiles: rows of half-round ridges, each course of another tint."""
    material, g = _new(name)
    wave = g.add(
        "ShaderNodeTexWave", {"Vector": g.coords(), "Scale": 1.4, "Distortion": 0.6}, out=1, bands_direction="DIAGONAL"
    )
    cells = g.add("ShaderNodeTexVoronoi", {"Vector": g.coords(), "Scale": 2.2}, out=1)
    tint = g.mix(0.35, g.mix(g.noise(0.8), _dim(colour, 0.6), _dim(colour, 1.25)), cells, "SOFT_LIGHT")
    g.finish(g.principled(tint, 0.85, g.bump(wave, 0.9, 0.12)))
    return material


def bricks(name: str, colour, mortar, width: float, height: float, *, bump: float = 0.7):
    """Laid stone; the pattern lies in the object's xy plane where it is flat, in xz and yz where it stands."""
    material, g = _new(name)
    split = g.add("ShaderNodeSeparateXYZ", {0: g.coords()})
    x, y, z = (split.node.outputs[i] for i in range(3))
    normal = g.add("ShaderNodeSeparateXYZ", {0: g.add("ShaderNodeTexCoord", out="Normal")}, out=2)
    flat = g.math("GREATER_THAN", g.math("ABSOLUTE", normal), 0.5)
    upright = g.add("ShaderNodeCombineXYZ", {0: g.math("ADD", x, y), 1: z})
    lying = g.add("ShaderNodeCombineXYZ", {0: x, 1: y})
    where = g.add("ShaderNodeMix", {4: upright, 5: lying, 0: flat}, out=1, data_type="VECTOR")
    wobble = g.add(
        "ShaderNodeVectorMath",
        {
            0: where,
            1: g.add(
                "ShaderNodeVectorMath",
                {0: g.add("ShaderNodeTexNoise", {"Vector": where, "Scale": 2.0}, out=1), 3: 0.06},
                operation="SCALE",
            ),
        },
        operation="ADD",
    )
    brick = g.add(
        "ShaderNodeTexBrick",
        {
            "Vector": wobble,
            "Color1": _colour(_dim(colour, 0.68)),
            "Color2": _colour(_dim(colour, 1.2)),
            "Mortar": _colour(mortar),
            "Scale": 1.0,
            "Mortar Size": 0.025,
            "Mortar Smooth": 0.4,
            "Brick Width": width,
            "Row Height": height,
        },
    )
    grain = g.noise(2.5, 8, rough=0.65)
    tint = g.mix(0.65, brick, g.ramp(grain, (0.3, (0.35, 0.35, 0.35)), (0.7, (0.85, 0.85, 0.85))), "OVERLAY")
    height_map = g.math("SUBTRACT", g.math("MULTIPLY", grain, 0.6), brick.node.outputs[1])
    g.finish(g.principled(tint, 0.75, g.bump(height_map, bump, 0.05)))
    return material


def wood(name: str, colour, *, planks: float = 4.0):
    material, g = _new(name)
    grain = g.noise(2.0, 8, stretch=(1.5, 14.0, 14.0))
    lines = g.add(
        "ShaderNodeTexWave", {"Vector": g.coords(), "Scale": planks, "Distortion": 0.2}, out=1, bands_direction="Y"
    )
    gaps = g.ramp(lines, (0.0, (0.25, 0.25, 0.25)), (0.08, (1, 1, 1)))
    tint = g.mix(0.8, g.mix(grain, _dim(colour, 0.5), _dim(colour, 1.4)), gaps, "MULTIPLY")
    g.finish(g.principled(tint, 0.6, g.bump(grain, 0.4, 0.02)))
    return material


def foliage(name: str, dark, light):
    """Leaves: each clump its own green, some light let through."""
    material, g = _new(name)
    clump = g.noise(1.1, 3)
    fine = g.noise(14.0, 1)
    tint = g.ramp(
        g.math("ADD", g.math("MULTIPLY", clump, 0.6), g.math("MULTIPLY", fine, 0.4)), (0.36, dark), (0.64, light)
    )
    each = g.add("ShaderNodeObjectInfo", out="Random")
    tint = g.mix(g.math("MULTIPLY", each, 0.5), tint, g.mix(0.5, tint, (0.32, 0.24, 0.06)))
    through = g.add("ShaderNodeBsdfTranslucent", {0: tint})
    g.finish(g.add("ShaderNodeMixShader", {0: 0.3, 1: g.principled(tint, 0.6), 2: through}))
    return material


def land(name: str = "land"):
    """The hillside: dry grass, olive scrub, bare rock where it is steep and a pale beach at the water."""
    material, g = _new(name)
    geometry = g.add("ShaderNodeNewGeometry", out="Normal")
    slope = g.add("ShaderNodeSeparateXYZ", {0: geometry}, out=2)
    grass = g.ramp(
        g.noise(0.05, 9, rough=0.62),
        (0.36, (0.075, 0.115, 0.03)),
        (0.52, (0.20, 0.20, 0.06)),
        (0.68, (0.42, 0.32, 0.12)),
    )
    strata = g.noise(0.22, 9, stretch=(0.4, 0.4, 2.4), rough=0.66)
    stone = g.ramp(strata, (0.34, (0.10, 0.075, 0.06)), (0.52, (0.33, 0.24, 0.18)), (0.68, (0.56, 0.44, 0.34)))
    edge = g.math("ADD", slope, g.math("MULTIPLY", g.math("SUBTRACT", g.noise(0.3, 6), 0.5), 0.5))
    steep = g.ramp(edge, (0.50, (1, 1, 1)), (0.68, (0, 0, 0)))
    tint = g.mix(steep, grass, stone)
    z = g.add("ShaderNodeSeparateXYZ", {0: g.add("ShaderNodeNewGeometry", out="Position")}, out=2)
    wet = g.ramp(g.math("DIVIDE", z, 3.0), (0.12, (0.30, 0.28, 0.25)), (0.4, (1, 1, 1)))
    tint = g.mix(1.0, tint, wet, "MULTIPLY")
    g.finish(g.principled(tint, 0.95, g.bump(strata, 0.9, 0.9)))
    return material


def rock(name: str = "rock"):
    material, g = _new(name)
    grain = g.noise(0.7, 10, rough=0.68)
    cracks = g.add("ShaderNodeTexVoronoi", {"Vector": g.coords(), "Scale": 0.6}, feature="DISTANCE_TO_EDGE")
    tint = g.ramp(grain, (0.33, (0.08, 0.065, 0.055)), (0.55, (0.32, 0.25, 0.19)), (0.72, (0.58, 0.48, 0.37)))
    tint = g.mix(1.0, tint, g.ramp(cracks, (0.0, (0.45, 0.42, 0.4)), (0.05, (1, 1, 1))), "MULTIPLY")
    z = g.add("ShaderNodeSeparateXYZ", {0: g.add("ShaderNodeNewGeometry", out="Position")}, out=2)
    tint = g.mix(1.0, tint, g.ramp(z, (0.3, (0.28, 0.27, 0.25)), (0.9, (1, 1, 1))), "MULTIPLY")
    g.finish(g.principled(tint, 0.85, g.bump(grain, 1.0, 0.35)))
    return material


def water(name: str = "water"):
    """The sea: blue-green body colour under a sharp, rippled reflection. Its ripples lie on the moving surface (UV)."""
    material, g = _new(name)
    uv = g.add("ShaderNodeUVMap", uv_map="metres")
    small = g.noise(1.5, 4, coords=g.add("ShaderNodeMapping", {0: uv, 3: (0.8, 1.7, 1)}))
    wide = g.noise(0.22, 3, coords=g.add("ShaderNodeMapping", {0: uv, 3: (0.6, 1.6, 1)}))
    normal = g.bump(g.math("ADD", g.math("MULTIPLY", small, 0.35), wide), 0.55, 0.35)
    patch = g.noise(0.03, 4, coords=uv)
    body = g.ramp(patch, (0.38, (0.005, 0.095, 0.13)), (0.62, (0.02, 0.21, 0.21)))
    g.finish(g.principled(body, 0.07, normal, IOR=1.33, Specular_IOR_Level=0.5))
    return material


def sky(name: str, sun):
    """The dome: light that depends on direction alone, with clouds lit from the sun's side."""
    material, g = _new(name)
    where = g.add("ShaderNodeVectorMath", {0: g.coords()}, operation="NORMALIZE")
    up = g.add("ShaderNodeSeparateXYZ", {0: where}, out=2)
    air = g.ramp(
        up,
        (0.0, (1.0, 0.66, 0.42)),
        (0.07, (0.98, 0.72, 0.52)),
        (0.20, (0.62, 0.66, 0.68)),
        (0.42, (0.24, 0.42, 0.60)),
        (0.9, (0.08, 0.19, 0.40)),
    )
    toward = g.add("ShaderNodeVectorMath", {0: where, 1: sun}, out=1, operation="DOT_PRODUCT")
    glow = g.math("POWER", g.math("MAXIMUM", toward, 0.0), 6.0)
    air = g.mix(g.math("MULTIPLY", glow, 0.8), air, (1.5, 0.95, 0.5))
    # Clouds on a flat layer overhead: seen along the direction divided by its height, so they crowd at the horizon.
    height = g.math("ADD", g.math("MAXIMUM", up, 0.0), 0.16)
    scale = g.math("DIVIDE", 1.0, height)
    layer = g.add("ShaderNodeVectorMath", {0: where, 3: scale}, operation="SCALE")
    spread = g.add("ShaderNodeMapping", {0: layer, 1: (1.7, 0.3, 0), 3: (0.75, 1.15, 0.0)})
    puff = g.noise(1.35, 9, coords=spread, rough=0.56)
    shifted = g.add("ShaderNodeMapping", {0: spread, 1: (-0.10, -0.06, 0)})
    shade = g.math("SUBTRACT", puff, g.noise(1.35, 9, coords=shifted, rough=0.56))
    lit = g.math("MULTIPLY_ADD", shade, 4.5, clamp=True)
    lit.node.inputs[2].default_value = 0.5
    cover = g.ramp(puff, (0.50, (0, 0, 0)), (0.66, (1, 1, 1)))
    cloud = g.ramp(lit, (0.1, (0.50, 0.42, 0.48)), (0.5, (0.95, 0.70, 0.56)), (0.9, (1.35, 1.08, 0.84)))
    fade = g.ramp(up, (0.0, (0.25, 0.25, 0.25)), (0.12, (0.92, 0.92, 0.92)))
    tint = g.mix(g.math("MULTIPLY", cover, fade), air, cloud)
    g.finish(g.add("ShaderNodeEmission", {0: tint, 1: 0.85}), haze=False)
    return material


def glow(name: str, colour, strength: float):
    material, g = _new(name)
    g.finish(g.add("ShaderNodeEmission", {0: (*colour, 1), 1: strength}))
    return material


def palette(sun) -> dict[str, bpy.types.Material]:
    """Every material of the film, by the name that the shapes use."""
    walls = {
        "ochre": (0.78, 0.46, 0.15), "salmon": (0.74, 0.30, 0.19), "cream": (0.82, 0.68, 0.46), "rose": (0.68, 0.33, 0.28),
        "lemon": (0.84, 0.62, 0.23), "brickred": (0.52, 0.15, 0.09), "sea": (0.28, 0.46, 0.46), "chalk": (0.80, 0.76, 0.68),
    }  # fmt: skip
    made = {f"wall-{name}": plaster(f"wall-{name}", colour) for name, colour in walls.items()}
    made |= {
        "shutter-green": plain("shutter-green", (0.05, 0.18, 0.10)),
        "shutter-blue": plain("shutter-blue", (0.08, 0.20, 0.34)),
        "shutter-brown": plain("shutter-brown", (0.20, 0.09, 0.045)),
        "trim": plain("trim", (0.74, 0.68, 0.58)),
        "glass": plain("glass", (0.025, 0.035, 0.045), 0.12, Specular_IOR_Level=0.7),
        "lit": glow("lit", (1.0, 0.60, 0.22), 1.7),
        "roof": tiles("roof", (0.55, 0.20, 0.10)),
        "terracotta": plain("terracotta", (0.50, 0.19, 0.09)),
        "flowers": foliage("flowers", (0.50, 0.03, 0.10), (0.85, 0.18, 0.22)),
        "awning": plain("awning", (0.62, 0.10, 0.07)),
        "iron": plain("iron", (0.022, 0.028, 0.028), 0.4, Metallic=0.6),
        "brass": plain("brass", (0.70, 0.45, 0.15), 0.3, Metallic=1.0),
        "lantern": glow("lantern", (1.0, 0.72, 0.38), 3.0),
        "paving": bricks("paving", (0.44, 0.37, 0.30), (0.13, 0.11, 0.09), 0.85, 0.46),
        "masonry": bricks("masonry", (0.42, 0.35, 0.28), (0.15, 0.13, 0.11), 0.9, 0.40),
        "bark": wood("bark", (0.17, 0.10, 0.06), planks=0.0),
        "deck": wood("deck", (0.40, 0.22, 0.10), planks=5.0),
        "crate": wood("crate", (0.34, 0.22, 0.11), planks=6.0),
        "mast": wood("mast", (0.48, 0.27, 0.11), planks=0.0),
        "hull-red": plain("hull-red", (0.58, 0.035, 0.025), 0.3),
        "hull-white": plain("hull-white", (0.82, 0.78, 0.70), 0.35),
        "hull-blue": plain("hull-blue", (0.05, 0.16, 0.30), 0.35),
        "hull-dark": plain("hull-dark", (0.04, 0.03, 0.03), 0.5),
        "canvas": plain("canvas", (0.86, 0.78, 0.62), 0.9),
        "canvas-red": plain("canvas-red", (0.66, 0.11, 0.06), 0.9),
        "tower-white": plaster("tower-white", (0.86, 0.82, 0.75)),
        "tower-red": plaster("tower-red", (0.60, 0.08, 0.05)),
        "gull": plain("gull", (0.85, 0.84, 0.82)),
        "gull-tip": plain("gull-tip", (0.12, 0.12, 0.13)),
        "balloon-a": plain("balloon-a", (0.72, 0.09, 0.06), 0.5),
        "balloon-b": plain("balloon-b", (0.88, 0.66, 0.28), 0.5),
        "balloon-c": plain("balloon-c", (0.07, 0.26, 0.34), 0.5),
        "wicker": wood("wicker", (0.38, 0.22, 0.09), planks=9.0),
        "skin": plain("skin", (0.62, 0.36, 0.25), 0.6),
        "hair": plain("hair", (0.05, 0.03, 0.02), 0.6),
        "hair-fair": plain("hair-fair", (0.42, 0.26, 0.10), 0.6),
        "cloth-navy": plain("cloth-navy", (0.03, 0.05, 0.14), 0.95),
        "cloth-grey": plain("cloth-grey", (0.20, 0.19, 0.18), 0.95),
        "cloth-beige": plain("cloth-beige", (0.60, 0.47, 0.31), 0.95),
        "cloth-brown": plain("cloth-brown", (0.24, 0.15, 0.09), 0.95),
        "cloth-red": plain("cloth-red", (0.60, 0.07, 0.05), 0.95),
        "van-teal": plain("van-teal", (0.05, 0.28, 0.30), 0.35),
        "van-cream": plain("van-cream", (0.74, 0.66, 0.48), 0.35),
        "pine": foliage("pine", (0.022, 0.060, 0.018), (0.14, 0.20, 0.05)),
        "cypress": foliage("cypress", (0.018, 0.045, 0.018), (0.085, 0.125, 0.035)),
        "bush": foliage("bush", (0.045, 0.075, 0.02), (0.22, 0.22, 0.06)),
        "bougainvillea": foliage("bougainvillea", (0.30, 0.015, 0.13), (0.75, 0.10, 0.35)),
        "land": land(),
        "rock": rock(),
        "water": water(),
        "sky": sky("sky", sun),
    }
    return made
