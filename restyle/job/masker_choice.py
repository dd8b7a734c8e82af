"""The choice of masker: which one follows an object, by what each declares of itself (``controls.types.MaskerTraits``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from controls.errors import ControlError
from controls.masks import MASKERS
from controls.types import MaskerTraits, Prompt, WholeShot
from restyle.errors import RestyleError, translated
from restyle.registry import options_of
from restyle.versions import parts_of
from restyle.weights.hub import cached, pull_line
from restyle.weights.parts import local_masker_options
from restyle.weights.selection import Selection

__all__ = [
    "GROUNDING_OPTIONS",
    "MaskerChoice",
    "choose_masker",
    "deciding_files",
    "deciding_packages",
    "masker_for",
    "traits_of",
]

WEIGHTS = (".safetensors", ".json", ".yaml")
"""What counts in a folder of weights."""
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
    note: str | None = None
    """Who follows the objects, and the line that gets a better one if there is one; where the choice was left to us."""


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
    better = None
    for each in PREFERRED:
        remedy = _remedy(each, own)
        if remedy is None or each == PREFERRED[-1]:
            break
        better = better or f"; {traits_of(each).title} would follow them better: {remedy}"
    taken = {option: value for option, value in own.items() if option in known[each]}
    return MaskerChoice(each, taken, grounding, f"objects were followed by {traits_of(each).title}{better or ''}")


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


def deciding_files(chosen: MaskerChoice, *, offline: bool = False) -> list[Path]:
    """List the files of weights that decide what a masker gives, found or fetched; none where it has no weights, or cannot find
    them itself. Raises as ``weights.parts.local_masker_options``."""
    option = traits_of(chosen.name).weights_option
    if option is None:
        return []
    with translated():
        named = local_masker_options(chosen.name, {**chosen.options, "offline": offline}).get(option)
    path = Path(str(named)).expanduser()
    if not path.is_dir():
        return [path] if named is not None and path.is_file() else []
    return sorted(file for file in path.iterdir() if file.suffix in WEIGHTS and file.is_file())


def deciding_packages(chosen: MaskerChoice) -> dict[str, str]:
    """Collect the versions of optional packages that decide what a masker is given (``masks.person_box``)."""
    return {"mediapipe": parts_of("mediapipe")} if traits_of(chosen.name).outlines_people else {}


def traits_of(name: str) -> MaskerTraits:
    """Traits that a masker declares. Raises ``UnknownNameError``, ``MissingPackageError``."""
    traits: MaskerTraits = MASKERS.part(name).traits
    return traits


def _remedy(name: str, options: Mapping[str, Any]) -> str | None:
    """Say in one line what makes a masker usable here and now; ``None``: it is. Nothing is fetched."""
    traits = traits_of(name)
    installed = all(find_spec(package) is not None for package in traits.packages)
    install = [] if installed else [f"pip install 'restyle[{traits.extra}]'"]
    try:
        with translated():
            published = None if traits.published_weights is None else traits.published_weights(options)
            if published is not None:
                files = Selection(published.files)
                if not installed or cached(published.repository, files) is None:
                    pull = pull_line(published.name) if published.name else pull_line(published.repository, files)
                    return ", then ".join([*install, pull])
            elif installed and traits.check_weights is not None:
                traits.check_weights(options)
    except RestyleError as error:
        return str(error)
    return install[0] if install else None
