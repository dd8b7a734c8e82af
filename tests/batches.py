"""Batches in a line, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from clips import moving_frames, write_clip, write_pictures

from restyle.batch.batch import Batch
from restyle.batch.results import ClipResult

FIELDS = {"painter": "identity"}
SIZE = (32, 32)


def run(
    footage: Path | list[Path], output: Path | str, fields: Mapping[str, Any] = FIELDS, **options: Any
) -> list[ClipResult]:
    sources = footage if isinstance(footage, list) else [footage]
    return list(Batch(sources, output, fields, **{"report": False, **options}).results())


def ends(results: list[ClipResult]) -> dict[str, str]:
    """Name of each result -> how it ended, and why."""
    return {result.output.name: f"{result.status}: {result.reason}" for result in results}


def contents(output: Path) -> dict[str, bytes]:
    """All results, without what the batch keeps."""
    return {
        str(path.relative_to(output)): path.read_bytes()
        for path in sorted(output.rglob("*"))
        if path.is_file() and "batch.restyle" not in path.parts
    }


@pytest.fixture(autouse=True)
def own_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was learned on this machine stays out of it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """A folder of two clips and a sequence: ``a.mp4``, ``day1/b.mov``, ``shot/frame.%04d.png``."""
    folder = tmp_path / "footage"
    (folder / "day1").mkdir(parents=True)
    write_clip(folder / "a.mp4", moving_frames(6, SIZE), audio=True)
    write_clip(folder / "day1" / "b.mov", moving_frames(8, SIZE, seed=1, cuts=(4,)))
    write_pictures(folder / "shot", moving_frames(5, SIZE, seed=2), "frame.%04d.png", first=0)
    return folder
