"""The folders that the studio may look into: those that were named when it was started."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from restyle.errors import RecipeError, show_path

__all__ = ["Allowed"]


class Allowed:
    """Folders, with all that lies in them. Links that lead out of them are not followed."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = tuple(folder.resolve() for folder in folders)

    def path(self, text: str | Path) -> Path:
        """The path, made absolute, if it lies in one of the folders. Raises ``RecipeError``."""
        try:
            path = Path(text).resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise RecipeError(f"{str(text)[:80]!r} names no file") from error
        if not any(path == folder or folder in path.parents for folder in self.folders):
            names = ", ".join(show_path(folder) for folder in self.folders)
            raise RecipeError(f"{show_path(path)} lies outside of {names}: start the studio with its folder")
        return path
