"""Manifests: lists of clips, each with what is its own. CSV, JSON or YAML, which anybody may have written.

JSON and YAML hold a table: ``clips``, a list of tables, and ``recipe``, fields for all of them. CSV has a row a clip under a
row of names. What a clip can have: ``clip`` (path from the manifest's folder, or an address), ``output`` (its name in the
batch's output), ``match`` (name of the group whose look it shares), ``fps`` (of a sequence of pictures), and every field of a
recipe.

A cell of CSV holds a field's value as it is said on the command line, or as JSON; an empty one leaves the field as it is.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any, TypeGuard

from interp.regular import require_regular
from restyle.batch.clips import Clip
from restyle.batch.discovery import clip_at
from restyle.errors import RecipeError, show_path, why
from restyle.files.document import check_plain, read_document
from restyle.files.remote import Url, place_of, require_usable
from restyle.recipe import Recipe
from restyle.renames import RENAMED_FIELDS, use_new_names

__all__ = ["MANIFESTS", "is_manifest", "read_manifest"]

MANIFESTS = (".csv", ".json", ".yaml", ".yml")
OWN = ("clip", "output", "match", "fps")
LARGEST = 64 << 20  # bytes of a CSV file
MOST_CLIPS = 1_000_000


def is_manifest(path: Path | Url) -> TypeGuard[Path]:
    """Tell whether a path is a manifest, by its name. Raises ``RecipeError`` for one that lies elsewhere."""
    if path.suffix.lower() not in MANIFESTS:
        return False
    if isinstance(path, Url):
        raise RecipeError(f"a manifest lies on this machine (what it lists need not): fetch {show_path(path)} first")
    return not path.is_dir()


def read_manifest(path: Path, *, offline: bool = False) -> list[Clip]:
    """Read the clips that a manifest lists; ``offline``: none may be elsewhere.

    Raises ``RecipeError``, one line that names file and row: unknown columns, wrong values, the same clip twice, no clips.
    """
    common: Mapping[str, Any] = {}
    if path.suffix.lower() == ".csv":
        rows = list(_csv_rows(path))
    else:
        document = read_document(path, "manifest")
        if unknown := sorted(map(str, document.keys() - {"clips", "recipe"})):
            raise RecipeError(f"manifest {show_path(path)}: unknown key {unknown[0]!r}; there are clips and recipe")
        common, rows = document.get("recipe", {}), document.get("clips", [])
        if not isinstance(rows, list) or not isinstance(common, dict) or not all(isinstance(row, dict) for row in rows):
            raise RecipeError(f"manifest {show_path(path)}: clips is a list of tables, and recipe a table of fields")
    if not rows:
        raise RecipeError(f"manifest {show_path(path)} lists no clips")
    if len(rows) > MOST_CLIPS:
        raise RecipeError(f"manifest {show_path(path)} lists more than {MOST_CLIPS:,} clips: split it")
    return [_clip(path, number, {**common, **row}, offline) for number, row in enumerate(rows, 1)]


def _clip(path: Path, number: int, row: dict[str, Any], offline: bool) -> Clip:
    where = f"manifest {show_path(path)}, clip {number}"
    own = {name: row.pop(name, None) for name in OWN}
    if unknown := [name for name in row if name not in Recipe.model_fields and name not in RENAMED_FIELDS]:
        near = difflib.get_close_matches(str(unknown[0]), [*OWN, *Recipe.model_fields], 1)
        hint = f", did you mean {near[0]!r}?" if near else f"; there are {', '.join(OWN)} and the recipe's fields"
        raise RecipeError(f"{where}: unknown column {str(unknown[0])[:80]!r}{hint}")
    for name in ("clip", "output", "match"):
        if own[name] is not None and (not isinstance(own[name], str) or not own[name]):
            raise RecipeError(f"{where}: {name} is text, got {own[name]!r}")
    if own["clip"] is None:
        raise RecipeError(f"{where}: no clip is named")
    here = path.resolve().parent
    place = place_of(own["clip"])
    if isinstance(place, Url):
        require_usable(place, offline=offline)
    source = place if isinstance(place, Url) else here / place
    try:
        fields = Recipe.read_fields(use_new_names(row, where), where, here)
    except ValueError as error:
        raise RecipeError(f"{where}: {error}") from None
    inner = PurePosixPath() if isinstance(place, Url) else PurePosixPath(place).parent
    if inner.is_absolute() or ".." in inner.parts:
        inner = PurePosixPath()
    clip = clip_at(source, inner)
    return replace(clip, output=own["output"], fields=fields, match=own["match"], rate=_rate(own["fps"], where))


def _rate(value: Any, where: str) -> Fraction | None:
    if value is None:
        return None
    try:
        rate = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 100_000:
        raise RecipeError(f"{where}: fps is frames a second, such as 24 or 30000/1001, got {value!r}")
    return rate


def _csv_rows(path: Path) -> Iterator[dict[str, Any]]:
    shown = f"manifest {show_path(path)}"
    try:
        require_regular(path, largest=LARGEST)
        text = path.read_text(encoding="utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        names = [name.strip() for name in next(reader, [])]
        if len(set(names)) < len(names):
            raise RecipeError(f"{shown}: a column is there twice: {', '.join(names)[:200]}")
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) > len(names):
                raise RecipeError(f"{shown}, line {reader.line_num}: more cells than columns; quote those with commas")
            cells = {name: cell.strip() for name, cell in zip(names, row, strict=False) if cell.strip()}
            check_plain(cells)
            yield {name: _value(name, cell, f"{shown}, line {reader.line_num}") for name, cell in cells.items()}
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"cannot read {shown}: {why(error)}") from None
    except (csv.Error, ValueError) as error:
        raise RecipeError(f"{shown} is not valid CSV: {why(error)}") from None


def _value(name: str, cell: str, where: str) -> Any:
    """A field's value from a cell: JSON where it looks like some, else as the command line has it."""
    if cell[0] in "[{":
        try:
            value = json.loads(cell)
            check_plain(value)
        except (ValueError, RecursionError) as error:
            raise RecipeError(f"{where}: {name} is not valid JSON: {why(error)}") from None
        return value
    if name == "objects":
        return [text.strip() for text in cell.split(";") if text.strip()]
    if name == "storyboard":
        return dict(_pair(text, where) for text in cell.split(";") if text.strip())
    if name in ("keyframes", "cuts") and cell.replace(",", "").replace(" ", "").isdecimal():
        return [int(number) for number in cell.split(",") if number.strip()]
    return cell


def _pair(text: str, where: str) -> tuple[int, str]:
    number, equals, picture = text.strip().partition("=")
    if not equals or not number.strip().isdecimal() or not picture:
        raise RecipeError(
            f"{where}: storyboard is FRAME=PICTURE, several separated by semicolons, got {text.strip()!r}"
        )
    return int(number), picture.strip()
