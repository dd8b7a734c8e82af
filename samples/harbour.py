"""The harbour: one small world, two shots of it. ``build(shot)`` fills Blender's scene and animates it.

Metres, z up, the sea at z = 0. The bay opens to the south, where the first camera stands on a quay and looks north
over the water at the village; the lighthouse stands on a headland to the east. Nothing is loaded: geometry comes from
``shapes``, materials from ``materials``, and every random choice from a seeded generator.
"""

from __future__ import annotations

from math import cos, pi, radians, sin

import bpy
import numpy as np

from samples import props, shapes
from samples.shapes import Shape
from samples.world import Builder, Pose, ShotPlan, animate, film, light

OBJECTS = {"boat": 1, "lamp": 2, "tree": 3, "balloon": 4, "lighthouse": 5, "water": 6, "sky": 7, "gulls": 8}
"""Named objects and their numbers in the matte picture; 0 is everything else."""
MIRRORS = ["water"]
"""Those that mirror others: what is seen in them moves otherwise than they do."""

MOORED = (
    ("hull-blue", -20, 50, 0.2),
    ("hull-red", -11, 48, -0.3),
    ("hull-white", 12, 50, 2.9),
    ("hull-blue", 21, 47, 0.5),
    ("hull-white", 33, 49, 3.4),
    ("hull-red", 6.5, 6.5, 0.25),
)
"""Colour, x, y and turn of the skiffs at their moorings."""


def _ease(x: float) -> float:
    return x * x * (3 - 2 * x)


def _dolly(t: float):
    u = t / 71
    x = -2.6 + 4.3 * (0.75 * u + 0.25 * _ease(u))
    return (x, -6.2, 2.75), (x * 0.62 + 1.4, 60.0, 10.6)


def _crane(t: float):
    u = t / 59
    v = 0.7 * u + 0.3 * _ease(u)
    return (46.0 + 6.0 * v, -14.0 + 4.0 * v, 3.4 + 7.0 * v), (74.5 + 1.0 * v, 50.0, 12.6 - 1.4 * v)


SHOTS = (ShotPlan(72, 33.0, _dolly), ShotPlan(60, 34.0, _crane))


# -- land ---------------------------------------------------------------------------------------------------------


def _coast(x):
    """The shore's y at x."""
    east = np.clip((x - 98) / 60, 0, None)
    west = np.clip((-95 - x) / 60, 0, None)
    wild = 3.5 * shapes.value_noise(x / 14, x * 0 + 3.3, seed=5)
    tame = np.clip(np.abs(x + 15) / 20 - 3.2, 0, 1)
    return (
        60 + wild * tame + 230 * east**1.5 - 14 * np.sin(np.clip(west, 0, 1.5) * 2) + 60 * np.clip(west - 1.3, 0, None)
    )


def height(x, y):
    """The land's height in metres; below the sea it is negative."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    d = y - _coast(x)
    rise = 78 * (1 - np.exp(-np.clip(d - 6, 0, None) * 0.85 / 78))
    hills = shapes.value_noise(x / 70, y / 70, seed=11) * 20 + shapes.value_noise(x / 16, y / 16, seed=12) * 3.0
    away = np.clip((d - 12) / 60, 0, 1)
    mellow = 1 - 0.45 * np.exp(-(((x - 40) / 45) ** 2))
    z = np.where(d > 0, 1.7 + rise * mellow + hills * away, -2.5 + np.clip(d + 1.5, -1.5, 1.5))
    crag = shapes.value_noise(x / 9, y / 9, seed=14) * 3.2 + shapes.value_noise(x / 3, y / 3, seed=15) * 0.8
    r = np.hypot((x - 79) / 19, (y - 53) / 15)
    edge = np.clip((1.36 + 0.12 * shapes.value_noise(x / 6, y / 6, seed=16) - r) / 0.34, 0, 1)
    cape = 9.0 * edge * edge * (3 - 2 * edge) + 1.8 * np.clip(1 - r, 0, 1)
    cape = cape + crag * np.clip((r - 0.30) * 2, 0, 1) * np.clip((1.6 - r) * 2, 0, 1) - 1.5
    return np.maximum(z, np.where(r < 1.6, cape, -3))


def _gull(build: Builder, name: str, parent_pose: Pose, frames: int, beat: float, phase: float) -> None:
    body, wing = Shape(), Shape()
    shapes.lathe(
        body,
        [(0, -0.34), (0.05, -0.28), (0.10, 0), (0.08, 0.2), (0.03, 0.32), (0, 0.38)],
        (0, 0, 0),
        "gull",
        segments=10,
    )
    turned = np.concatenate(body.vertices) @ np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], float)
    flat = Shape().add(turned, body.faces, body.materials, smooth=True)
    points = np.array(
        [(0.12, 0, 0), (-0.14, 0, 0), (0.20, 0.34, 0.05), (-0.10, 0.36, 0.05), (0.02, 0.8, 0.0), (-0.1, 0.78, 0.0)]
    )
    wing.add(points, [(0, 2, 3, 1), (2, 4, 5, 3)], ["gull", "gull-tip"])
    bird = build.put(name, flat, index=OBJECTS["gulls"])
    animate(bird, parent_pose, frames)
    mesh = build.mesh("wing", wing)
    for side in (1, -1):
        flap = build.place(f"{name}-wing", mesh, scale=(1, side, 1), index=OBJECTS["gulls"], parent=bird)

        def pose(t: float, side: int = side):
            return (0, 0, 0.03), (side * (0.15 + 0.55 * sin(beat * t + phase)), 0, 0)

        animate(flap, pose, frames)


# -- the world ----------------------------------------------------------------------------------------------------


def _village(build: Builder, rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """Rows of houses up the slope. Returns their (x, y, radius), so that trees keep off."""
    walls = [n for n in build.palette if n.startswith("wall-")]
    shutters = ["shutter-green", "shutter-green", "shutter-blue", "shutter-brown"]
    town, taken, last = Shape(), [], ""
    for row, (y, gap, skip) in enumerate(
        ((61.5, 0.0, 0.0), (74.5, 1.0, 0.05), (87, 3.0, 0.12), (100, 5.0, 0.25), (114, 8.0, 0.4), (131, 16.0, 0.5))
    ):
        x = -74.0 + rng.uniform(0, 4)
        while x < 46:
            width = rng.uniform(5.6, 9.2)
            if rng.random() >= skip:
                wall = str(rng.choice([w for w in walls if w != last]))
                last = wall
                floors = int(rng.integers(3, 6)) if row == 0 else int(rng.integers(2, 4))
                at = (x + width / 2, y + rng.uniform(-0.7, 0.7) + 3, float(height(x + width / 2, y - 0.5)))
                at = (at[0], at[1], 1.6) if row == 0 else at
                turn = rng.normal() * (0.02 if row == 0 else 0.12)
                town.merge(
                    shapes.house(rng, width, rng.uniform(6.5, 8), floors, wall, str(rng.choice(shutters))),
                    at=at,
                    turn=turn,
                )
                taken.append((at[0], at[1], width * 0.62 + 1.0))
            x += width + (rng.exponential(gap) if gap else (0.0 if rng.random() < 0.85 else 2.2))
    church = Shape()
    shapes.box(church, (4.2, 4.2, 25), (0, 0, -4), "wall-chalk")
    for z in (9.0, 15.0, 20.8):
        shapes.box(church, (4.7, 4.7, 0.35), (0, 0, z), "trim")
    for side in (-0.9, 0.9):
        shapes.box(church, (0.9, 4.3, 2.6), (side, 0, 16.8), "hull-dark")
    shapes.lathe(church, [(3.3, 21.1), (0.05, 26.5)], (0, 0, 0), "roof", segments=4, smooth=False)
    shapes.tube(church, [(0, 0, 26), (0, 0, 28)], 0.06, "iron")
    town.merge(church, at=(-9.0, 83, float(height(-9.0, 83))))
    taken.append((-9.0, 83, 4))
    build.put("village", town)

    front = Shape()
    shapes.box(front, (122, 9, 4), (-14, 57.6, -2.4), "masonry")
    for x in np.arange(-70, 45, 7.5):
        shapes.lathe(
            front,
            [(0.10, 0), (0.05, 0.3), (0.05, 2.7), (0.14, 2.8), (0.18, 3.1), (0.0, 3.3)],
            (x, 54.2, 1.6),
            "iron",
            segments=6,
        )
    for x in np.arange(-60, 40, 3.3):
        if rng.random() < 0.5:
            shapes.lathe(
                front,
                [(0.06, 0), (0.06, 1.7), (1.2, 1.75), (0.0, 2.3)],
                (x, 55.6, 1.6),
                str(rng.choice(["canvas", "awning", "balloon-b"])),
                segments=8,
            )
    build.put("promenade", front)
    return taken


def _planting(build: Builder, rng: np.random.Generator, taken) -> None:
    kinds = [build.mesh(f"cypress{i}", props.cypress(rng)) for i in range(3)] + [
        build.mesh(f"bush{i}", props.bush(rng, "bush")) for i in range(4)
    ]
    kinds += [build.mesh("bougainvillea", props.bush(rng, "bougainvillea"))]
    kinds += [build.mesh(f"far-pine{i}", props.pine(rng, tall=6.5, count=3600, leaf=0.17)) for i in range(3)]
    spots = np.array([(x, y) for x, y, _ in taken])
    room = np.array([r for *_, r in taken])
    for number in range(2300):
        x, y = rng.uniform(-190, 150), 62 + 170 * rng.random() ** 1.5
        kind = int(
            rng.choice(len(kinds), p=[0.08] * 3 + [0.135] * 4 + [0.04] + [0.06, 0.06, 0.06])
            if number % 3
            else rng.integers(3, 7)
        )
        z = float(height(x, y))
        if z < 2.5 or np.any(np.hypot(*(spots - (x, y)).T) < room + 0.5) or np.hypot(x - 79, y - 53) < 8:
            continue
        if abs(float(height(x + 1, y)) - z) + abs(float(height(x, y + 1)) - z) > 1.9:
            continue
        scale = float(rng.uniform(0.8, 1.5)) * (1.5 if kind in (3, 4, 5, 6) and y > 110 else 1.0)
        build.place("plant", kinds[kind], (x, y, z - 0.1), float(rng.uniform(0, 6.28)), scale)


def _quay(build: Builder, rng: np.random.Generator) -> None:
    s = Shape()
    shapes.box(s, (70, 16, 3.2), (0, -6, -2.0), "paving")
    for x in np.arange(-30, 30, 1.6):
        shapes.box(s, (1.57, 0.55, 0.22), (x, 1.78, 1.14), "masonry")
    for x in (-8.2, -1.3, 5.6, 11):
        shapes.lathe(
            s,
            [(0.2, 0), (0.17, 0.1), (0.13, 0.4), (0.22, 0.47), (0.22, 0.56), (0, 0.62)],
            (x, 1.45, 1.3),
            "iron",
            segments=14,
        )
    for a, b in ((-8.2, -1.3), (-1.3, 5.6), (5.6, 11)):
        u = np.linspace(0, 1, 20)
        rope = np.stack([a + (b - a) * u, 1.45 + 0 * u, 1.75 - 1.3 * u * (1 - u) * 1.1], -1)
        shapes.tube(s, rope, 0.028, "canvas", segments=6)
    for x, y, z, turn, size in (
        (5.0, 0.2, 1.2, 0.2, 0.62),
        (5.75, 0.45, 1.2, -0.1, 0.62),
        (5.3, 0.3, 1.82, 0.5, 0.55),
        (-6.6, 0.5, 1.2, 0.4, 0.6),
    ):
        crate = Shape()
        for k in range(4):
            shapes.box(crate, (size, size, size * 0.2), (0, 0, k * size * 0.25), "crate")
        for cx in (-1, 1):
            for cy in (-1, 1):
                shapes.box(crate, (0.07, 0.07, size), (cx * size * 0.49, cy * size * 0.49, 0), "crate")
        s.merge(crate, at=(x, y, z), turn=turn)
    for x, y in ((6.7, 0.5), (7.3, 0.1)):
        shapes.lathe(
            s,
            [(0.26, 0), (0.32, 0.3), (0.33, 0.5), (0.27, 0.86), (0.25, 0.84), (0, 0.82)],
            (x, y, 1.2),
            "crate",
            segments=18,
        )
    for x, y in ((-3.0, 0.7), (0.9, 0.9), (4.3, 0.9)):
        shapes.lathe(
            s,
            [(0.20, 0), (0.28, 0.38), (0.31, 0.40), (0.31, 0.46), (0.25, 0.45)],
            (x, y, 1.2),
            "terracotta",
            segments=16,
        )
        shapes.leaves(s, rng, (x, y, 1.85), (0.34, 0.34, 0.26), 700, 0.05, "bougainvillea" if x > 0 else "flowers")
        shapes.leaves(s, rng, (x, y, 1.72), (0.34, 0.34, 0.22), 400, 0.05, "bush")
    build.put("quay", s)
    build.put("lamp", props.lamp(), at=(2.35, 0.55, 1.2), index=OBJECTS["lamp"])
    build.put(
        "tree",
        props.pine(np.random.default_rng(8), tall=5.6, count=62000, leaf=0.045),
        at=(-4.7, 0.7, 1.1),
        turn=0.5,
        index=OBJECTS["tree"],
    )


def _land(build: Builder, rng: np.random.Generator) -> None:
    xs, ys = np.linspace(-260, 175, 470), 30 + 290 * np.linspace(0, 1, 330) ** 1.35
    gx, gy = np.meshgrid(xs, ys)
    points, faces = shapes.grid(xs, ys, height(gx, gy))
    build.put("land", Shape().add(points, faces, "land", smooth=True))
    far = Shape()
    for i, (y, top) in enumerate(((900, 95), (1500, 190))):
        xs, ys = np.linspace(-1600, 2200, 260), np.linspace(y, y + 420, 40)
        gx, gy = np.meshgrid(xs, ys)
        ridge = np.sin(np.clip((gy - y) / 420, 0, 1) * pi) ** 0.7
        z = -4 + ridge * top * (0.62 + 0.55 * shapes.value_noise(gx / 330 + 3 * i, gy / 330, seed=31 + i, octaves=6))
        points, faces = shapes.grid(xs, ys, z)
        far.add(points, faces, "land", smooth=True)
    build.put("mountains", far)
    stones = Shape()
    for _ in range(190):
        angle, r = rng.uniform(pi * 0.7, 2.05 * pi), rng.uniform(1.0, 1.5)
        x, y = 79 + 19 * r * cos(angle), 53 + 15 * r * sin(angle)
        size = 0.4 + 2.3 * rng.random() ** 2.2
        place = (x, y, max(float(height(x, y)), -0.5) + 0.1 * size)
        shapes.rock(stones, rng, place, (size, size * rng.uniform(0.7, 1.2), size * rng.uniform(0.5, 0.9)))
    build.put("rocks", stones)


def _water(build: Builder, frames: int) -> None:
    def spread(start: float, dense: float, end: float, step: float) -> list[float]:
        values = list(np.arange(start, dense, step))
        while values[-1] < end:
            step *= 1.09
            values.append(values[-1] + step)
        return values

    right = spread(0.0, 95.0, 4000.0, 0.55)
    xs = np.array([-x for x in spread(0.55, 45.0, 4000.0, 0.55)][::-1] + right)
    ys = np.array(spread(1.0, 62.0, 4500.0, 0.42))
    points, faces = shapes.grid(xs, ys, np.zeros((len(ys), len(xs))))
    mesh = build.mesh("water", Shape().add(points, faces, "water", smooth=True))
    loops = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", loops)
    mesh.uv_layers.new(name="metres").data.foreach_set("uv", points[loops, :2].ravel().tolist())
    sea = build.place("water", mesh, index=OBJECTS["water"])
    waves = sea.modifiers.new("waves", "OCEAN")
    waves.geometry_mode, waves.spatial_size, waves.resolution, waves.viewport_resolution = "DISPLACE", 48, 14, 14
    waves.wave_scale, waves.choppiness, waves.wind_velocity, waves.wave_scale_min = 0.16, 1.0, 4.5, 0.02
    waves.wave_direction, waves.wave_alignment, waves.damping, waves.random_seed = radians(25), 0.3, 0.4, 3
    for frame in (-10, frames + 10):
        waves.time = 5.0 + frame / 24
        waves.keyframe_insert("time", frame=frame)
    for curve in sea.animation_data.action.fcurves:
        for key in curve.keyframe_points:
            key.interpolation = "LINEAR"


def _actors(build: Builder, shot: int, frames: int) -> None:
    boat = build.put("boat", props.boat(), index=OBJECTS["boat"])

    def sailing(t: float):
        x, y = (-7.6 + 0.165 * t, 21.0) if shot == 0 else (56.0 + 0.12 * t, 28.6 - 0.01 * t)
        place = (x, y, 0.02 + 0.07 * sin(t * 0.16))
        return place, (radians(4.5) + 0.035 * sin(t * 0.13 + 1), 0.022 * sin(t * 0.17), 0.03 if shot == 0 else -0.35)

    animate(boat, sailing, frames)
    balloon = build.put("balloon", props.balloon(), index=OBJECTS["balloon"])

    def floating(t: float):
        if shot == 0:
            return (44.0 + 0.11 * t, 150.0, 47 + 0.03 * t), (0.02 * sin(t * 0.05), 0, 0.004 * t)
        return (103.0 + 0.33 * t, 115.0, 26.0 + 0.05 * t), (0.02 * sin(t * 0.05), 0, 0.006 * t)

    animate(balloon, floating, frames)
    for i, (colour, x, y, turn) in enumerate(MOORED):
        skiff = build.put(f"skiff{i}", props.skiff(colour))

        def moored(t: float, i: int = i, x: float = x, y: float = y, turn: float = turn):
            return (x, y, 0.12 + 0.05 * sin(t * 0.14 + i)), (
                0.05 * sin(t * 0.11 + 2 * i),
                0.03 * sin(t * 0.15 + i),
                turn + 0.02 * sin(t * 0.05 + i),
            )

        animate(skiff, moored, frames)
    centre, away = ((6.0, 26.0, 10.5), 1.0) if shot == 0 else ((66.0, 34.0, 19.0), 1.0)
    for i in range(5):

        def glide(t: float, i: int = i):
            a = 0.035 * t * (1 + 0.1 * i) + i * 1.25
            r = (4.5 + 1.1 * i) * away
            place = (
                centre[0] + r * cos(a),
                centre[1] + 0.8 * r * sin(a),
                centre[2] + 0.8 * i + 0.5 * sin(0.07 * t + i),
            )
            return place, (-0.35, 0.05, a + pi / 2)

        _gull(build, f"gull{i}", glide, frames, 0.55 + 0.04 * i, i * 1.7)


def build(shot: int) -> ShotPlan:
    """Empty Blender's file and build ``SHOTS[shot]`` in it: frame 1 is the shot's first. Returns its plan."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    plan, maker = SHOTS[shot], Builder()
    _land(maker, np.random.default_rng(1))
    taken = _village(maker, np.random.default_rng(2))
    _planting(maker, np.random.default_rng(3), taken)
    _quay(maker, np.random.default_rng(4))
    cape = float(height(79, 53))
    maker.put("lighthouse", props.lighthouse(), at=(79, 53, cape - 0.4), index=OBJECTS["lighthouse"])
    cottage = shapes.house(np.random.default_rng(6), 8.5, 6.0, 1, "wall-chalk", "shutter-blue")
    maker.put("cottage", Shape().merge(cottage, at=(71.5, 55.5, float(height(71.5, 55.5)) - 0.3), turn=-0.35))
    _water(maker, plan.frames)
    _actors(maker, shot, plan.frames)
    light(maker, sky=OBJECTS["sky"])
    film(maker, plan)
    return plan
