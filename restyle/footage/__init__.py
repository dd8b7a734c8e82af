"""Footage in and out: probe, decode, encode, image sequences, audio, timecode.

Importing this package loads neither PyAV nor OpenCV; the first use of a name that needs them does.

Reading: ``probe`` -> ``FootageSpec``; ``open_footage`` -> ``Footage``, whose ``frames()`` are ``Frame`` values; ``timing``.
Writing: ``plan_output`` -> ``OutputSpec``; ``SegmentWriter`` encodes runs of frames, ``conform`` joins them into the output;
``ClipWriter`` does both in one go.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from restyle.footage.timecode import format_timecode, parse_span, parse_timecode

if TYPE_CHECKING:
    from restyle.footage.clips import ClipWriter
    from restyle.footage.joining import check_output, conform
    from restyle.footage.output import CODECS, OutputSpec, plan_output
    from restyle.footage.reading import Footage, files_of, open_footage, probe, timing
    from restyle.footage.saving import write_picture
    from restyle.footage.segments import SegmentWriter
    from restyle.footage.shot import ShotPictures
    from restyle.footage.stills import read_picture

__all__ = [
    "CODECS",
    "ClipWriter",
    "Footage",
    "OutputSpec",
    "SegmentWriter",
    "ShotPictures",
    "check_output",
    "conform",
    "files_of",
    "format_timecode",
    "open_footage",
    "parse_span",
    "parse_timecode",
    "plan_output",
    "probe",
    "read_picture",
    "timing",
    "write_picture",
]

_HOME = {
    "CODECS": "output",
    "ClipWriter": "clips",
    "Footage": "reading",
    "OutputSpec": "output",
    "SegmentWriter": "segments",
    "ShotPictures": "shot",
    "check_output": "joining",
    "conform": "joining",
    "files_of": "reading",
    "open_footage": "reading",
    "plan_output": "output",
    "probe": "reading",
    "read_picture": "stills",
    "timing": "reading",
    "write_picture": "saving",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
