"""One registry of all parts: painters, fillers, maskers, detectors of control maps, flow estimators and interpolators.

A part is one file, and one line in the table beside it (``restyle.painters``, ``interp.propagate``, ``controls.masks``,
``controls.maps``, ``interp.flow``, ``interp.interpolate``); third parties add theirs by entry points in the table's group, such
as ``restyle.painters``. Here they are made for the engine: whatever is wrong with a name or an option is a ``RestyleError``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from controls.maps import DETECTORS
from controls.maps.base import Detector, PairDetector
from controls.masks import MASKERS
from controls.types import Masker
from interp.flow import ESTIMATORS
from interp.interpolate import INTERPOLATORS
from interp.propagate import FILLERS
from interp.types import Filler, FlowEstimator, Interpolator
from restyle.errors import translated
from restyle.painters import PAINTERS
from restyle.painters.base import Painter, check_painter
from restyle.weights.parts import local_detector_options, local_masker_options, source_options

__all__ = [
    "TABLES",
    "Kind",
    "make_detector",
    "make_estimator",
    "make_filler",
    "make_interpolator",
    "make_masker",
    "make_painter",
    "options_of",
    "part_names",
]

Kind = Literal["painter", "filler", "masker", "detector", "estimator", "interpolator"]
TABLES = {
    "painter": PAINTERS,
    "filler": FILLERS,
    "masker": MASKERS,
    "detector": DETECTORS,
    "estimator": ESTIMATORS,
    "interpolator": INTERPOLATORS,
}


def part_names(kind: Kind) -> list[str]:
    """Names of all parts of one kind, our own and third parties', sorted."""
    return TABLES[kind].names()


def options_of(kind: Kind, name: str) -> list[str]:
    """Names of the options that a part takes. Raises ``UnknownPartError``, ``MissingExtraError``."""
    with translated():
        return [*TABLES[kind].options(name), *source_options(kind, name)]


def make_painter(name: str, options: Mapping[str, Any] | None = None) -> Painter:
    """Build a painter. Raises ``PartError`` for what lacks a part of one.

    Raises, as the others below, ``UnknownPartError``, ``RecipeError`` (no such option, a wrong value), ``MissingExtraError``,
    ``MissingModelError``.
    """
    return check_painter(_make("painter", name, options), name)


def make_filler(name: str, options: Mapping[str, Any] | None = None) -> Filler:
    """Build a filler. Raises as ``make_painter``."""
    return cast(Filler, _make("filler", name, options))


def make_masker(name: str, options: Mapping[str, Any] | None = None) -> Masker:
    """Build a masker, with its weights found or fetched. Raises as ``make_painter``."""
    with translated():
        return cast(Masker, MASKERS.make(name, local_masker_options(name, options or {})))


def make_detector(name: str, options: Mapping[str, Any] | None = None) -> Detector | PairDetector:
    """Build a detector of control maps, with its weights found or fetched. Raises as ``make_painter``."""
    with translated():
        local = local_detector_options(name, options or {})
        return cast("Detector | PairDetector", DETECTORS.make(name, local))


def make_estimator(name: str, options: Mapping[str, Any] | None = None) -> FlowEstimator:
    """Build a flow estimator. Raises as ``make_painter``."""
    return cast(FlowEstimator, _make("estimator", name, options))


def make_interpolator(name: str, options: Mapping[str, Any] | None = None) -> Interpolator:
    """Build an interpolator. Raises as ``make_painter``."""
    return cast(Interpolator, _make("interpolator", name, options))


def _make(kind: Kind, name: str, options: Mapping[str, Any] | None) -> Any:
    with translated():
        return TABLES[kind].make(name, options)
