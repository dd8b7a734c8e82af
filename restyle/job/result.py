"""The result of a job, and where its folder lies."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, overload

from restyle.errors import OutputError, show_path
from restyle.files.remote import Url
from restyle.files.writing import fitted_name
from restyle.footage.formats import FORMATS
from restyle.footage.numbering import Numbering
from restyle.job.mattes import MatteDoubt
from restyle.job.result_page import result_html

__all__ = ["Result", "default_folder"]


@dataclass(frozen=True)
class Result:
    """Result of a finished job."""

    output: Path | Url
    folder: Path | Url
    """The job folder: delete it when nothing is to be changed any more."""
    report: Path | Url | None
    verdict: str
    """The report's verdict in words: whether what moves keeps its shape, and how steady it is; empty without a report."""
    frames: int
    shots: int
    painted: int
    """Frames that were painted: keyframes and repairs."""
    repaired: int
    """Frames among them that no neighbour explained."""
    reused: int
    """Frames that an earlier run had finished."""
    seconds: float
    footage: str
    """Key of the footage's content (``job.keys.footage_key``): the same for the same footage, whatever its name."""
    notes: tuple[str, ...] = ()
    """What a person should know: one line each."""
    doubts: tuple[MatteDoubt, ...] = ()
    """Frames in which objects' mattes should be looked at; the notes name them, too."""

    def _repr_html_(self) -> str:
        """Show it in a notebook."""
        return result_html(self)

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        plain = asdict(self) | {"doubts": [doubt._asdict() for doubt in self.doubts]}
        return plain | {name: str(plain[name]) if plain[name] else None for name in ("output", "folder", "report")}


@overload
def default_folder(output: Path) -> Path: ...


@overload
def default_folder(output: Url) -> Url: ...


def default_folder(output: Path | Url) -> Path | Url:
    """Name the job folder of an output: ``OUTPUT.restyle``, beside it. Raises ``OutputError`` for a folder that has no name."""
    pictures = output.suffix.lower() in FORMATS and Numbering.of(output) is not None
    if isinstance(output, Url):
        if pictures and len(output.inner) > 2:  # not beside a bucket
            output = output.parent
        return output.with_name(fitted_name(output.name, ".restyle"))
    if pictures and output.parent.name:
        output = output.parent  # a pattern of pictures: beside their folder
    if output.name in ("", ".."):
        output = output.resolve()
    if not output.name:
        raise OutputError(f"the output cannot be {show_path(output)} itself: name a folder in it")
    return output.with_name(fitted_name(output.name, ".restyle"))
