"""Batches in a line, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restyle.batch.batch import Batch
from restyle.batch.results import ClipResult

FIELDS = {"painter": "identity"}


def run(
    footage: Path | list[Path], output: Path, fields: Mapping[str, Any] = FIELDS, **options: Any
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
