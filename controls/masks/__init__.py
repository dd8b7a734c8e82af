"""Maskers, one a file; ``make_masker`` imports only the one that is asked for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from interp.options import checked_options

if TYPE_CHECKING:
    from controls.types import Masker

__all__ = ["MASKERS", "choose_masker", "make_masker", "masker_options"]

MASKERS = {
    "flowcut": "controls.masks.flowcut.masker:FlowCutMasker",
    "given": "controls.masks.given:GivenMasker",
    "sam2": "controls.masks.sam2:Sam2Masker",
}


def masker_options(name: str) -> list[str]:
    """The options that a masker takes. Raises ``ValueError`` for an unknown name."""
    return list(inspect.signature(_part(name)).parameters)


def choose_masker(options: Mapping[str, Any] | None = None) -> tuple[str, str | None]:
    """The best masker that can be used here and now, without fetching anything: ``sam2`` where its package is installed and
    its weights (as ``options`` name them) are at hand, else ``flowcut``, and then, in one line, why."""
    from controls.errors import ControlError
    from controls.masks.sam2_weights import DEFAULT, find_checkpoint

    for package in ("torch", "sam2"):
        if find_spec(package) is None:
            return "flowcut", "SAM 2 is not installed (pip install 'restyle[sam2]')"
    given = options or {}
    try:
        find_checkpoint(
            given.get("model", DEFAULT),
            config=given.get("config"),
            allow_pickle=bool(given.get("allow_pickle", False)),
            offline=True,
        )
    except ControlError as error:
        return "flowcut", str(error)
    return "sam2", None


def make_masker(name: str, options: Mapping[str, Any] | None = None) -> Masker:
    """Build a masker by name, with its keyword options.

    Raises ``ValueError`` that lists what there is (unknown name or option), ``ModuleNotFoundError`` where the package behind it
    is not installed, and whatever ValueError the masker's own checks raise.
    """
    part = _part(name)
    known = masker_options(name)
    for option in options or {}:
        if option not in known:
            raise ValueError(f"masker {name!r} has no option {option!r}; it has: {', '.join(known) or 'none'}")
    made: Masker = part(**checked_options(part, options or {}))
    return made


def _part(name: str) -> Any:
    if name not in MASKERS:
        raise ValueError(f"no masker {name!r}; there are: {', '.join(sorted(MASKERS))}")
    module, _, attribute = MASKERS[name].partition(":")
    return getattr(import_module(module), attribute)
