"""Weights that lie in an installed package of somebody else's, of which nothing else is used: it is not imported."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

__all__ = ["carried_file"]


def carried_file(package: str, path: str) -> Path | None:
    """The file at ``path`` within an installed package; ``None`` where the package, or the file in it, is not there."""
    found = find_spec(package)
    for folder in (found.submodule_search_locations or ()) if found is not None else ():
        file = Path(folder) / path
        if file.is_file():
            return file
    return None
