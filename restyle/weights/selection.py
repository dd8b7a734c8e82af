"""The files of a model that are needed, by their names. Imports nothing heavy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from restyle.errors import MissingModelError, RecipeError
from restyle.weights.pickles import PICKLED

__all__ = ["ALL", "INDEX", "LORA", "Selection", "is_weights", "parts_of_index", "select_files", "select_layout"]

INDEX = "model_index.json"  # names the parts of a model
CONFIGS = (".json", ".txt", ".model", ".jinja")
NETWORK = "diffusion_pytorch_model"  # how diffusers calls the weights of one network
TRANSFORMERS = "model"  # how transformers calls the weights of one network
STEMS = (NETWORK, TRANSFORMERS, "pytorch_model")  # the last: transformers' pickled ones
LORA = "pytorch_lora_weights.safetensors"  # what the libraries call a LoRA's one file
WEIGHTS = re.compile(
    r"(?P<stem>[^.-]+)(\.(?P<variant>\w+))?(?P<shard>-\d+-of-\d+)?(\.(?P<late>\w+))?\.(?P<kind>safetensors|bin)"
)
SHARDS = re.compile(r"(?P<stem>[^.-]+)\.(?P<kind>safetensors|bin)\.index(\.(?P<variant>\w+))?\.json")  # names shards


@dataclass(frozen=True)
class Selection:
    """The part of a repository on the hub, or of a folder, that is wanted."""

    files: Sequence[str] = ()
    """These files, and no others; empty: those that its layout asks for (``select_files``)."""
    variant: str | None = None
    """The set of weights, such as ``fp16``; ``None``: of the hub ``fp16`` where there is one, of a folder what loads."""
    revision: str | None = None
    """Branch, tag or commit; ``None``: the main branch."""
    unused: Sequence[str] = ("safety_checker",)
    """Parts of a model that are not loaded."""
    replaced: Sequence[str] = ()
    """Parts of a model whose weights come from elsewhere: of them the configuration alone."""


ALL = Selection()


def parts_of_index(index: Mapping[str, Any], selection: Selection = ALL) -> list[str]:
    """Names of the parts that the table of a ``model_index.json`` has, and that are wanted."""
    parts = [name for name, kind in index.items() if isinstance(kind, list) and any(kind) and not name.startswith("_")]
    return [name for name in parts if name not in selection.unused]


def is_weights(name: str) -> bool:
    """Whether a file's name is one of a network's weights, of any variant and kind."""
    match = WEIGHTS.fullmatch(PurePosixPath(name).name)
    return match is not None and match["stem"] in STEMS


def select_files(
    hub_id: str, names: Sequence[str], selection: Selection, index: Mapping[str, Any] | None = None
) -> list[str]:
    """Select those of the ``names`` of a repository's files that are needed, configurations first.

    Without ``selection.files``: of a diffusers model whose ``model_index.json`` holds the table ``index``, the configuration
    and one set of safetensors of each part that it names; of a single network (a ControlNet, a VAE, one of transformers') the
    same; of a LoRA its one file. Raises ``MissingModelError`` (there are none), ``RecipeError`` (several that are no set: one
    has to be named).
    """
    for file in selection.files:
        if file not in names:
            raise MissingModelError(f"{hub_id!r} on the model hub has no file {file!r}")
    if selection.files:
        return list(selection.files)
    variants = [variant for variant in (selection.variant, "fp16", "") if variant is not None]
    selected = select_layout(names, selection, index, variants)
    if selected is None:
        top = [name for name in names if name.endswith(".safetensors") and "/" not in name]
        selected = [LORA] if LORA in top else top
        if len(selected) > 1:
            listed = ", ".join(selected[:8]) + (", ..." if len(selected) > 8 else "")
            raise RecipeError(f"{hub_id!r} on the model hub has several files, say which: {listed}")
    without = next(_without_weights(names, selected, selection, index), None)
    if without is not None or not selected:
        where = "" if without in (None, ".") else f" in its part {without!r}"
        raise MissingModelError(
            f"{hub_id!r} on the model hub has no safetensors files that could be used{where}; "
            "if it is to be used all the same, fetch it by hand and give the folder, with --painter-option allow_pickle=true"
        )
    return selected


def select_layout(
    names: Iterable[str],
    selection: Selection,
    index: Mapping[str, Any] | None,
    variants: Sequence[str],
    *,
    allow_pickle: bool = False,
) -> list[str] | None:
    """Select what is loaded of a model (whose ``index`` is given) or of a single network, configurations first; ``None``: it is
    neither.

    ``variants``: those looked for, the best first. ``allow_pickle``: take pickled weights where there are no others.
    """
    folders: dict[str, list[str]] = {}
    for name in names:
        folders.setdefault(str(PurePosixPath(name).parent), []).append(name)
    top = folders.get(".", [])
    if index is not None:
        configs, weights = [INDEX] if INDEX in top else [], []
        for part in parts_of_index(index, selection):
            own = folders.get(part, [])
            chosen, shards = _one_set(own, variants, allow_pickle=allow_pickle)
            weights += [] if part in selection.replaced else chosen
            configs += _configs(own, () if part in selection.replaced else shards)
        return configs + weights
    networks = [name for name in top if is_weights(name) and (allow_pickle or not name.endswith(PICKLED))]
    if "config.json" not in top or not networks:
        return None
    if any(name.startswith(NETWORK) for name in networks):
        chosen, shards = _one_set(top, variants, allow_pickle=allow_pickle)
        return _configs([name for name in top if name.endswith(".json")], shards) + chosen
    # of no variant, for that is what transformers looks for
    chosen, shards = _one_set(top, [selection.variant or "", *variants], allow_pickle=allow_pickle)
    return _configs(top, shards) + chosen


def _without_weights(
    names: Sequence[str], selected: Sequence[str], selection: Selection, index: Mapping[str, Any] | None
) -> Iterator[str]:
    """Folders of networks of which no weights are ``selected``."""
    parts = ["."] if index is None else parts_of_index(index, selection)
    found = {str(PurePosixPath(name).parent) for name in selected if name.endswith(".safetensors")}
    for part in parts:
        network = part == "." or f"{part}/config.json" in names
        if network and part not in found and part not in selection.replaced:
            yield part


def _configs(names: Sequence[str], shards: Sequence[str]) -> list[str]:
    """Configurations of one folder; of the tables of shards those in ``shards`` alone."""
    configs = [name for name in names if name.endswith(CONFIGS)]
    return [name for name in configs if name in shards or not SHARDS.fullmatch(PurePosixPath(name).name)]


def _one_set(names: Sequence[str], variants: Sequence[str], *, allow_pickle: bool) -> tuple[list[str], list[str]]:
    """One folder's weights, of the first of the variants that it has, and the table of their shards."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name in dict.fromkeys(names):
        match = WEIGHTS.fullmatch(PurePosixPath(name).name)
        if match is not None and match["stem"] in STEMS:
            groups.setdefault((match["kind"], match["variant"] or match["late"] or ""), []).append(name)
    kinds = ("safetensors", "bin") if allow_pickle else ("safetensors",)
    for kind in kinds:
        for variant in variants:
            group = groups.get((kind, variant), [])
            single = [name for name in group if "-of-" not in name]
            if single:
                return single[:1], []
            if group:
                return group, [name for name in names if _table_of(name, kind, variant)][:1]
    return [], []


def _table_of(name: str, kind: str, variant: str) -> bool:
    match = SHARDS.fullmatch(PurePosixPath(name).name)
    return match is not None and match["kind"] == kind and (match["variant"] or "") == variant
