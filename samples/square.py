"""The square behind the harbour: people, a ball, a van, a banner; things that cross, hide one another and move fast.

Two shots in which much is hard for whoever follows an object: limbs swing, a beige coat passes a beige wall, a child runs
past a walker, a ball moves by its own width from frame to frame, a van goes by behind trees. ``build(shot)`` fills Blender's
scene, as ``harbour`` does.
"""

from __future__ import annotations

from math import pi, sin

import bpy
import numpy as np

from samples import props, shapes
from samples.figure import RUN, WALK, Gait, Outfit, person
from samples.shapes import Shape
from samples.world import Builder, ShotPlan, animate, film, light

OBJECTS = {
    "walker": 1, "ball": 2, "van": 3, "stroller": 4, "child": 5, "banner": 6, "lamp": 7, "tree": 8, "planter": 9, "sky": 10,
}  # fmt: skip
"""Named objects and their numbers in the matte picture; 0 is everything else."""
MIRRORS: list[str] = []
"""Those that mirror others."""


def _slide(t: float):
    u = t / 59
    return (-1.0 + 1.5 * u, -6.0, 1.65), (-0.6 + 1.2 * u, 6.0, 1.35)


def _by_hand(t: float):
    sway = (0.05 * sin(0.21 * t) + 0.02 * sin(0.53 * t + 1), 0.03 * sin(0.17 * t + 2), 0.03 * sin(0.31 * t))
    aim = 2.4 - 0.058 * t + 0.06 * sin(0.27 * t)
    return (0.6 + sway[0], -5.2 + sway[1], 1.5 + sway[2]), (aim, 6.0, 1.45 + 0.05 * sin(0.23 * t + 1))


SHOTS = (ShotPlan(60, 31.0, _slide), ShotPlan(60, 36.0, _by_hand))


def _town(build: Builder, rng: np.random.Generator) -> None:
    s = Shape()
    shapes.box(s, (90, 60, 1.0), (0, 10, -1.0), "paving")
    walls = (
        "wall-ochre",
        "wall-cream",
        "wall-salmon",
        "wall-chalk",
        "wall-lemon",
        "wall-sea",
        "wall-rose",
        "wall-cream",
    )
    x = -34.0
    for number in range(9):
        width = float(rng.uniform(6.4, 9.0))
        house = shapes.house(rng, width, 7.0, int(rng.integers(3, 5)), walls[number % len(walls)], "shutter-green")
        s.merge(house, at=(x + width / 2, 15.5 + float(rng.uniform(-0.3, 0.3)), 0))
        x += width
    for x in np.arange(-30, 32, 1.2):
        shapes.box(s, (1.17, 0.4, 0.16), (x, 9.6, 0), "masonry")
    for x, y in ((-6.4, 10.6), (-4.9, 10.9), (5.2, 10.7), (6.6, 10.9), (11.5, 10.8), (-12.0, 10.8)):
        shapes.lathe(s, [(0.26, 0), (0.32, 0.3), (0.33, 0.5), (0.27, 0.86), (0, 0.84)], (x, y, 0), "crate", segments=18)
    for x in (-9.5, 0.4, 8.8):
        shapes.lathe(s, [(0.06, 0), (0.06, 2.2), (1.7, 2.25), (0.0, 2.9)], (x, 11.0, 0), "canvas", segments=10)
    build.put("town", s)
    kinds = [build.mesh(f"cypress{i}", props.cypress(rng)) for i in range(2)]
    for x in (-26, -14.5, 13.5, 24):
        build.place("cypress", kinds[int(rng.integers(2))], (x, 11.3, 0), float(rng.uniform(0, 6)), 0.8)


def _planter(build: Builder, rng: np.random.Generator, at, *, flowers: str) -> None:
    s = Shape()
    shapes.box(s, (1.5, 0.5, 0.46), (0, 0, 0), "masonry")
    for x in (-0.45, 0.0, 0.45):
        shapes.leaves(s, rng, (x, 0, 0.62), (0.34, 0.26, 0.24), 800, 0.05, "bush")
        shapes.leaves(s, rng, (x, 0, 0.72), (0.30, 0.22, 0.18), 260, 0.045, flowers)
    build.put("planter", s, at=at, index=OBJECTS["planter"])


def _van(build: Builder, frames: int, where, *, tone: str) -> None:
    """A small delivery van that drives along x, nose ahead; ``where``: x, y, heading by frame number."""
    s = Shape()
    shapes.box(s, (2.3, 1.35, 1.25), (-0.25, 0, 0.38), tone)
    shapes.box(s, (2.2, 1.30, 0.06), (-0.25, 0, 1.63), "trim")
    shapes.box(s, (0.85, 1.25, 0.62), (1.2, 0, 0.34), tone)
    shapes.box(s, (0.80, 1.22, 0.60), (1.06, 0, 0.96), "glass", taper=0.82)
    shapes.box(s, (3.2, 1.2, 0.12), (0.05, 0, 0.28), "hull-dark")
    for side in (-0.69, 0.69):
        shapes.box(s, (1.2, 0.03, 0.5), (-0.45, side, 0.85), "canvas")
    body = build.put("van", s, index=OBJECTS["van"])

    def drive(t: float):
        x, y, turn = where(t)
        return (x, y, 0.02 * sin(0.9 * t)), (0.012 * sin(0.5 * t), 0, turn)

    animate(body, drive, frames)
    speed = where(1)[0] - where(0)[0]
    wheel = Shape()
    shapes.lathe(wheel, [(0.0, -0.09), (0.24, -0.09), (0.27, -0.05), (0.27, 0.05), (0.24, 0.09), (0.0, 0.09)],
        (0, 0, 0), lambda ring, part: "trim" if ring in (0, 4) and part % 4 < 2 else "hull-dark", segments=20)  # fmt: skip
    flat = np.concatenate(wheel.vertices) @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], float)
    mesh = build.mesh("wheel", Shape().add(flat, wheel.faces, wheel.materials))
    for x in (-0.85, 1.05):
        for y in (-0.62, 0.62):
            thing = build.place("van-wheel", mesh, index=OBJECTS["van"], parent=body)
            animate(thing, lambda t, x=x, y=y: ((x, y, 0.27), (0, abs(speed) * t / 0.27, 0)), frames)


def _ball(build: Builder, frames: int) -> None:
    radius = 0.24
    s = Shape()
    angle = np.linspace(0, pi, 16)
    shapes.lathe(s, [(radius * np.sin(a) + 1e-4, -radius * np.cos(a)) for a in angle], (0, 0, 0),
        lambda ring, part: "hull-white" if (part // 4) % 2 else "hull-red", segments=24)  # fmt: skip
    thing = build.put("ball", s, index=OBJECTS["ball"])

    def bounce(t: float):
        beat = (t / 17.0) % 1.0
        high = 1.25 * 0.8 ** (t // 17)
        return (4.6 - 0.205 * t, 1.7 + 0.012 * t, radius + 4 * high * beat * (1 - beat)), (0.1 * t, -0.16 * t, 0.3)

    animate(thing, bounce, frames)


def _banner(build: Builder, frames: int, at) -> None:
    """A cloth in the wind, hung from a pole."""
    pole = Shape()
    shapes.tube(pole, [(0, 0, 0), (0, 0, 3.7)], 0.035, "iron")
    shapes.tube(pole, [(0, 0, 3.5), (1.1, 0, 3.5)], 0.02, "iron")
    build.put("pole", pole, at=at)
    xs, zs = np.linspace(0.05, 1.05, 24), np.linspace(1.75, 3.48, 36)
    gx, gz = np.meshgrid(xs, zs)
    points = np.stack([gx, 0 * gx, gz], -1).reshape(-1, 3)
    _, faces = shapes.grid(xs, zs, 0 * gx)
    names = ["canvas" if 11 < row < 23 else "canvas-red" for row in range(35) for _ in range(23)]
    mesh = build.mesh("banner", Shape().add(points, faces, names, smooth=True))
    cloth = build.place("banner", mesh, at, index=OBJECTS["banner"])
    cloth.shape_key_add(name="still")
    slack = (3.48 - points[:, 2]) / 1.73
    for name, turn in (("one", 0.0), ("two", pi / 2)):  # two standing waves, a quarter apart, make one that runs
        key = cloth.shape_key_add(name=name)
        wave = np.sin(4.2 * slack * 1.73 + 2.0 * points[:, 0] + turn)
        moved = points + np.stack([0.05 * slack * wave, 0.34 * slack * wave, 0.05 * slack**2 * np.abs(wave)], -1)
        key.data.foreach_set("co", moved.ravel().tolist())
        for frame in range(-1, frames + 4):
            key.value = float(sin(0.26 * frame + turn))
            key.keyframe_insert("value", frame=frame)
        key.slider_min = -1.0
    for curve in cloth.data.shape_keys.animation_data.action.fcurves:
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"


def _actors(build: Builder, shot: int, frames: int) -> None:
    rng = np.random.default_rng(21)
    if shot == 0:
        navy = Outfit("cloth-navy", "cloth-grey")
        person(build, "walker", navy, WALK, lambda t: (-3.0 + 0.058 * t, 3.6, 0.0), frames, index=OBJECTS["walker"])
        _ball(build, frames)
        _van(build, frames, lambda t: (8.2 - 0.17 * t, 7.4, pi), tone="van-teal")
        build.put("lamp", props.lamp(), at=(-1.55, 2.2, 0), index=OBJECTS["lamp"])
        _planter(build, rng, (1.0, 2.6, 0), flowers="flowers")
        return
    beige = Outfit("cloth-beige", "cloth-brown", hair="hair-fair", long=0.34)
    person(build, "stroller", beige, Gait(27.0, swing=0.36, start=1.0),
        lambda t: (3.3 - 0.052 * t, 4.3 + 0.004 * t, pi), frames, index=OBJECTS["stroller"])  # fmt: skip
    red = Outfit("cloth-red", "cloth-navy")
    person(build, "child", red, RUN, lambda t: (-3.2 + 0.125 * t, 2.5 - 0.004 * t, 0.05), frames,
        index=OBJECTS["child"], tall=1.25)  # fmt: skip
    _van(build, frames, lambda t: (-6.5 + 0.24 * t, 8.0, 0.0), tone="van-cream")
    _banner(build, frames, (-2.6, 5.6, 0))
    tree = props.pine(np.random.default_rng(8), tall=5.2, count=52000, leaf=0.045)
    build.put("tree", tree, at=(1.5, 3.3, 0), turn=0.5, index=OBJECTS["tree"])
    _planter(build, rng, (3.5, 3.4, 0), flowers="bougainvillea")


def build(shot: int) -> ShotPlan:
    """Empty Blender's file and build ``SHOTS[shot]`` in it: frame 1 is the shot's first. Returns its plan."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    plan, maker = SHOTS[shot], Builder()
    _town(maker, np.random.default_rng(12))
    _actors(maker, shot, plan.frames)
    light(maker, sky=OBJECTS["sky"])
    film(maker, plan)
    return plan
