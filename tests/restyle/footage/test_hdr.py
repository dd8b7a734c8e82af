"""HDR10's mastering display and light levels come along where the codec has a place for them; else that is said."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest
from av.sidedata.sidedata import Type
from clips import moving_frames, write_clip

from restyle.footage import plan_output, probe
from restyle.footage.hdr import left_out
from restyle.types import Hdr10

DISPLAY = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
PLACES = (34000, 16000, 13250, 34500, 7500, 3000, 15635, 16450)
TOLD = Hdr10((*(Fraction(n, 50_000) for n in PLACES), Fraction(1, 10_000), Fraction(1000)), (1000, 400))


def hdr_clip(path: Path, params: str = f"master-display={DISPLAY}:max-cll=1000,400") -> Path:
    return write_clip(
        path,
        moving_frames(3, (128, 96), dtype="uint16"),
        codec="libx265",
        pixel_format="yuv420p10le",
        colour={"primaries": "bt2020", "transfer": "smpte2084", "matrix": "bt2020nc"},
        options={"x265-params": f"log-level=none:{params}"},
    )


@pytest.mark.parametrize(("codec", "suffix"), [("hevc", ".mp4"), ("h264", ".mkv"), ("av1", ".mp4"), ("hevc", ".mov")])
def test_it_comes_along(tmp_path: Path, codec: str, suffix: str, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = hdr_clip(tmp_path / "in.mp4")
    assert probe(source).hdr10 == TOLD
    done = pass_through(source, f"out{suffix}", codec=codec)
    found = probe(done.path)
    assert found.hdr10 is not None
    assert found.hdr10.display is not None
    assert found.hdr10.light == (1000, 400)
    assert all(abs(a - b) < Fraction(1, 2000) for a, b in zip(found.hdr10.display, TOLD.display or (), strict=True))
    assert found.colour.transfer == "smpte2084"
    assert done.warnings == []


def test_one_of_both_alone(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = hdr_clip(tmp_path / "in.mp4", "max-cll=600,200")
    assert probe(source).hdr10 == Hdr10(None, (600, 200))
    assert probe(pass_through(source, "out.mp4", codec="hevc").path).hdr10 == Hdr10(None, (600, 200))


@pytest.mark.parametrize(("codec", "suffix"), [("prores", ".mov"), ("vp9", ".mkv"), ("ffv1", ".mkv"), ("tiff", "")])
def test_a_codec_without_a_place_for_it_says_so(tmp_path: Path, codec: str, suffix: str) -> None:
    out = plan_output(probe(hdr_clip(tmp_path / "in.mp4")), tmp_path / f"out{suffix}", codec=codec)
    assert out.hdr10 is None
    assert (
        f"{codec} carries no mastering display and light levels of HDR10; they are left out (h264, hevc, av1 keep them)"
        in out.notes
    )


def test_what_results_do_not_carry_is_said() -> None:
    frame = SimpleNamespace(side_data={Type.DOVI_METADATA: b"", Type.DOVI_RPU_BUFFER: b"", Type.A53_CC: b""})
    assert left_out(frame) == [
        "the footage carries Dolby Vision metadata, frame by frame; results carry none",
        "the footage carries closed captions inside the pictures; results carry none",
    ]
