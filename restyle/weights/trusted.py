"""Checks of what a model's folder holds. diffusers and transformers import the modules and build the classes that its files
name, so these are looked at first. Imports neither of them.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from interp.regular import require_regular
from restyle.errors import RecipeError, show_path, why

__all__ = ["check_folder", "check_index", "read_table"]

LIBRARIES = ("diffusers", "transformers", "stable_diffusion")  # the last: how diffusers names its own safety checker
WITH_PARTS = ("ltx2",)  # diffusers' pipelines that have parts of their own, which are named by the pipeline's module
LARGEST = 64 << 20  # bytes of a file of JSON: vocabularies have a few


def read_table(path: Path) -> dict[str, Any]:
    """The JSON object that a file holds. Raises ``OSError``, ``ValueError``."""
    require_regular(path, largest=LARGEST)
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(table, dict):
        raise ValueError(f"it holds a {type(table).__name__}, not a table")
    return table


def _is_theirs(library: Any) -> bool:
    """Whether a name is one of the libraries', or of a pipeline's module that the installed diffusers has: of another name
    diffusers would import whatever it means here."""
    if library not in WITH_PARTS:
        return library in LIBRARIES
    spec = find_spec("diffusers")
    folders = () if spec is None else spec.submodule_search_locations or ()
    return any((Path(folder) / "pipelines" / library).is_dir() for folder in folders)


def check_folder(folder: Path) -> None:
    """Raise ``RecipeError`` where a network's or a model's folder asks for code that is not the libraries' own, or holds what
    cannot be read as a file. Looks at the folder, and at those of the parts that its ``model_index.json`` names."""
    parts = [folder]
    if (folder / "model_index.json").exists():
        parts += [folder / name for name in check_index(folder / "model_index.json")]
    for part in parts:
        for file in _files(part):
            if file.suffix == ".py" and part != folder:
                raise RecipeError(f"{show_path(file)} is a program: a part of a model is never run from its folder")
            if file.suffix == ".json" and "config" in file.name and _asks_for_code(file):
                raise RecipeError(f"{show_path(file)} asks for a program of its own (auto_map), which is never run")


def check_index(path: Path) -> list[str]:
    """Names of the parts in a ``model_index.json``. Raises ``RecipeError`` where one is of a library that is none of
    diffusers' own: loading it would import whatever that name means here."""
    parts = []
    for name, value in _table(path).items():
        if name == "_class_name" and not isinstance(value, str):
            raise RecipeError(f"{show_path(path)} asks for a pipeline of its own ({value!r:.80}), which is never run")
        if name.startswith("_") or not isinstance(value, list):
            continue
        library, kind = value if len(value) == 2 else (value, None)
        if library is None:  # a part that this model does not have
            continue
        if not _is_theirs(library) or not isinstance(kind, str) or os.sep in name or name in (".", ".."):
            raise RecipeError(
                f"{show_path(path)} names {value!r:.80} as its part {name!r:.40}: "
                "only parts of diffusers and transformers are loaded"
            )
        parts.append(name)
    return parts


def _asks_for_code(config: Path) -> bool:
    try:
        return "auto_map" in read_table(config)
    except ValueError:  # it fails when it is loaded
        return False
    except OSError as error:
        raise RecipeError(f"{show_path(config)} cannot be read ({why(error)})") from error


def _table(path: Path) -> dict[str, Any]:
    try:
        return read_table(path)
    except (OSError, ValueError) as error:
        raise RecipeError(f"{show_path(path)} cannot be read ({why(error)})") from error


def _files(folder: Path) -> Iterator[Path]:
    """Files of one folder. Raises ``RecipeError`` for a pipe or a device: reading one may wait for ever."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        try:
            mode = path.stat().st_mode
        except OSError:  # a link to nothing: missed when it is needed
            continue
        if stat.S_ISREG(mode):
            yield path
        elif not stat.S_ISDIR(mode):
            raise RecipeError(f"{show_path(path)} is no file: a model's folder holds files")
