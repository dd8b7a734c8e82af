"""Versions of a clip: results that were kept, and others rendered beside them, each with its recipe, to be compared.

::

    clip.restyled.mp4.studio/versions/1/
      recipe.json      the recipe that it was rendered by
      result.mp4       the result, once it is there
      plan.json        shots of a result that was kept; one that was rendered here has them in its job folder
      work.json        the work on it
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restyle import Recipe
from restyle.errors import FootageError, OutputError, RecipeError, RestyleError, show_path, why
from restyle.files.writing import write_file
from restyle.job.result import default_folder
from restyle.studio.frames import FrameServer
from restyle.studio.project import Project
from restyle.studio.words import recipe_line
from restyle.studio.work import FILES as WORK_FILES
from restyle.studio.work import Work

__all__ = ["Served", "Version", "Versions"]

SERVED = 3  # results whose frames are kept at hand
FILES = {"recipe.json", "plan.json"} | WORK_FILES  # of a version, beside its result


class Version:
    """One version. ``folder``: its own, named by its number."""

    def __init__(self, folder: Path, suffix: str) -> None:
        self.name, self.folder = folder.name, folder
        self.output = folder / f"result{suffix}"
        self.work = Work(folder)

    @property
    def recipe(self) -> Recipe:
        """The recipe that it was rendered by. Raises ``RecipeError``."""
        return Recipe.load(self.folder / "recipe.json")

    @property
    def label(self) -> str:
        """Its number and its look, in words."""
        try:
            return f"{self.name}: {recipe_line(self.recipe)}"
        except RestyleError:
            return self.name

    @property
    def first(self) -> int:
        """Number of the frame of the footage with which it begins."""
        for path in (self.folder / "plan.json", default_folder(self.output) / "plan.json"):
            with suppress(OSError, ValueError, KeyError, IndexError, TypeError):
                return int(json.loads(path.read_bytes())["shots"][0]["start"])
        return 0


@dataclass(frozen=True)
class Served:
    """A result whose frames can be shown."""

    frames: FrameServer
    first: int
    """Number of the frame of the footage with which it begins."""
    stamp: int
    """Changes with the file."""
    path: Path
    label: str

    def plain(self, url: str) -> dict[str, Any]:
        """Return what the viewer wants to know. ``url``: where its frames are asked for."""
        return {"url": url, "first": self.first, "frames": self.frames.frames, "stamp": self.stamp, "name": self.label}


class Versions:
    """The result of a project and its versions, and their frames."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.folder = project.folder / "versions"
        self._known: dict[str, Version] = {}
        self._served: dict[str, Served] = {}

    def all(self) -> list[Version]:
        """All versions, the first one first."""
        try:
            names = [entry.name for entry in os.scandir(self.folder) if entry.is_dir(follow_symlinks=False)]
        except OSError:
            names = []
        suffix = self._project.output.suffix
        found = sorted((name for name in names if name.isdecimal()), key=int)
        self._known = {name: self._known.get(name) or Version(self.folder / name, suffix) for name in found}
        return list(self._known.values())

    def named(self, name: str) -> Version | None:
        """The version of that number."""
        return next((version for version in self.all() if version.name == name), None)

    def served(self, name: str = "") -> Served | None:
        """The frames of a version, or of the result; ``None``: there is none yet."""
        project = self._project
        version = self.named(name) if name else None
        if (name and version is None) or (not name and project.result is None):
            self._served.pop(name, None)
            return None
        path = project.output if version is None else version.output
        try:
            stamp = path.stat().st_mtime_ns // 1000 % 10**12
        except OSError:
            return None
        known = self._served.get(name)
        if known is None or known.stamp != stamp:
            first = project.first_result if version is None else version.first
            try:
                frames = FrameServer(path)
            except FootageError:
                return None
            self._served[name] = Served(frames, first, stamp, path, "Result" if version is None else version.label)
            for old in [each for each in self._served if each not in (name, "")][: len(self._served) - SERVED]:
                del self._served[old]
        return self._served[name]

    def new(self, recipe: Recipe) -> Version:
        """Make a version that is to be rendered by a recipe. Raises ``OutputError``."""
        self._project.make_folder(self.folder)
        number = 1 + max((int(version.name) for version in self.all()), default=0)
        version = Version(self.folder / f"{number}", self._project.output.suffix)
        try:
            version.folder.mkdir()
        except OSError as error:
            raise OutputError(f"cannot make the folder {show_path(version.folder)}: {why(error)}") from error
        recipe.save(version.folder / "recipe.json")
        return version

    def keep(self) -> Version:
        """Keep the result as it is now, with the recipe that it was rendered by. Raises ``OutputError``, ``RecipeError``."""
        project = self._project
        if project.result is None or not project.output.is_file():
            raise RecipeError("there is no result yet: render one")
        version = self.new(Recipe.load(project.job / "recipe.json"))
        try:
            write_file(version.folder / "plan.json", (project.job / "plan.json").read_bytes())
            try:
                os.link(project.output, version.output)  # a run replaces the result's file, and never writes into it
            except OSError:  # the file system has no links
                shutil.copyfile(project.output, version.output)
        except OSError as error:
            raise OutputError(f"cannot keep {show_path(project.output)}: {why(error)}") from error
        return version

    def remove(self, name: str) -> None:
        """Remove a version, with its result. Raises ``RecipeError`` while it is being rendered, ``OutputError``, also where
        something else lies in its folder."""
        version = self.named(name)
        if version is None:
            return
        if version.work.state().running:
            raise RecipeError(f"version {name} is being rendered: stop it first")
        try:
            own = (version.output.name, ".restyle-")  # and what a run writes beside its output
            others = {entry.name for entry in os.scandir(version.folder) if not entry.name.startswith(own)} - FILES
            if others:
                raise OutputError(
                    f"version {name} holds what restyle did not put there: {show_path(version.folder / min(others))}; "
                    "move it away first"
                )
            shutil.rmtree(version.folder)
        except OSError as error:
            raise OutputError(f"cannot remove {show_path(version.folder)}: {why(error)}") from error
