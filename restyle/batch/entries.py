"""Entries of a batch: each clip with its recipe and the name of its result, checked before any work."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path, PurePath
from typing import Any

from restyle.batch.clips import Clip, Findings
from restyle.batch.discovery import find_clips, searched_with
from restyle.batch.manifest import is_manifest, read_manifest
from restyle.batch.naming import Names, check_template, output_name
from restyle.errors import FootageError, OutputError, RecipeError, show_path
from restyle.files.remote import Url, require_usable
from restyle.recipe import Recipe

__all__ = ["Entries", "Entry"]

ALL = "all clips"
"""Name of the group that ``match_first`` makes."""


@dataclass(frozen=True)
class Entry:
    """One clip of a batch."""

    clip: Clip
    recipe: Recipe
    name: str
    """Of the result within the batch's output: a file, or the pattern of a sequence."""


class Entries:
    """The entries of a batch, in the order of their names. Iterating searches anew, and checks each entry.

    ``sources``: folders, patterns, clips and manifests. ``fields``: of the recipe, for all clips; a manifest's come first.
    ``template``: see ``naming.output_name``. Raises ``RecipeError`` for a template or a manifest that cannot be used, and
    ``OutputError`` for an output that lies in a folder that is searched.
    """

    def __init__(
        self,
        sources: Sequence[Path | Url],
        output: Path | Url,
        fields: Mapping[str, Any],
        *,
        template: str | None = None,
        rate: Fraction | None = None,
        match_first: bool = False,
        offline: bool = False,
    ) -> None:
        if not sources:
            raise RecipeError("no footage is named: give a folder, a pattern, clips or a manifest")
        if template is not None:
            check_template(template)
        self.findings = Findings()
        self._output = output
        self._fields = dict(fields)
        self._recipe = Recipe.build("the options", **self._fields)
        self._template = template
        self._rate = rate
        self._match_first = match_first
        self._listed = [clip for path in sources if is_manifest(path) for clip in read_manifest(path, offline=offline)]
        self._searched = [path for path in sources if not is_manifest(path)]
        for path in self._searched:
            if isinstance(path, Url):
                require_usable(path, offline=offline)
        self._folders: dict[PurePath, PurePath] = {}
        self._looks: dict[str, Any] = {}
        if (source := searched_with(self._searched, output)) is not None:
            raise OutputError(
                f"the output {show_path(output)} lies in {show_path(source)}, where clips are looked for: choose another"
            )

    def __iter__(self) -> Iterator[Entry]:
        """Raises ``RecipeError``, ``OutputError``, ``FootageError``: a clip, a name or a recipe that cannot be."""
        names = Names()
        for clip in self.clips():
            entry = self.entry(clip)
            names.take(output_name(clip, entry.recipe, self._template), clip)
            yield entry

    def clips(self) -> Iterator[Clip]:
        """Find the clips, unchecked. Raises ``FootageError``."""
        yield from self._listed
        yield from find_clips(self._searched, self.findings)

    def entry(self, clip: Clip) -> Entry:
        """Make the entry of a clip. Raises ``RecipeError``, ``OutputError``."""
        recipe = self._recipe
        if clip.fields:
            recipe = Recipe.build(f"the recipe of {show_path(clip.source)}", **{**self._fields, **clip.fields})
        name = str(output_name(clip, recipe, self._template))
        if self._real((self._output / name).parent) == self._real(clip.source.parent):
            raise OutputError(
                f"the result of {show_path(clip.source)} would lie beside it: nothing is written among footage, choose "
                "another output"
            )
        group = clip.match or (ALL if self._match_first else None)
        if group is not None:
            look = (recipe.painter, recipe.style, recipe.painter_options, recipe.seed)
            if self._looks.setdefault(group, look) != look:
                raise RecipeError(
                    f"{show_path(clip.source)} is to share the look of {group!r}, and has another painter, style or seed: "
                    "give all clips of a group the same, or take it out"
                )
        return Entry(replace(clip, match=group, rate=self._rate_of(clip)), recipe, name)

    def require_some(self, count: int) -> None:
        """Raise ``FootageError`` if no clip was found, and say what there is instead."""
        if count:
            return
        where = ", ".join(show_path(path) for path in self._searched)
        why = "; ".join(self.findings.notes)
        if self.findings.pictures:
            found = f"{self.findings.pictures} pictures that are no sequence (number them, as frame.0001.png)"
            raise FootageError(f"there are no clips in {where}, but {found}" + (f"; {why}" if why else ""))
        raise FootageError(f"there are no clips in {where}" + (f"; {why}" if why else ""))

    def _rate_of(self, clip: Clip) -> Fraction | None:
        """The rate that was asked for, where the clip has none of its own."""
        if clip.rate is not None:
            return clip.rate
        return self._rate if clip.numbering is not None else None

    def _real(self, folder: Path | Url) -> PurePath:
        if folder not in self._folders:
            self._folders[folder] = folder if isinstance(folder, Url) else Path(os.path.realpath(folder))
        return self._folders[folder]
