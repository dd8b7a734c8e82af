"""What every scene is made with: Blender's objects from shapes, their motion, the evening's light, the camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi, radians, sin

import bpy
import numpy as np
from mathutils import Vector

from samples import materials, shapes
from samples.shapes import Shape

SUN = Vector((-0.80, -0.50, 0.30)).normalized()
"""Towards the sun: low in the south-west."""

Pose = Callable[[float], tuple[tuple[float, float, float], tuple[float, float, float]]]
"""Place and turn (Euler, radians) as a function of the frame number within the shot."""


@dataclass(frozen=True)
class ShotPlan:
    """One shot: how long it is, and the camera as (place, point looked at) by frame number."""

    frames: int
    lens: float
    camera: Callable[[float], tuple[tuple[float, float, float], tuple[float, float, float]]]


class Builder:
    """Turns shapes into Blender objects that share one palette."""

    def __init__(self) -> None:
        self.palette = materials.palette(SUN)
        self.scene = bpy.context.scene

    def mesh(self, name: str, shape: Shape) -> bpy.types.Mesh:
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(np.concatenate(shape.vertices).tolist(), [], shape.faces)
        names = sorted(set(shape.materials))
        for material in names:
            mesh.materials.append(self.palette[material])
        mesh.polygons.foreach_set("material_index", [names.index(m) for m in shape.materials])
        mesh.polygons.foreach_set("use_smooth", shape.smooth)
        mesh.update()
        return mesh

    def place(self, name: str, mesh, at=(0, 0, 0), turn: float = 0.0, scale=1.0, *, index: int = 0, parent=None):
        thing = bpy.data.objects.new(name, mesh)
        thing.location, thing.rotation_euler = at, (0, 0, turn)
        thing.scale = (scale,) * 3 if np.isscalar(scale) else scale
        thing.pass_index, thing.parent = index, parent
        self.scene.collection.objects.link(thing)
        return thing

    def put(self, name: str, shape: Shape, **where):
        return self.place(name, self.mesh(name, shape), **where)


def animate(thing, pose: Pose, frames: int) -> None:
    """One linear key a frame, with handles beyond both ends, so that motion is defined at the shot's own ends too."""
    for frame in range(-1, frames + 4):
        thing.location, thing.rotation_euler = pose(frame - 1)
        thing.keyframe_insert("location", frame=frame)
        thing.keyframe_insert("rotation_euler", frame=frame)
    for curve in thing.animation_data.action.fcurves:
        for key in curve.keyframe_points:
            key.interpolation = "LINEAR"


def light(build: Builder, *, sky: int) -> None:
    scene = build.scene
    world = bpy.data.worlds.new("world")
    scene.world, world.use_nodes = world, True
    g = materials.Graph(world.node_tree)
    up = g.add("ShaderNodeSeparateXYZ", {0: g.add("ShaderNodeTexCoord", out="Generated")}, out=2)
    air = g.ramp(up, (0.0, (0.95, 0.62, 0.42)), (0.2, (0.62, 0.64, 0.70)), (1.0, (0.20, 0.34, 0.60)))
    g.add("ShaderNodeOutputWorld", {0: g.add("ShaderNodeBackground", {0: air, 1: 0.5})})
    sun = bpy.data.lights.new("sun", "SUN")
    sun.energy, sun.color, sun.angle = 7.0, (1.0, 0.62, 0.34), radians(1.2)
    lamp = bpy.data.objects.new("sun", sun)
    lamp.rotation_euler = (-SUN).to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(lamp)
    dome = Shape()
    v = np.linspace(-0.05, pi / 2, 18)
    shapes.lathe(dome, [(6000 * cos(a), 6000 * sin(a)) for a in v], (0, 0, 0), "sky", segments=48)
    seen = build.put("sky", dome, index=sky)
    # Seen and mirrored, but neither a lamp nor a shade: the world lights the scene.
    seen.visible_diffuse = seen.visible_shadow = seen.visible_transmission = False


def film(build: Builder, plan: ShotPlan) -> None:
    """The shot's camera."""
    camera = bpy.data.cameras.new("camera")
    camera.lens, camera.clip_end, camera.clip_start = plan.lens, 20000, 0.1
    eye = bpy.data.objects.new("camera", camera)
    build.scene.collection.objects.link(eye)
    build.scene.camera = eye

    def look(t: float):
        place, target = plan.camera(t)
        turn = (Vector(target) - Vector(place)).to_track_quat("-Z", "Y").to_euler()
        return place, tuple(turn)

    animate(eye, look, plan.frames)
