"""Clips of a batch: what each is read from, where its result goes, and what of the recipe is its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

from restyle.footage.formats import CLIPS, FORMATS
from restyle.footage.numbering import Numbering

__all__ = ["Clip", "is_clip_name"]

HERE = PurePosixPath()


@dataclass(frozen=True)
class Clip:
    """One piece of footage of a batch."""

    source: Path
    """A video file, or the pattern of a sequence (``shot/frame.%04d.png``)."""
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
