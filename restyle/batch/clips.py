"""Clips of a batch: what each is read from, where its result goes, and what of the recipe is its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

from restyle.files.remote import Url
from restyle.footage.formats import CLIPS, FORMATS
from restyle.footage.numbering import Numbering

__all__ = ["Clip", "Findings", "is_clip_name", "stem_of"]

HERE = PurePosixPath()


@dataclass(frozen=True)
class Clip:
    """One piece of footage of a batch."""

    source: Path | Url
    """A video file, or the pattern of a sequence (``shot/frame.%04d.png``); a path, or an address."""
    folder: PurePosixPath = HERE
    """Folder of the result within the batch's output."""
    stem: str = ""
    """Name of the result without its extension, unless a template says otherwise."""
    output: str | None = None
    """The result within the batch's output, as a manifest says it."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the recipe that are this clip's own; they come before all others."""
    match: str | None = None
    """Name of the group of clips that share one look; ``None``: by itself."""
    rate: Fraction | None = None
    """Frames a second of a sequence of pictures."""

    @property
    def numbering(self) -> Numbering | None:
        """Numbering of a sequence's pictures; ``None`` for a video file."""
        return Numbering.of(self.source) if self.source.suffix.lower() in FORMATS else None


def is_clip_name(name: str) -> bool:
    """Tell whether a file is taken for a clip by its name."""
    return Path(name).suffix.lower() in CLIPS and not name.startswith(".")


def stem_of(numbering: Numbering) -> str:
    """A name for one of several sequences in a folder: what is before and behind its numbers."""
    behind = Path(numbering.suffix).stem if Path(numbering.suffix).suffix.lower() in FORMATS else ""
    return (numbering.prefix + behind).strip("._- ") or "pictures"


class Findings:
    """Facts of a search for a person: what was left out, one line each, and how many single pictures were passed by."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.pictures = 0

    def note(self, text: str) -> None:
        """Add a line, once."""
        if text not in self.notes:
            self.notes.append(text)
