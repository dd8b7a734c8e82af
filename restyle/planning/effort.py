"""Effort: how much is painted, for how well what moves keeps its shape."""

from __future__ import annotations

from dataclasses import dataclass

from controls.mediapipe_network import mediapipe_is_there
from restyle.recipe import Recipe
from restyle.render.regions import RegionRules

__all__ = ["EFFORTS", "KeyRules", "key_rules", "region_rules"]

CHEAP = 100.0  # cost of a painting (``Capabilities.cost``) up to which time goes to painting rather than to waiting


@dataclass(frozen=True)
class KeyRules:
    """Distances between keyframes (``planning.keyframes``)."""

    coverage: float
    """Share of the frame midway between two keyframes that they explain at least."""
    loss: float
    """Share of a picture that may lose its shape, summed up over the frames between two keyframes."""
    least_gap: int
    """Frames from one keyframe to the next, at least, unless next to nothing is explained."""
    max_gap: int
    """The same, at most."""
    faces: bool = False
    """Faces are looked for, and count double."""


@dataclass(frozen=True)
class _Level:
    loss: float
    least_gap: int
    dear_gap: int
    """``least_gap`` of painters that cost more than ``CHEAP``."""
    regions: RegionRules


EFFORTS: dict[str, _Level] = {
    "draft": _Level(loss=0.2, least_gap=4, dear_gap=12, regions=RegionRules(loss=0.35, budget=0.1)),
    "normal": _Level(loss=0.02, least_gap=2, dear_gap=8, regions=RegionRules(loss=0.2, budget=0.3)),
    "best": _Level(loss=0.01, least_gap=1, dear_gap=4, regions=RegionRules(loss=0.15, budget=0.6)),
}


def key_rules(recipe: Recipe, cost: float = 0.0) -> KeyRules:
    """Tell how near keyframes lie. ``cost``: of painting one (``Capabilities.cost``); where it is dear, they are fewer."""
    level = EFFORTS[recipe.effort]
    dear = max(1.0, cost / CHEAP)
    least_gap = level.least_gap if dear == 1 else level.dear_gap
    return KeyRules(recipe.coverage, level.loss * dear, least_gap, recipe.max_gap, faces=mediapipe_is_there())


def region_rules(recipe: Recipe) -> RegionRules:
    """Tell what is painted anew between keyframes."""
    return EFFORTS[recipe.effort].regions
