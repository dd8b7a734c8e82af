"""Name -> part, importing only what is asked for.

Our own parts stand in the tables below; third parties add theirs by entry points in the groups ``restyle.painters`` and
``restyle.fillers`` (``name = "package.module:Class"``).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from interp.options import checked_options
from restyle.errors import MissingExtraError, MissingModelError, RecipeError, UnknownPartError, why

if TYPE_CHECKING:
    from interp.types import Filler
    from restyle.painters.base import Painter

__all__ = ["filler_names", "make_filler", "make_painter", "painter_names", "painter_options", "told_of_interp"]

PAINTERS = {
    "diffusion": "restyle.painters.diffusion.painter:DiffusionPainter",
    "identity": "restyle.painters.identity:IdentityPainter",
    "neural-style": "restyle.painters.neural_style:NeuralStylePainter",
}
FILLERS = {
    "along-motion": "interp.propagate.along_motion:AlongMotionFiller",
    "hold": "interp.propagate.hold:HoldFiller",
    "hybrid": "interp.propagate.hybrid:HybridFiller",
    "rife": "interp.propagate.rife:RifeFiller",
}
_NEEDS = dict.fromkeys(
    ("torch", "diffusers", "transformers", "accelerate", "peft", "compel", "huggingface_hub"), "diffusion"
)  # package that a part imports -> the extra of ours that installs it


@contextmanager
def told_of_interp(what: str) -> Iterator[None]:
    """``interp`` knows nothing of our errors: its own become ``MissingExtraError``, ``MissingModelError``, ``RecipeError``."""
    from interp.errors import InterpError, MissingPackageError, MissingWeightsError

    try:
        yield
    except MissingPackageError as error:
        if error.extra is None:  # a library of the system: its line is all there is to say
            raise MissingModelError(str(error)) from error
        raise MissingExtraError(what, error.extra) from error
    except MissingWeightsError as error:
        raise MissingModelError(str(error)) from error
    except InterpError as error:
        raise RecipeError(str(error)) from error


def painter_names() -> list[str]:
    """Every painter that can be asked for, our own and third parties'."""
    return list(_table("painter", PAINTERS))


def filler_names() -> list[str]:
    """Every filler that can be asked for."""
    return list(_table("filler", FILLERS))


def painter_options(name: str) -> list[str]:
    """The options that a painter takes. Raises ``UnknownPartError``, ``MissingExtraError``."""
    return _options(_part("painter", PAINTERS, name))


def make_painter(name: str, options: Mapping[str, Any]) -> Painter:
    """Build a painter. Raises ``UnknownPartError``, ``RecipeError`` (wrong option), ``MissingExtraError``."""
    return _make("painter", PAINTERS, name, options)


def make_filler(name: str, options: Mapping[str, Any]) -> Filler:
    """Build a filler. Raises as ``make_painter``."""
    return _make("filler", FILLERS, name, options)


def _table(kind: str, own: Mapping[str, str]) -> dict[str, str]:
    others = {entry.name: entry.value for entry in entry_points(group=f"restyle.{kind}s")}
    return {**others, **own}


def _part(kind: str, own: Mapping[str, str], name: str) -> Any:
    table = _table(kind, own)
    if name not in table:
        raise UnknownPartError(kind, name, sorted(table))
    module, _, attribute = table[name].partition(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _NEEDS:
            raise
        raise MissingExtraError(f"{kind} {name!r}", _NEEDS[package]) from error


def _options(part: Any) -> list[str]:
    """Names of what it is built with: of its constructor, or the fields of its ``Options``."""
    part = getattr(part, "Options", part)
    return [p.name for p in inspect.signature(part).parameters.values() if p.kind is not p.VAR_KEYWORD]


def _make(kind: str, own: Mapping[str, str], name: str, options: Mapping[str, Any]) -> Any:
    part = _part(kind, own, name)
    known = _options(part)
    renamed = getattr(part, "renamed_options", {})  # old names still load; the part says so
    for option in options:
        if option not in known and option not in renamed:
            listed = ", ".join(known) or "none"
            raise RecipeError(f"{kind} {name!r} has no option {option!r}; it has: {listed}")
    try:
        with told_of_interp(f"{kind} {name!r}"):
            return part(**checked_options(getattr(part, "Options", part), options))
    except (TypeError, ValueError) as error:  # `interp` knows nothing of our errors
        raise RecipeError(f"{kind} {name!r} cannot be made: {why(error)}") from error
