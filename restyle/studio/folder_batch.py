"""A folder of clips: what they are, what would be done with each, and the batch that does it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from restyle import Batch, JobError, Recipe
from restyle.batch.dry_run import PlannedClip
from restyle.batch.records import BatchFolder
from restyle.footage import open_footage
from restyle.footage.numbering import is_pattern
from restyle.quality.pictures import jpeg_of
from restyle.quality.stored_report import StoredReport, read_report
from restyle.studio.work import Work

__all__ = ["FolderBatch", "Row"]

MOST = 500  # rows


@dataclass
class Row:
    """A clip in the table."""

    source: Path
    name: str
    """Of its result, within the batch's output."""
    planned: str
    """``restyle``, ``skip`` or ``fail``, and why."""

    @property
    def sequence(self) -> bool:
        """True for a sequence of pictures, which has no rate of its own."""
        return is_pattern(self.source)


class FolderBatch:
    """The clips of a folder, and the batch that restyles them into ``FOLDER.restyled`` beside it.

    ``FOLDER.studio`` holds the recipe of all, the state of the work, and the results of clips that were opened by themselves:
    not in the folder itself, where they would be taken for clips.
    """

    def __init__(self, folder: Path, *, rate: Fraction | None, offline: bool) -> None:
        self.folder, self.rate, self.offline = folder, rate, offline
        self.output = folder.with_name(folder.name + ".restyled")
        self.own = folder.with_name(folder.name + ".studio")
        self.records = BatchFolder(self.output)
        self.work = Work(self.own)
        self.rows: list[Row] = []
        self.notes: list[str] = []

    @property
    def recipe_file(self) -> Path:
        """The recipe of all clips."""
        return self.own / "recipe.json"

    @property
    def recipe(self) -> Recipe:
        """The recipe as the file has it. Raises ``RecipeError``."""
        return Recipe.load(self.recipe_file) if self.recipe_file.is_file() else Recipe()

    def clip_folder(self, source: Path) -> Path:
        """Folder of the result of a clip that is opened by itself."""
        return self.own / source.parent.relative_to(self.folder) if source.is_relative_to(self.folder) else self.own

    def poster(self, source: Path) -> bytes:
        """A picture of a clip: of its result, if there is one. Raises ``FootageError``."""
        row = next((row for row in self.rows if row.source == source), None)
        report = None if row is None else self.report(row)
        if report is not None and report.poster is not None:
            return report.poster.read_bytes()
        with open_footage(source, rate=self.rate if row is None or row.sequence else None) as footage:
            return jpeg_of(next(footage.frames(0, 1)).picture, long_side=256)

    def use_for_all(self, recipe: Recipe) -> None:
        """Take over what of a clip's recipe fits any clip. Raises ``OutputError``."""
        own = {"range", "objects", "layers", "storyboard", "keyframes", "cuts", "prompts"}
        self.change(**recipe.model_dump(exclude=own))

    def change(self, **fields: Any) -> None:
        """Change the recipe, and write the file. Raises ``RecipeError``, ``OutputError``."""
        recipe = Recipe.build("the recipe", **{**self.recipe.model_dump(), **fields})
        self.own.mkdir(exist_ok=True)
        recipe.save(self.recipe_file)

    def find(self) -> None:
        """Find the clips, and what would be done with each. Raises ``RestyleError``."""
        batch = Batch(
            [self.folder],
            self.output,
            self.recipe.model_dump(exclude_unset=True),
            rate=self.rate,
            offline=self.offline,
        )
        self.rows = [_row(clip, self.output) for clip, _ in zip(batch.plan(), range(MOST), strict=False)]
        self.notes = list(batch.notes)

    def report(self, row: Row) -> StoredReport | None:
        """The report of a clip's result; ``None``: there is none."""
        try:
            return read_report(self.records.report_folder(row.name, {}))
        except JobError:
            return None

    @property
    def command(self) -> str:
        """The command line that does the same."""
        words = ["restyle", "batch", self.folder, "-o", self.output, "--recipe", self.recipe_file]
        return shlex.join(map(str, words))


def _row(clip: PlannedClip, output: Path) -> Row:
    name = str(Path(clip.output).relative_to(output)) if Path(clip.output).is_relative_to(output) else str(clip.output)
    return Row(Path(clip.source), name, f"{clip.action}: {clip.why}")
