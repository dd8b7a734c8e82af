"""Names of a batch's results: as the clips are called, by a template, or as a manifest says."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from string import Formatter

from restyle.batch.clips import Clip
from restyle.errors import RecipeError, show_path
from restyle.footage.formats import FORMATS
from restyle.footage.numbering import Numbering
from restyle.footage.output import CONTAINERS
from restyle.recipe import Recipe

__all__ = ["FIELDS", "OWN_FOLDER", "Names", "check_template", "output_name"]

FIELDS = ("stem", "folder", "ext", "style", "painter", "seed")
"""Fields that a template may hold in braces."""
OWN_FOLDER = "batch.restyle"
"""Folder in the output that is the batch's own."""


def check_template(template: str) -> None:
    """Raise ``RecipeError`` for a template of names that cannot be filled in."""
    try:
        names = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise RecipeError(f"the name {template!r} is no template ({error}); such as {{stem}}_{{style}}.mp4") from None
    if unknown := sorted(names - set(FIELDS)):
        raise RecipeError(
            f"the name {template!r} holds {{{unknown[0]}}}; there are {', '.join(f'{{{name}}}' for name in FIELDS)}"
        )
    if not names & {"stem", "folder"}:
        raise RecipeError(f"the name {template!r} is the same for every clip: put {{stem}} into it")


def output_name(clip: Clip, recipe: Recipe, template: str | None) -> PurePosixPath:
    """Name a clip's result within the batch's output: a file, or the pattern of a sequence.

    Without a template, names and extensions are kept, where results can have them (.mp4 where not). A template without an
    extension keeps it, too; one without ``{folder}`` lies in the clip's folder. Raises ``RecipeError`` for a name that leads
    elsewhere.
    """
    pictures = None if clip.numbering is None else clip.numbering.pattern
    ext = clip.source.suffix if pictures or clip.source.suffix.lower() in CONTAINERS else ".mp4"
    path = clip.folder / clip.stem
    if clip.output is not None:
        path = PurePosixPath(clip.output)
    elif template is not None:
        path = PurePosixPath(template.format(**_values(clip, recipe, ext)))
        if "{folder" not in template:
            path = clip.folder / path
    if (clip.output is None and template is None) or not _has_format(path):
        path = path / pictures if pictures else path.with_name(path.name + ext)
    if path.is_absolute() or ".." in path.parts or path.parts[:1] == (OWN_FOLDER,):
        raise RecipeError(
            f"the result of {show_path(clip.source)} would be {show_path(str(path))}, which is not in the output: "
            "name it within the output folder"
        )
    return path


def _values(clip: Clip, recipe: Recipe, ext: str) -> dict[str, str]:
    style = recipe.style or "default"
    if PurePosixPath(style).suffix.lower() in FORMATS:
        style = PurePosixPath(style).stem
    return {
        "stem": clip.stem,
        "folder": str(clip.folder),
        "ext": ext.removeprefix("."),
        "style": _plain(style),
        "painter": _plain(recipe.painter),
        "seed": str(recipe.seed),
    }


def _has_format(path: PurePosixPath) -> bool:
    suffix = path.suffix.lower()
    return suffix in CONTAINERS or (suffix in FORMATS and Numbering.of(path) is not None)


def _plain(text: str) -> str:
    """Text as it may stand in a file's name."""
    return re.sub(r"[^\w.-]+", "-", text)


class Names:
    """The names that are taken, the same in capitals or not: on some file systems those are one file."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}

    def take(self, name: PurePosixPath, clip: Clip) -> None:
        """Take a name for a clip. Raises ``RecipeError`` if another clip's result has it."""
        other = self._taken.setdefault(str(name).casefold(), str(clip.source))
        if other != str(clip.source):
            raise RecipeError(
                f"{show_path(other)} and {show_path(clip.source)} would both be written to {show_path(str(name))}: "
                "tell them apart, such as with --name '{stem}-{ext}.mp4'"
            )
