"""A project: one clip, its recipe file, its result and its job folder. All of it lies on disk; the page only shows it.

::

    clip.restyled.mp4            the result
    clip.restyled.mp4.restyle/   its job folder
    clip.restyled.mp4.studio/    recipe.json, and what the page made:
      keyframes/                   approved and given paintings, by frame number
      mattes/                      mattes that were painted by hand
      versions/                    results that were kept, or rendered beside the result: see ``versions``
      comparison/                  the result beside the footage, as a clip
      queue/                       who waits to be rendered: see ``queue``
      work.json                    the work that runs, or ran last, in a process of its own
"""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from restyle import Recipe
from restyle.errors import OutputError, show_path, why
from restyle.footage.numbering import is_pattern
from restyle.footage.output import CONTAINERS
from restyle.job.result import default_folder

__all__ = ["Project"]


class Project:
    """All that belongs to one clip. ``changes`` counts changes, so that every page sees when to look again.

    ``source``: the clip; ``rate``: of a sequence of pictures; ``results``: folder of the result, by default the clip's own.
    Raises ``RecipeError`` if its recipe file is damaged.
    """

    def __init__(self, source: Path, *, rate: Fraction | None = None, results: Path | None = None) -> None:
        self.source, self.rate = source, rate
        self.output = _output_of(source, results)
        self.job = default_folder(self.output)
        self.folder = self.output.with_name(self.output.name + ".studio")
        self.recipe_file = self.folder / "recipe.json"
        self.keyframes = self.folder / "keyframes"
        self.drawn_mattes = self.folder / "mattes"
        self.changes = 0
        self._lock = threading.RLock()
        self._recipe = Recipe.load(self.recipe_file) if self.recipe_file.is_file() else Recipe()
        self._read = self._stamp()

    def _stamp(self) -> int | None:
        try:
            return self.recipe_file.stat().st_mtime_ns
        except OSError:
            return None

    @property
    def recipe(self) -> Recipe:
        """The recipe as the file has it; read again where somebody else wrote it. Raises ``RecipeError``."""
        with self._lock:
            stamp = self._stamp()
            if stamp != self._read and stamp is not None:
                self._recipe, self._read = Recipe.load(self.recipe_file), stamp
                self.changes += 1
            return self._recipe

    def change(self, **fields: Any) -> Recipe:
        """Set some of the recipe's fields, and write the file. Raises ``RecipeError``, ``OutputError``."""
        with self._lock:
            recipe = Recipe.build("the recipe", **{**self.recipe.model_dump(), **fields})
            if recipe == self._recipe and self._read is not None:
                return recipe
            self.make_folder(self.folder)
            recipe.save(self.recipe_file)
            self._recipe, self._read = recipe, self._stamp()
            self.changes += 1
        return recipe

    def touch(self) -> None:
        """Tell every page that something changed on disk."""
        self.changes += 1

    def make_folder(self, folder: Path) -> Path:
        """Make a folder of the project's own. Raises ``OutputError``."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {show_path(folder)}: {why(error)}") from error
        return folder

    @property
    def plan(self) -> Mapping[str, Any] | None:
        """Shots and keyframes as the job's last run planned them; ``None``: nothing was planned yet."""
        return self._plain("plan.json")

    @property
    def result(self) -> Mapping[str, Any] | None:
        """Facts of the result of the job's last run, if it came to its end and the result is there."""
        return self._plain("result.json") if self.output.exists() else None

    def _plain(self, name: str) -> Mapping[str, Any] | None:
        try:
            plain = json.loads((self.job / name).read_bytes())
        except (OSError, ValueError):
            return None
        return plain if isinstance(plain, dict) else None

    @property
    def first_result(self) -> int:
        """Number of the frame with which the result begins."""
        shots = (self.plan or {}).get("shots") or [{"start": 0}]
        return int(shots[0]["start"])

    def mattes_folder(self) -> Path | None:
        """Folder of the mattes that the job followed last; ``None``: none."""
        keys = (self.plan or {}).get("mattes") or []
        folder = self.job / "mattes" / str(keys[-1]) if keys else None
        return folder if folder is not None and (folder / "facts.json").is_file() else None

    @property
    def command(self) -> str:
        """The command line that does the same."""
        rate = [] if self.rate is None else ["--fps", str(self.rate)]
        words = [
            "restyle",
            "run",
            "-o",
            self.output,
            "--recipe",
            self.recipe_file,
            *rate,
            "--overwrite",
            "--",
            self.source,
        ]
        return shlex.join(map(str, words))

    @property
    def program(self) -> str:
        """The Python that does the same."""
        rate = "" if self.rate is None else f"    rate=Fraction({str(self.rate)!r}),\n"
        head = "from fractions import Fraction\n\n" if rate else ""
        return (
            f"{head}import restyle\n\nrestyle.restyle(\n    {str(self.source)!r},\n    {str(self.output)!r},\n"
            f"    recipe={str(self.recipe_file)!r},\n{rate}    overwrite=True,\n)\n"
        )


def _output_of(source: Path, results: Path | None) -> Path:
    """Name the result: beside the clip, or in ``results``, of its own kind where that can be written."""
    if source.is_dir() or is_pattern(source):
        folder = source if source.is_dir() else source.parent
        return (results or folder.parent) / f"{folder.name}.restyled.mp4"
    suffix = source.suffix.lower() if source.suffix.lower() in CONTAINERS else ".mp4"
    return (results or source.parent) / f"{source.stem}.restyled{suffix}"
