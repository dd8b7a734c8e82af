"""Models in folders on this machine: what a folder lacks, which of its files are loaded, and how much memory they take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from restyle.weights.pickles import PICKLED
from restyle.weights.selection import ALL, INDEX, Selection, is_weights, parts_of_index, select_layout
from restyle.weights.tensors import tensor_bytes
from restyle.weights.trusted import read_table

__all__ = ["lacking", "loaded_bytes", "loaded_files", "variant_of"]


def loaded_files(path: Path, selection: Selection = ALL, *, allow_pickle: bool = False) -> list[Path]:
    """The files that are loaded of a model's or a network's folder, configurations first; of another folder all; a file itself.

    Weights of one variant and kind: not those that lie beside them in another, nor folders that the model does not name.
    """
    if path.is_file():
        return [path]
    if selection.files:
        return [path / file for file in selection.files]
    names = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    index = _index(path)
    variant = variant_of(path, selection)
    variants = [""] if variant is None else [variant, ""]
    selected = select_layout(names, selection, index, variants, allow_pickle=allow_pickle)
    return [path / name for name in (names if selected is None else selected)]


def loaded_bytes(files: Sequence[Path], width: int) -> int:
    """Bytes that the weights of these files take once they are loaded: ``width`` bytes a number, whatever the file has."""
    sizes = (
        tensor_bytes(file, width) if file.suffix == ".safetensors" else file.stat().st_size
        for file in files
        if file.suffix == ".safetensors" or file.suffix in PICKLED
    )
    return sum(sizes)


def variant_of(folder: Path, selection: Selection = ALL) -> str | None:
    """The variant of a model's or a network's files: the one asked for, or ``fp16`` where a part has no other."""
    if selection.variant is not None:
        return selection.variant or None
    index = _index(folder)
    parts = [folder] if index is None else [folder / part for part in parts_of_index(index, selection)]
    names = [[file.name for file in part.glob("*.safetensors") if is_weights(file.name)] for part in parts]
    halves = any(own and all(".fp16" in name for name in own) for own in names)
    return "fp16" if halves else None


def lacking(folder: Path, selection: Selection = ALL, *, allow_pickle: bool = False) -> str | None:
    """Name what a folder lacks to be loaded, in a few words; ``None``: nothing. Looks at names alone.

    A fetch that was cut off, or one of some files only (another program's), is seen by it.
    """
    if selection.files:
        return next((file for file in selection.files if not (folder / file).is_file()), None)
    kinds = (".safetensors", *(PICKLED if allow_pickle else ()))
    if (folder / INDEX).is_file():
        try:
            wanted = parts_of_index(read_table(folder / INDEX), selection)
        except (OSError, ValueError):
            return f"a readable {INDEX}"
        parts = ((name, () if name in selection.replaced else kinds) for name in wanted)
        return next((lack for name, kinds in parts for lack in _part_lacks(folder / name, name, kinds)), None)
    top = [file.name for file in folder.glob("*") if file.suffix in kinds and file.is_file()]
    if any(is_weights(name) for name in top) or (folder / "config.json").is_file():
        return next(_part_lacks(folder, ".", kinds), None)
    return None if top else "weights"


def _index(folder: Path) -> dict[str, Any] | None:
    try:
        return read_table(folder / INDEX)
    except (OSError, ValueError):  # it has none; or it fails when it is loaded
        return None


def _part_lacks(folder: Path, name: str, kinds: Sequence[str]) -> Iterator[str]:
    """Name what one part of a model lacks. ``kinds``: endings of weights; empty: it needs none."""
    if not any(file.is_file() for file in folder.glob("*config.json")):
        yield f"{name}/config.json"
    if name.startswith("tokenizer"):
        whole, vocabulary = folder / "tokenizer.json", [folder / "vocab.json", folder / "merges.txt"]
        if not whole.is_file() and not all(file.is_file() for file in vocabulary):
            yield f"{name}/vocab.json"
    if not (folder / "config.json").is_file() or not kinds:
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
