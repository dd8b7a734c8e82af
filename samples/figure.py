"""A person who walks or runs: limbs that hang from their joints, swung by plain sines.

The gait is the textbook's: a thigh swings as a sine, its knee bends while the leg comes forward, arms swing against the
legs, and the hips rise twice a stride (Winter, "The Biomechanics and Motor Control of Human Gait", 1991, in outline).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np

from samples import shapes
from samples.shapes import Shape
from samples.world import Builder, animate

__all__ = ["Gait", "Outfit", "person"]

HIPS, KNEE, SHOULDER, ELBOW, NECK = 0.93, 0.45, 0.50, 0.29, 0.56
"""Metres of a person 1.75 m tall: the hips' height, and how far each joint is from the one that it hangs from."""


@dataclass(frozen=True)
class Outfit:
    """Materials by name."""

    coat: str
    trousers: str
    hair: str = "hair"
    skin: str = "skin"
    shoes: str = "hull-dark"
    long: float = 0.0
    """How far the coat reaches below the hips, metres."""


@dataclass(frozen=True)
class Gait:
    """``stride``: frames for two steps; ``swing``, ``bend``, ``arms``: radians; ``lean``: of the trunk, forward."""

    stride: float
    swing: float = 0.42
    bend: float = 0.9
    arms: float = 0.36
    elbow: float = 0.35
    lean: float = 0.03
    start: float = 0.0


WALK = Gait(26.0)
RUN = Gait(15.0, swing=0.72, bend=1.5, arms=0.65, elbow=1.35, lean=0.2)


def _limb(length: float, top: float, end: float, material: str) -> Shape:
    """A limb that hangs down from its joint at the origin."""
    s = Shape()
    u = np.linspace(0, 1, 7)
    swell = 1 + 0.18 * np.sin(pi * np.clip(u * 1.6, 0, 1))
    radius = (top + (end - top) * u) * swell
    rings = [(0.0, 0.6 * top), *zip(radius, -length * u, strict=True), (0.0, -length - 0.5 * end)]
    shapes.lathe(s, rings, (0, 0, 0), material, segments=14)
    return s


def _ball(s: Shape, at, radii, material: str) -> None:
    angle = np.linspace(0, pi, 12)
    part = Shape()
    shapes.lathe(part, [(sin(a) + 1e-4, -cos(a)) for a in angle], (0, 0, 0), material, segments=20)
    s.add(np.concatenate(part.vertices) * np.asarray(radii) + np.asarray(at), part.faces, material, smooth=True)


def _trunk(outfit: Outfit) -> Shape:
    s = Shape()
    profile = [
        (0.02, -0.10 - outfit.long), (0.19 if outfit.long else 0.15, -0.08 - outfit.long), (0.165, 0.0), (0.150, 0.16),
        (0.165, 0.30), (0.190, 0.42), (0.175, 0.49), (0.08, 0.545), (0.055, 0.57), (0.05, 0.64),
    ]  # fmt: skip
    part = Shape()
    shapes.lathe(part, profile, (0, 0, 0), lambda ring, _: outfit.skin if ring >= 8 else outfit.coat, segments=24)
    flat = np.concatenate(part.vertices) * np.array([0.68, 1.0, 1.0])
    return s.add(flat, part.faces, part.materials, smooth=True)


def _head(outfit: Outfit) -> Shape:
    s = Shape()
    _ball(s, (0.012, 0, 0.145), (0.098, 0.078, 0.125), outfit.skin)
    _ball(s, (-0.022, 0, 0.175), (0.104, 0.088, 0.115), outfit.hair)
    _ball(s, (0.108, 0, 0.130), (0.022, 0.014, 0.026), outfit.skin)
    for side in (1, -1):
        _ball(s, (0.092, side * 0.034, 0.158), (0.014, 0.014, 0.010), "hull-dark")
        _ball(s, (0.005, side * 0.080, 0.140), (0.022, 0.012, 0.032), outfit.skin)
    return s


def person(
    build: Builder, name: str, outfit: Outfit, gait: Gait, where: Callable[[float], tuple[float, float, float]],
    frames: int, *, index: int, tall: float = 1.75,
) -> None:  # fmt: skip
    """Put a person into the scene. ``where``: x, y and heading (radians about z, 0 looks along +x) by frame number."""
    size = tall / 1.75

    def phase(t: float) -> float:
        return 2 * pi * t / gait.stride + gait.start

    def hips(t: float):
        x, y, turn = where(t)
        rise = HIPS - 0.03 * gait.swing / 0.42 + 0.022 * cos(2 * phase(t)) * gait.swing / 0.42
        return (x, y, rise * size), (0, 0, turn)

    def hang(part: str, shape: Shape, parent, at, pose: Callable[[float], tuple[float, float, float]]):
        thing = build.put(f"{name}-{part}", shape, index=index, parent=parent)
        animate(thing, lambda t: (at, pose(t)), frames)
        return thing

    root = build.put(f"{name}-hips", _hips(outfit), index=index, scale=size)
    animate(root, hips, frames)
    trunk = hang("trunk", _trunk(outfit), root, (0, 0, 0.02), lambda t: (0, gait.lean, 0.10 * sin(phase(t))))
    hang("head", _head(outfit), trunk, (0.01, 0, NECK), lambda t: (0, -0.6 * gait.lean, -0.08 * sin(phase(t))))
    for side, turn in ((1, 0.0), (-1, pi)):
        at = (0, 0.088 * side, -0.01)
        thigh = hang(f"thigh{side}", _limb(KNEE, 0.082, 0.056, outfit.trousers), root, at,
            lambda t, turn=turn: (0, -gait.swing * sin(phase(t) + turn), 0))  # fmt: skip
        shin = hang(f"shin{side}", _shin(outfit), thigh, (0, 0, -KNEE),
            lambda t, turn=turn: (0, 0.12 + gait.bend * max(0.0, cos(phase(t) + turn)) ** 1.6, 0))  # fmt: skip
        hang(f"foot{side}", _foot(outfit), shin, (0, 0, -0.40),
            lambda t, turn=turn: (0, 0.15 - 0.2 * sin(phase(t) + turn), 0))  # fmt: skip
        at = (0, 0.205 * side, SHOULDER - 0.06)
        upper = hang(f"upper{side}", _limb(ELBOW, 0.056, 0.043, outfit.coat), trunk, at,
            lambda t, turn=turn, side=side: (0.10 * side, gait.arms * sin(phase(t) + turn), 0))  # fmt: skip
        hang(f"lower{side}", _forearm(outfit), upper, (0, 0, -ELBOW),
            lambda t, turn=turn: (0, -gait.elbow - 0.2 * gait.arms * sin(-phase(t) - turn), 0))  # fmt: skip


def _hips(outfit: Outfit) -> Shape:
    s = Shape()
    _ball(s, (0, 0, 0.0), (0.115, 0.165, 0.13), outfit.trousers)
    return s


def _shin(outfit: Outfit) -> Shape:
    return _limb(0.40, 0.058, 0.040, outfit.trousers)


def _foot(outfit: Outfit) -> Shape:
    s = Shape()
    _ball(s, (0.07, 0, -0.035), (0.135, 0.047, 0.045), outfit.shoes)
    return s


def _forearm(outfit: Outfit) -> Shape:
    s = _limb(0.24, 0.044, 0.034, outfit.coat)
    _ball(s, (0.01, 0, -0.31), (0.030, 0.022, 0.062), outfit.skin)
    return s
