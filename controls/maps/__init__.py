"""Control maps: the condition pictures that ControlNets were trained on, one detector a module.

::

    detector = make_map("canny", {"low": 80})
    made = detector.detect(picture)  # a controls.types.ControlMap of the picture's size

``kinds()`` lists what there is with its facts, ``presence(facts)`` what of its needs is there; ``stabilise`` makes maps of
consecutive frames hold still along the footage's motion, ``write_map`` and ``read_maps`` keep them as files that can be
edited by hand.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from interp.options import checked_options

if TYPE_CHECKING:
    from controls.maps.base import Detector, KindFacts, PairDetector

__all__ = ["kinds", "make_map", "names", "options_of"]

DETECTORS = {
    "canny": "controls.maps.canny:Canny",
    "depth": "controls.maps.depth:DepthAnything",
    "depth-midas": "controls.maps.depth:MidasDepth",
    "depth-zoe": "controls.maps.depth:ZoeDepth",
    "flow": "controls.maps.flow:ColouredFlow",
    "lineart": "controls.maps.lineart:StandardLineart",
    "lineart-realistic": "controls.maps.lineart:RealisticLineart",
    "normal": "controls.maps.normal:BaeNormals",
    "normal-depth": "controls.maps.normal:NormalFromDepth",
    "pose": "controls.maps.pose:MediapipePose",
    "pose-dwpose": "controls.maps.dwpose:DWPose",
    "pose-openpose": "controls.maps.openpose:OpenPose",
    "softedge": "controls.maps.softedge:HedEdges",
    "softedge-pidi": "controls.maps.softedge:PidiNetEdges",
    "tile": "controls.maps.tile:Tile",
}


def names() -> list[str]:
    """Every detector that can be asked for, sorted."""
    return sorted(DETECTORS)


def kinds() -> dict[str, KindFacts]:
    """Name -> what a detector needs and gives, for all of them. Imports no more than OpenCV."""
    return {name: _part(name).facts for name in names()}


def make_map(name: str, options: Mapping[str, Any] | None = None) -> Detector | PairDetector:
    """Make a detector by name (``facts.takes`` says which of both kinds it is).

    Raises ``ControlError``: no such detector (lists those that are), no such option, a wrong value; ``MissingPackageError`` and
    ``MissingWeightsError`` for what it needs and is not there, with the line that gets it.
    """
    from controls.errors import ControlError

    known = options_of(name)
    for option in options or {}:
        if option not in known:
            raise ControlError(f"control map {name!r} has no option {option!r}; it has: {', '.join(known) or 'none'}")
    try:
        return _part(name)(**checked_options(_part(name), options or {}))
    except ControlError:
        raise
    except (TypeError, ValueError) as error:
        raise ControlError(f"control map {name!r} cannot be made: {' '.join(str(error).split())}") from error


def options_of(name: str) -> list[str]:
    """The options that a detector takes. Raises ``ControlError`` if there is no such detector (lists those that are)."""
    from controls.errors import ControlError

    if name not in DETECTORS:
        near = difflib.get_close_matches(name, DETECTORS, n=1)
        hint = f", did you mean {near[0]!r}?" if near else "."
        raise ControlError(f"unknown control map {name!r}{hint} There are: {', '.join(names())}")
    return list(inspect.signature(_part(name)).parameters)


def _part(name: str) -> Any:
    module, _, attribute = DETECTORS[name].partition(":")
    return getattr(import_module(module), attribute)
