"""The files of a model that are needed, and what a folder lacks of them. Imports nothing heavy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from restyle.errors import MissingModelError, RecipeError
from restyle.weights.pickles import PICKLED
from restyle.weights.trusted import read_table

__all__ = ["LORA", "Selection", "lacking", "select_files", "variant_of"]

CONFIGS = (".json", ".txt", ".model")
PART = "diffusion_pytorch_model"  # how diffusers calls the weights of one network
TRANSFORMERS = "model"  # how transformers calls the weights of one network
LORA = "pytorch_lora_weights.safetensors"  # what the libraries call a LoRA's one file
WEIGHTS = re.compile(r"(?P<stem>[^.]+?)(\.(?P<variant>\w+))?(-\d+-of-\d+)?\.safetensors")
UNUSED = ("safety_checker",)  # folders of a model that are never loaded


@dataclass(frozen=True)
class Selection:
    """The part of a repository on the hub that is wanted."""

    files: Sequence[str] = ()
    """These files, and no others; empty: those that its layout asks for (``select_files``)."""
    variant: str | None = None
    """The set of weights, such as ``fp16``; ``None``: ``fp16`` where there is one."""
    revision: str | None = None
    """Branch, tag or commit; ``None``: the main branch."""


def select_files(hub_id: str, names: Sequence[str], selection: Selection) -> list[str]:
    """Select those of the ``names`` of a repository's files that are needed, configurations first.

    Without ``selection.files``: of a diffusers model, every part's configuration and one set of safetensors; of a single
    network (a ControlNet, a VAE, one of transformers') the same; of a LoRA its one file. Raises ``MissingModelError`` (there
    are none), ``RecipeError`` (several that are no set: one has to be named).
    """
    variant = selection.variant
    for file in selection.files:
        if file not in names:
            raise MissingModelError(f"{hub_id!r} on the model hub has no file {file!r}")
    if selection.files:
        return list(selection.files)
    weights = [name for name in names if name.endswith(".safetensors")]
    top = [name for name in weights if "/" not in name]
    if "model_index.json" in names:
        nested = [name for name in weights if "/" in name and PurePosixPath(name).parts[0] not in UNUSED]
        selected = _one_variant(nested, variant)
        configs = [name for name in names if name.endswith(CONFIGS) and PurePosixPath(name).parts[0] not in UNUSED]
    elif "config.json" in names and any(name.startswith(PART) for name in top):
        selected = _one_variant([name for name in top if name.startswith(PART)], variant)
        configs = [name for name in names if name.endswith(".json") and "/" not in name]
    elif "config.json" in names and any(name.startswith(TRANSFORMERS) for name in top):
        # of no variant, for that is what transformers looks for
        selected = _one_variant([name for name in top if name.startswith(TRANSFORMERS)], variant or "")
        configs = [name for name in names if name.endswith(CONFIGS) and "/" not in name]
    else:
        selected, configs = [LORA] if LORA in top else top, []
        if len(selected) > 1:
            listed = ", ".join(selected[:8]) + (", ..." if len(selected) > 8 else "")
            raise RecipeError(f"{hub_id!r} on the model hub has several files, say which: {listed}")
    if not selected:
        raise MissingModelError(
            f"{hub_id!r} on the model hub has no safetensors files that could be used; "
            "if it is to be used all the same, fetch it by hand and give the folder, with --painter-option allow_pickle=true"
        )
    return configs + selected


def _one_variant(names: Sequence[str], variant: str | None) -> list[str]:
    """Every folder's weights of one variant: the one asked for, else ``fp16``, else those of none."""
    groups: dict[tuple[str, str], dict[str, list[str]]] = {}
    for name in names:
        path = PurePosixPath(name)
        match = WEIGHTS.fullmatch(path.name)
        if match is not None:
            group = groups.setdefault((str(path.parent), match["stem"]), {})
            group.setdefault(match["variant"] or "", []).append(name)
    selected: list[str] = []
    for group in groups.values():
        selected += next((group[name] for name in (variant, "fp16", "") if name is not None and name in group), [])
    return selected


def variant_of(folder: Path) -> str | None:
    """``fp16`` where a network's folder has weights of that variant, and none of no variant."""
    matches = [WEIGHTS.fullmatch(file.name) for file in folder.glob("*.safetensors")]
    variants = {match["variant"] for match in matches if match is not None}
    return "fp16" if "fp16" in variants and None not in variants else None


def lacking(folder: Path, files: Sequence[str] = (), *, allow_pickle: bool = False) -> str | None:
    """Name what a folder lacks to be loaded, in a few words; ``None``: nothing. Looks at names alone.

    A fetch that was cut off, or one of some files only (another program's), is seen by it.
    """
    if files:
        return next((file for file in files if not (folder / file).is_file()), None)
    kinds = (".safetensors", *(PICKLED if allow_pickle else ()))
    index = folder / "model_index.json"
    if index.is_file():
        try:
            parts = read_table(index)
        except (OSError, ValueError):
            return "a readable model_index.json"
        wanted = [name for name, kind in parts.items() if isinstance(kind, list) and any(kind) and name not in UNUSED]
        return next((lack for name in wanted for lack in _part_lacks(folder / name, name, kinds)), None)
    top = [file.name for file in folder.glob("*") if file.suffix in kinds and file.is_file()]
    if any(name.startswith(PART) for name in top) or (folder / "config.json").is_file():
        return next(_part_lacks(folder, ".", kinds), None)
    return None if top else "weights"


def _part_lacks(folder: Path, name: str, kinds: Sequence[str]) -> Iterator[str]:
    """Name what one part of a model lacks."""
    if not any(file.is_file() for file in folder.glob("*config.json")):
        yield f"{name}/config.json"
    if name.startswith("tokenizer"):
        whole, vocabulary = folder / "tokenizer.json", [folder / "vocab.json", folder / "merges.txt"]
        if not whole.is_file() and not all(file.is_file() for file in vocabulary):
            yield f"{name}/vocab.json"
    if not (folder / "config.json").is_file():
        return  # no network
    indexes = list(folder.glob("*.index*.json"))
    for index in indexes:
        try:
            shards = set(read_table(index)["weight_map"].values())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            yield f"a readable {name}/{index.name}"
            continue
        if all((folder / shard).is_file() for shard in shards):
            return  # one whole set is enough
    single = [file for file in folder.glob("*") if file.suffix in kinds and "-of-" not in file.name and file.is_file()]
    if not single:
        yield f"weights in {name}"
