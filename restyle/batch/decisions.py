"""Decisions whether a clip has to be done: by content and recipe, never by time stamps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from restyle.batch.entries import Entry
from restyle.batch.fingerprint import Fingerprints
from restyle.batch.records import BatchFolder, Record
from restyle.errors import FootageError, OutputExistsError, show_path
from restyle.files.remote import RemoteError, Url, look_up
from restyle.footage.numbering import Numbering, is_pattern
from restyle.footage.staging import is_remote_pattern, pictures_of_pattern, reading_remote
from restyle.job.content import Content, footage_content, result_content

__all__ = ["Decision", "decide"]


@dataclass(frozen=True)
class Decision:
    """Decision about one clip."""

    todo: bool
    why: str
    fingerprint: str
    overwrite: bool = False
    """True if what lies under the result's name may be replaced: it is this batch's own, or a person said so."""
    record: Record | None = None
    """The record of it, if there is one."""


def decide(
    entry: Entry, folder: BatchFolder, fingerprints: Fingerprints, *, overwrite: bool = False, offline: bool = False
) -> Decision:
    """Decide about a clip from its record, its files and its recipe.

    Raises ``OutputExistsError`` if something lies under the result's name that this batch did not write, or that was changed
    since, and ``overwrite`` is not set; ``FootageError`` for a clip, and what ``Fingerprints.of`` raises for a recipe, that
    cannot be read.
    """
    fingerprint = fingerprints.of(entry.recipe)
    path = folder.output / entry.name
    record = folder.read(entry.name)
    if record is None:
        if not overwrite and _is_there(path):
            raise OutputExistsError(
                f"{show_path(path)} is there already, and not of this batch: move it, or --overwrite"
            )
        return Decision(True, "new", fingerprint, overwrite)
    if record.state != "done" or record.result is None or record.footage is None:
        return Decision(True, "begun before", fingerprint, True, record)
    result = _content(path, record.result)
    if result is not None and result.key != record.result.key and not overwrite:
        raise OutputExistsError(f"{show_path(path)} was changed since it was restyled: move it, or --overwrite")
    if result is None or result.key != record.result.key:
        return Decision(
            True, "its result is gone" if result is None else "its result was changed", fingerprint, True, record
        )
    if record.recipe != fingerprint:
        return Decision(True, "another recipe", fingerprint, True, record)
    clip = entry.clip
    footage = footage_content(
        clip.source, record.footage, rate=clip.rate, deinterlace=entry.recipe.deinterlace, offline=offline
    )
    if footage.key != record.footage.key:
        return Decision(True, "other footage", fingerprint, True, record)
    return Decision(False, "done", fingerprint, record=replace(record, footage=footage, result=result))


def _is_there(path: Path | Url) -> bool:
    """Tell whether a result, or a picture of one, lies under a name. Raises ``FootageError``: that cannot be told."""
    if isinstance(path, Url):
        with reading_remote(path):
            return bool(pictures_of_pattern(path)) if is_remote_pattern(path) else look_up(path) is not None
    if not is_pattern(path):
        return path.exists() or path.is_symlink()
    numbering = Numbering.of(path)
    folder = path.parent
    return (
        numbering is not None
        and folder.is_dir()
        and any(numbering.number(p.name) is not None for p in folder.iterdir())
    )


def _content(path: Path | Url, known: Content) -> Content | None:
    """Find what is in a result, if it is there. Raises ``FootageError``: it is elsewhere, and that cannot be told."""
    try:
        return result_content(path, known)
    except FootageError as error:
        if isinstance(error.__cause__, RemoteError):
            raise
        return None
