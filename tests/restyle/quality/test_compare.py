"""Two files, frame against frame."""

from __future__ import annotations

import json
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import moving_frames, write_clip, write_pictures
from truths import write_truth

from restyle.errors import Cancelled, FootageError, RecipeError
from restyle.progress import Progress
from restyle.quality.compare import compare, shots_of
from restyle.types import Shot

LOSSLESS = {"codec": "ffv1", "pixel_format": "bgr0"}


def boiled(frames: list[np.ndarray], sigma: float = 12) -> list[np.ndarray]:
    rng = np.random.default_rng(2)
    return [np.clip(f + sigma * rng.standard_normal(f.shape), 0, 255).astype(np.uint8) for f in frames]


def test_a_copy_is_as_steady_as_its_source(tmp_path: Path) -> None:
    frames = boiled(
        moving_frames(6, shift=(1, 0)), 1
    )  # grain: whole pixels of motion alone leave nothing to compare with
    source = write_clip(tmp_path / "a.mkv", frames, **LOSSLESS)
    result = write_clip(tmp_path / "b.mkv", frames, **LOSSLESS)
    told: list[Progress] = []
    found = compare(source, result, progress=told.append)
    summary = found.summary()
    assert (found.source_frames, found.result_frames, len(found.rows), found.findings) == (6, 6, 6, ())
    assert summary["warp_error"] == summary["source_warp_error"] is not None
    assert summary["warp_error_over_source"] == 1
    assert summary["t_of"] == 0
    assert summary["structure"] == pytest.approx(1)
    assert summary["edge_f1"] == 1
    assert told[-1].done == 6


def test_a_boiling_result_stands_out_from_the_floor(tmp_path: Path) -> None:
    frames = boiled(moving_frames(6, shift=(1, 0)), 1)
    source = write_clip(tmp_path / "a.mkv", frames, **LOSSLESS)
    result = write_clip(tmp_path / "b.mkv", boiled(frames), **LOSSLESS)
    summary = compare(source, result, shots=[Shot(0, 0, 6, "start")]).summary()
    ratio = summary["warp_error_over_source"]
    assert ratio is not None
    assert ratio > 5
    assert summary["structure"] is not None
    assert summary["structure"] < 0.99


def test_cuts_are_found_or_given(tmp_path: Path) -> None:
    frames = moving_frames(24, shift=(1, 0), cuts=(12,))
    source = write_clip(tmp_path / "a.mkv", frames, **LOSSLESS)
    assert [(shot.start, shot.stop) for shot in shots_of(source)] == [(0, 12), (12, 24)]
    by_itself = compare(source, source)
    given = compare(source, source, shots=lambda path: (Shot(0, 0, 12, "start"), Shot(1, 12, 24)))
    for found in (by_itself, given):
        assert found.rows[12].warp_error is found.rows[12].visible is None
        assert found.rows[13].warp_error is not None
        assert found.summary()["shots"] == 2


def test_differences_are_findings(tmp_path: Path) -> None:
    frames = moving_frames(6)
    source = write_clip(tmp_path / "a.mkv", frames, rate=Fraction(24000, 1001), audio="pcm_s16le", **LOSSLESS)
    smaller = [np.ascontiguousarray(f[::2, ::2]) for f in frames[:4]]
    result = write_clip(tmp_path / "b.mkv", smaller, rate=25, **LOSSLESS)
    found = compare(source, result)
    said = " | ".join(found.findings)
    assert "the result is 48x32, the source 96x64" in said
    assert "the result has 4 frames, the source 6" in said
    assert "runs at 25 fps, the source at 23.976 fps (24000/1001)" in said
    assert "0 audio streams, the source 1" in said
    assert found.size == (96, 64)
    assert len(found.rows) == 4
    assert len(compare(result, source).rows) == 4, "the other way round too"


def test_what_moves_is_judged_by_a_painting_of_every_frame(tmp_path: Path) -> None:
    frames = moving_frames(8, (320, 180))
    source = write_clip(tmp_path / "a.mkv", frames, codec="ffv1")
    spoilt = write_clip(tmp_path / "b.mkv", frames[:1] * 8, codec="ffv1")
    good, bad = (compare(source, result, painted_path=source) for result in (source, spoilt))
    assert good.structure_loss().lost == 0
    assert (bad.structure_loss().lost or 0) > 0.1
    assert bad.worst_moments()[0].loss > 0.35
    assert compare(source, spoilt).structure_loss().lost is None
    short = write_clip(tmp_path / "c.mkv", frames[:5], codec="ffv1")
    assert "ends after 5 frames" in " ".join(compare(source, source, painted_path=short).findings)
    assert good.findings == ()


def test_steadiness_beside_a_painting_of_every_frame_and_along_true_motion(tmp_path: Path) -> None:
    frames = moving_frames(6, (192, 128), shift=(2, 0))
    source = write_clip(tmp_path / "a.mkv", frames, **LOSSLESS)
    calm, wild = (
        write_clip(tmp_path / name, boiled(frames, s), **LOSSLESS) for name, s in (("b.mkv", 6), ("c.mkv", 12))
    )
    truth = write_truth(tmp_path / "truth", 6, (192, 128), (2, 0), scale=2)
    for options in ({}, {"truth_path": truth}, {"truth_path": truth, "size": 192}):
        summary = compare(source, calm, painted_path=wild, **options).summary()  # type: ignore[arg-type]
        assert summary["warp_error_over_painted"] == pytest.approx(1 / 4, abs=0.05)
    assert summary["source_warp_error"] is not None
    assert summary["source_warp_error"] < 1e-6
    assert summary["judged"] == pytest.approx(0.97, abs=0.02)
    assert compare(source, calm).summary()["warp_error_over_painted"] is None
    wrong = write_truth(tmp_path / "wrong", 6, (192, 128), (0, 0), scale=2)
    assert (compare(source, calm, truth_path=wrong).summary()["source_warp_error"] or 0) > 1e-3, (
        "it is what is judged along"
    )
    other = write_truth(tmp_path / "other", 7, (192, 128), (2, 0), scale=2)
    with pytest.raises(RecipeError, match="7 frames"):
        compare(source, calm, truth_path=other)


def test_a_sequence_against_a_file_at_a_small_size(tmp_path: Path) -> None:
    frames = moving_frames(3)
    source = write_clip(tmp_path / "a.mkv", frames, **LOSSLESS)
    result = write_pictures(tmp_path / "out", frames)
    found = compare(source, result, size=48)
    assert found.size == (48, 32)
    assert found.findings == ()
    assert found.summary()["t_of"] == 0


def test_one_frame(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mkv", moving_frames(1), **LOSSLESS)
    found = compare(source, source)
    assert found.rows[0].warp_error is None
    assert found.summary()["warp_error"] is None
    assert found.summary()["sharpness"] is not None


def test_json_is_plain_and_versioned(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mkv", moving_frames(4), **LOSSLESS)
    plain = compare(source, source).to_json()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert (plain["schema"], plain["version"]) == ("restyle.comparison", 1)
    assert [row["frame"] for row in plain["frames"]] == [0, 1, 2, 3]


def test_what_cannot_be_read_is_one_clear_error(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mkv", moving_frames(3), **LOSSLESS)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    for pair in ((source, empty), (empty, source), (source, tmp_path / "missing.mov")):
        with pytest.raises(FootageError) as caught:
            compare(*pair)
        assert "\n" not in str(caught.value)
        assert "empty.mp4" in str(caught.value) or "missing.mov" in str(caught.value)


def test_it_can_be_stopped(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mkv", moving_frames(3), **LOSSLESS)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        compare(source, source, cancel=cancel)
