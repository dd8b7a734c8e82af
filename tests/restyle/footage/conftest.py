"""The whole way of footage without painting: read, encode in segments, join."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from restyle.footage import OutputSpec, SegmentWriter, conform, open_footage, plan_output, timing
from restyle.types import FootageSpec, Frame


@dataclass
class Passed:
    """What came of a pass."""

    path: Path
    source: FootageSpec
    out: OutputSpec
    frames: list[Frame]
    segments: list[Path]
    warnings: list[str]


@pytest.fixture
def pass_through(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Passed]:
    """``pass_through(source, "out.mp4", span=range(3, 9), pieces=3)``: the source's frames, unpainted, into an output."""

    def run(
        source: Path,
        name: str,
        *,
        codec: str | None = None,
        quality: int | None = None,
        span: range | None = None,
        pieces: int = 3,
        overwrite: bool = False,
        unchanged: Callable[[], None] = lambda: None,
    ) -> Passed:
        with open_footage(source) as footage:
            pts = timing(source)
            span = span or range(len(pts))
            frames = list(footage.frames(span.start, span.stop, pts=pts))
            out = plan_output(footage.spec, tmp_path / name, codec=codec, quality=quality)
            cuts = [span.start + len(span) * i // pieces for i in range(pieces + 1)]
            segments = []
            for first, last in pairwise(cuts):
                if first == last:
                    continue
                segments.append(tmp_path_factory.mktemp("segments") / "segment")
                with SegmentWriter(segments[-1], out, footage.spec) as writer:
                    for frame in frames[first - span.start : last - span.start]:
                        writer.write(frame)
            warnings = conform(
                segments, out, footage.spec, pts=pts, span=span, overwrite=overwrite, unchanged=unchanged
            )
            return Passed(tmp_path / name, footage.spec, out, frames, segments, warnings)

    return run
