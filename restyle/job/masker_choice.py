"""The choice of masker: which one follows an object, by what each declares of itself (``controls.types.MaskerTraits``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from controls.errors import ControlError
from controls.masks import MASKERS
from controls.types import MaskerTraits, Prompt, WholeShot
from restyle.errors import RestyleError, translated
from restyle.registry import options_of
from restyle.weights.parts import local_masker_options

__all__ = ["GROUNDING_OPTIONS", "MaskerChoice", "choose_masker", "masker_for", "traits_of"]

AUTO = "auto"
PREFERRED = ("sam2", "flowcut")
"""Maskers that ``auto`` tries, the best one first; the last can always be used."""
GROUNDING_OPTIONS = {"text_model": "model", "text_score": "score"}
"""Option, among a masker's as a person writes them -> the text grounder's own. They are taken whatever the masker."""


@dataclass(frozen=True)
class MaskerChoice:
    """The masker of objects that are marked on some frame, and its options."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    grounding: Mapping[str, Any] = field(default_factory=dict)
    """Those of ``GROUNDING_OPTIONS`` that were given, by the names that a person writes."""
    reason: str | None = None
    """Why it is not a better one, in one line, where the choice was left to us."""


def choose_masker(name: str, options: Mapping[str, Any]) -> MaskerChoice:
    """Choose ``name`` as it is; or for ``auto`` the best masker that can be used here and now, without fetching anything, with
    those of ``options`` that it has.

    Raises ``ControlError`` where none of those that ``auto`` tries has an option.
    """
    grounding = {option: value for option, value in options.items() if option in GROUNDING_OPTIONS}
    own = {option: value for option, value in options.items() if option not in GROUNDING_OPTIONS}
    if name != AUTO:
        return MaskerChoice(name, own, grounding)
    known = {each: options_of("masker", each) for each in PREFERRED}
    for option in own:
        if not any(option in names for names in known.values()):
            listed = ", ".join(dict.fromkeys(each for names in known.values() for each in [*names, *GROUNDING_OPTIONS]))
            raise ControlError(f"no masker has an option {option!r}; there are: {listed}")
    reason = None
    for each in PREFERRED:
        lack = _lack(each, own)
        if lack is None or each == PREFERRED[-1]:
            break
        reason = reason or lack
    taken = {option: value for option, value in own.items() if option in known[each]}
    return MaskerChoice(each, taken, grounding, reason)


def masker_for(prompt: Prompt, chosen: str) -> str:
    """Name of the masker that follows ``prompt``: ``chosen``; for what holds for a whole shot, the one that takes it.

    Raises ``ControlError`` if there is none.
    """
    if not isinstance(prompt, WholeShot):
        return chosen
    for name in dict.fromkeys([*MASKERS.own, *MASKERS.names()]):
        if type(prompt) in traits_of(name).prompts:
            return name
    raise ControlError(f"no masker follows {type(prompt).__name__} prompts")


def traits_of(name: str) -> MaskerTraits:
    """Traits that a masker declares. Raises ``UnknownNameError``, ``MissingPackageError``."""
    traits: MaskerTraits = MASKERS.part(name).traits
    return traits


def _lack(name: str, options: Mapping[str, Any]) -> str | None:
    """Name what a masker lacks to be used here and now, in one line; ``None``: nothing. Nothing is fetched."""
    traits = traits_of(name)
    if any(find_spec(package) is None for package in traits.packages):
        return f"{traits.title} is not installed (pip install 'restyle[{traits.extra}]')"
    if traits.check_weights is not None:
        try:
            with translated():
                traits.check_weights(local_masker_options(name, {**options, "offline": True}))
        except RestyleError as error:
            return str(error)
    return None
