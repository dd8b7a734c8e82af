"""Weights of detectors, maskers and grounding: ids on the model hub among their options -> files and folders on this machine.

The parts themselves (``controls``) take local files and folders only. Where a part's weights come from is asked here: its own
ones on the hub where its options name none, at a ``revision``, ``offline`` or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from controls.maps import DETECTORS
from controls.maps.base import DetectorTraits
from controls.masks import MASKERS, grounding
from controls.types import MaskerTraits
from interp.errors import InterpError
from interp.options import checked_options
from restyle.errors import MissingExtraError
from restyle.weights.finding import find_weights
from restyle.weights.hub import cached, is_hub_id, pull_line
from restyle.weights.selection import Selection

__all__ = [
    "Presence",
    "local_detector_options",
    "local_grounding_options",
    "local_masker_options",
    "presence",
    "source_options",
]


@dataclass(frozen=True)
class _Source:
    """Options of where weights come from."""

    weights: str | None = None
    revision: str | None = None
    offline: bool = False


def source_options(kind: str, name: str) -> list[str]:
    """Options that a part may be given beyond its own, for the hub has its weights."""
    if kind == "detector" and DETECTORS.part(name).traits.weights is not None:
        return ["offline"] if "weights" not in DETECTORS.options(name) else ["revision", "offline"]
    return ["offline"] if kind == "masker" and MASKERS.part(name).traits.published_weights is not None else []


def local_detector_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a detector, with the folder of its weights, found or fetched.

    Wrong options, and folders, are left to the detector to refuse. Raises ``MissingExtraError``, ``MissingModelError``,
    ``OutputError`` (no room), ``InterpError`` (a wrong value).
    """
    traits: DetectorTraits = DETECTORS.part(name).traits
    own, more = DETECTORS.options(name), source_options("detector", name)
    local = {option: value for option, value in options.items() if option not in more}
    if traits.weights is None or not local.keys() <= set(own):
        return local
    source = _source(f"control map {name!r}", options)
    for package in traits.packages:
        if find_spec(package) is None:
            raise MissingExtraError(f"control map {name!r}", traits.extra or "controls")
    if "weights" not in own:  # made from another detector's maps
        depth, nested = local.get("depth", "depth"), local.get("depth_options") or {}
        if isinstance(depth, str) and isinstance(nested, Mapping):
            local["depth_options"] = local_detector_options(depth, {"offline": source.offline, **nested})
        return local
    repository = source.weights or traits.weights.repository
    if is_hub_id(repository):
        local["weights"] = str(
            find_weights(
                repository,
                f"detector {name!r}",
                Selection(traits.weights.files, revision=source.revision),
                offline=source.offline,
                extra=traits.extra or "controls",
            )
        )
    return local


def local_masker_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a masker, with the folder of its weights, found or fetched. Raises as ``local_detector_options``."""
    traits: MaskerTraits = MASKERS.part(name).traits
    if traits.published_weights is None:
        return dict(options)
    local = {option: value for option, value in options.items() if option != "offline"}
    source = _source(f"masker {name!r}", options)
    published = traits.published_weights(local)
    if published is None:
        return local
    if any(find_spec(package) is None for package in traits.packages):
        raise MissingExtraError(f"masker {name!r}", traits.extra or "controls")
    folder = find_weights(
        published.repository,
        f"masker {name!r}",
        Selection(published.files),
        offline=source.offline,
        name=published.name,
        extra=traits.extra or "controls",
    )
    return {**local, published.option: str(folder)}


def local_grounding_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of ``grounding.TextGrounder``, with the folder of its model. Raises as ``local_detector_options``."""
    local = {option: value for option, value in options.items() if option != "offline"}
    source = _source("the grounding of objects", options)
    for package in grounding.PACKAGES:
        if find_spec(package) is None:
            raise MissingExtraError("finding an object by its name", "controls")
    model = local.setdefault("model", grounding.DEFAULT)
    if isinstance(model, str) and is_hub_id(model):
        local["model"] = str(find_weights(model, "detector", offline=source.offline, extra="controls"))
    return local


@dataclass(frozen=True)
class Presence:
    """The state of a detector's needs, and the lines that get what is missing."""

    packages: bool
    weights: bool
    remedies: tuple[str, ...]
    """Commands for a shell, in order; empty where all is there."""

    @property
    def ready(self) -> bool:
        """Whether it runs, with no network."""
        return self.packages and self.weights


def presence(traits: DetectorTraits) -> Presence:
    """Look, without a network and without importing anything heavy, for what a detector needs."""
    packages = all(find_spec(package) is not None for package in traits.packages)
    remedies = [] if packages else [f"pip install 'restyle[{traits.extra}]'"]
    weights = True
    if traits.weights is not None:
        files = Selection(traits.weights.files)
        hub = find_spec("huggingface_hub") is not None
        weights = hub and cached(traits.weights.repository, files) is not None
        if not hub and packages:
            remedies.append(f"pip install 'restyle[{traits.extra or 'controls'}]'")
        if not weights:
            remedies.append(pull_line(traits.weights.repository, files))
    if traits.carried is not None and traits.carried.path is None:
        weights = False
        remedies.append(traits.carried.install)
    return Presence(packages, weights, tuple(remedies))


def _source(part: str, options: Mapping[str, Any]) -> _Source:
    chosen = {name: options[name] for name in ("weights", "revision", "offline") if name in options}
    try:
        return _Source(**checked_options(_Source, chosen))
    except ValueError as error:
        raise InterpError(f"{part} cannot be made: {error}") from error
