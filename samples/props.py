"""The things of the harbour: trees, lamp, boats, lighthouse, balloon. Geometry alone, no Blender."""

from __future__ import annotations

from math import cos, pi, sin

import numpy as np

from samples import shapes
from samples.shapes import Shape


def pine(rng: np.random.Generator, *, tall: float, count: int, leaf: float) -> Shape:
    """A stone pine: a bent trunk that forks into an umbrella of tufts."""
    s = Shape()
    u = np.linspace(0, 1, 9)
    trunk = np.stack([0.35 * np.sin(u * 2.2), 0.15 * np.sin(u * 3), tall * 0.62 * u], -1)
    shapes.tube(s, trunk, 0.20 - 0.07 * u, "bark", segments=10)
    fork = trunk[-1]
    for i in range(15):
        angle, reach = i * 2.4, tall * (0.12 + 0.36 * np.sqrt((i + 0.5) / 15))
        end = np.array(
            [fork[0] + reach * cos(angle), fork[1] + reach * sin(angle) * 0.8, tall * rng.uniform(0.78, 0.92)]
        )
        end[2] -= 0.16 * reach
        middle = (fork + end) / 2 + (0, 0, -0.12 * tall * 0.4)
        branch = np.array([fork, middle, end])
        shapes.tube(s, branch, [0.09, 0.06, 0.025], "bark", segments=6)
        size = tall * rng.uniform(0.13, 0.19)
        shapes.leaves(s, rng, end + np.array([0, 0, 0.1]), (size, size, size * 0.5), count // 15, leaf, "pine")
    return s


def cypress(rng: np.random.Generator) -> Shape:
    s = Shape()
    shapes.tube(s, [(0, 0, -1), (0, 0, 1)], 0.14, "bark")
    for z in np.linspace(0.6, 6.6, 9):
        r = 0.85 * (1 - (z / 7.6) ** 1.7) * rng.uniform(0.9, 1.1) + 0.1
        shapes.leaves(s, rng, (rng.normal() * 0.05, rng.normal() * 0.05, z), (r, r, 0.8), 330, 0.16, "cypress")
    return s


def bush(rng: np.random.Generator, material: str) -> Shape:
    s = Shape()
    for _ in range(5):
        at = rng.normal(size=3) * (0.6, 0.6, 0.15) + (0, 0, 0.55)
        shapes.leaves(s, rng, at, (0.75, 0.75, 0.6), 240, 0.13, material)
    return s


def lamp() -> Shape:
    s = Shape()
    profile = [
        (0.26, 0),
        (0.26, 0.12),
        (0.17, 0.2),
        (0.15, 0.55),
        (0.10, 0.62),
        (0.085, 1.1),
        (0.10, 1.14),
        (0.06, 1.2),
    ]
    profile += [(0.045, 3.3), (0.09, 3.34), (0.04, 3.42), (0.04, 3.6), (0.13, 3.66), (0.13, 3.70), (0.0, 3.71)]
    shapes.lathe(s, profile, (0, 0, 0), "iron", segments=14)
    shapes.lathe(s, [(0.11, 3.70), (0.19, 4.2)], (0, 0, 0), "lantern", segments=6, smooth=False)
    shapes.lathe(
        s,
        [(0.25, 4.2), (0.23, 4.25), (0.07, 4.42), (0.05, 4.5), (0.07, 4.55), (0, 4.62)],
        (0, 0, 0),
        "iron",
        segments=12,
    )
    for i in range(6):
        a = i * pi / 3
        ends = [(0.115 * cos(a), 0.115 * sin(a), 3.69), (0.195 * cos(a), 0.195 * sin(a), 4.21)]
        shapes.tube(s, ends, 0.012, "iron", segments=5)
    for side in (-1, 1):
        arm = [(side * 0.45 * v, 0, 3.15 + 0.08 * sin(v * pi)) for v in np.linspace(0, 1, 7)]
        shapes.tube(s, arm, 0.018, "iron", segments=6)
        shapes.lathe(
            s,
            [(0.0, -0.33), (0.17, -0.30), (0.20, -0.12), (0.16, -0.1)],
            (side * 0.45, 0, 3.12),
            "terracotta",
            segments=10,
        )
        shapes.leaves(
            s, np.random.default_rng(40 + side), (side * 0.45, 0, 3.1), (0.26, 0.26, 0.2), 420, 0.05, "bougainvillea"
        )
    return s


def boat() -> Shape:
    """A little sloop with a red hull and a striped mainsail."""
    s = Shape()
    shapes.hull(s, 6.4, 2.0, 1.25, ["hull-dark", "hull-red", "hull-red", "hull-red", "hull-white"])
    box = shapes.box
    box(s, (1.5, 1.1, 0.5), (0.5, 0, 0.42), "hull-white", taper=0.86)
    for x in (0.15, 0.6, 1.0):
        box(s, (0.26, 1.12, 0.16), (x, 0, 0.62), "glass")
    box(s, (1.3, 0.95, 0.05), (0.5, 0, 0.92), "deck")
    shapes.tube(s, [(0.9, 0, 0.3), (0.9, 0, 7.6)], [0.07, 0.045], "mast")
    shapes.tube(s, [(0.9, 0, 1.45), (-2.5, 0.25, 1.5)], 0.05, "mast")
    shapes.tube(s, [(3.4, 0, 0.85), (4.2, 0, 1.0)], 0.045, "mast")

    def stripes(u: float, v: float) -> str:
        return "canvas-red" if 0.28 <= v < 0.42 else "canvas"

    shapes.sail(s, [(0.82, 0, 1.6), (-2.45, 0.25, 1.62), (0.88, 0, 7.4)], 0.55, stripes)
    shapes.sail(s, [(4.1, 0, 1.1), (1.15, 0.2, 1.25), (0.95, 0, 6.6)], 0.45, lambda u, v: "canvas")
    s.add([(0.9, 0, 7.6), (0.9, 0, 7.95), (0.1, 0.1, 7.75)], [(0, 1, 2)], "canvas-red")
    shapes.tube(s, [(4.15, 0, 1.0), (0.9, 0, 7.2)], 0.012, "iron", segments=4)
    shapes.tube(s, [(-2.7, 0, 0.7), (0.9, 0, 7.5)], 0.012, "iron", segments=4)
    # Somebody at the tiller: a coat and a hat.
    shapes.lathe(s, [(0.22, 0), (0.26, 0.4), (0.12, 0.75), (0.0, 0.8)], (-1.7, 0.2, 0.45), "hull-blue", segments=10)
    shapes.lathe(s, [(0.0, 0), (0.11, 0.06), (0.12, 0.18), (0.0, 0.28)], (-1.7, 0.2, 1.22), "terracotta", segments=10)
    shapes.lathe(s, [(0.2, 0), (0.11, 0.03), (0.1, 0.13), (0, 0.15)], (-1.7, 0.2, 1.42), "canvas", segments=10)
    return s


def skiff(colour: str) -> Shape:
    s = Shape()
    shapes.hull(s, 3.6, 1.35, 0.75, ["hull-dark", colour, colour, "hull-white"])
    for x in (-0.8, 0.2):
        shapes.box(s, (0.3, 1.1, 0.05), (x, 0, 0.22), "deck")
    return s


def lighthouse() -> Shape:
    s = Shape()
    heights = np.linspace(0, 16, 11)
    radius = 2.55 - 0.95 * (heights / 16) ** 0.8
    shapes.lathe(s, [(3.0, -3), (3.0, 0.5), (2.7, 0.6)], (0, 0, 0), "masonry", segments=32)
    tower = list(zip(radius, heights + 0.6, strict=True))
    shapes.lathe(s, tower, (0, 0, 0), lambda i, j: "tower-red" if (i // 2) % 2 else "tower-white", segments=40)
    shapes.lathe(s, [(1.6, 16.4), (2.35, 16.9), (2.35, 17.15), (1.2, 17.15)], (0, 0, 0), "tower-white", segments=32)
    shapes.lathe(s, [(1.15, 17.1), (1.15, 17.9)], (0, 0, 0), "tower-red", segments=24)
    shapes.lathe(s, [(1.08, 17.9), (1.08, 19.5)], (0, 0, 0), "glass", segments=12, smooth=False)
    shapes.lathe(s, [(0.0, 18.1), (0.42, 18.3), (0.42, 19.1), (0, 19.3)], (0, 0, 0), "lantern", segments=12)
    shapes.lathe(
        s,
        [(1.4, 19.5), (1.3, 19.65), (0.9, 20.35), (0.25, 20.75), (0.2, 21.1), (0, 21.15)],
        (0, 0, 0),
        "tower-red",
        segments=24,
    )
    shapes.tube(s, [(0, 0, 21), (0, 0, 22.6)], 0.04, "iron")
    for i in range(20):
        a = i * pi / 10
        shapes.tube(
            s, [(2.25 * cos(a), 2.25 * sin(a), 17.1), (2.25 * cos(a), 2.25 * sin(a), 18.1)], 0.03, "iron", segments=4
        )
        if i % 2:
            shapes.tube(
                s, [(1.1 * cos(a), 1.1 * sin(a), 17.9), (1.1 * cos(a), 1.1 * sin(a), 19.5)], 0.045, "iron", segments=4
            )
    for z in (17.6, 18.1):
        ring = [(2.25 * cos(a), 2.25 * sin(a), z) for a in np.linspace(0, 2 * pi, 33)]
        shapes.tube(s, ring, 0.03, "iron", segments=4)
    for angle, z in ((-1.9, 4.6), (-1.9, 8.6), (-1.9, 12.4), (-2.9, 6.6), (-2.9, 10.6)):
        r = 2.55 - 0.95 * (z / 16) ** 0.8
        pane = Shape()
        shapes.box(pane, (0.16, 0.8, 1.25), (0, 0, 0), "trim")
        shapes.box(pane, (0.22, 0.55, 1.0), (0, 0, 0.1), "glass")
        s.merge(pane, at=((r - 0.02) * cos(angle), (r - 0.02) * sin(angle), z), turn=angle)
    return s


def balloon() -> Shape:
    s = Shape()
    v = np.linspace(0, 1, 22)
    angle = pi * v
    radius = 7.6 * np.sin(angle) ** 0.9 * (1 - 0.28 * (1 - v) ** 2) + 0.02
    profile = list(
        zip(np.where(v < 0.12, np.maximum(radius, 1.9), radius), 2.0 + 17.5 * (1 - np.cos(angle)) / 2, strict=True)
    )
    profile[0] = (1.7, 2.4)

    def gore(i: int, j: int) -> str:
        if 8 <= i < 11:
            return "balloon-b" if (j // 3) % 2 else "balloon-c"
        return ("balloon-a", "balloon-b", "balloon-a", "balloon-c")[(j // 3) % 4]

    shapes.lathe(s, profile, (0, 0, 0), gore, segments=48)
    shapes.box(s, (1.9, 1.9, 1.4), (0, 0, -2.4), "wicker", taper=1.1)
    for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        shapes.tube(s, [(x, y, -1.0), (x * 1.25, y * 1.25, 2.6)], 0.05, "iron", segments=4)
    return s
