"""Retiming footage, from file to file."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
import weakref
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import (
    moving_frames,
    number_of,
    numbered_frames,
    psnr,
    read_pictures,
    read_pts,
    stream_packets,
    write_clip,
    write_pictures,
)

import restyle
from restyle.errors import RecipeError
from restyle.footage import probe
from restyle.types import Frame

SIZE = (96, 64)


def sound_of(path: Path) -> np.ndarray:
    """All samples of the first audio stream, one channel."""
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


def test_another_rate_keeps_the_length_the_sound_and_the_frames_that_fit(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", moving_frames(25, SIZE, shift=(2, 0)), rate=25, audio=True)
    made = restyle.retime(source, tmp_path / "out.mp4", fps=50)
    assert (made.frames, made.kept, made.held, made.rate) == (50, 25, 1, 50)
    assert read_pts(tmp_path / "out.mp4") == [Fraction(n, 50) for n in range(50)]
    assert probe(tmp_path / "out.mp4").rate == 50
    assert stream_packets(tmp_path / "out.mp4") == stream_packets(source)


def test_in_betweens_are_where_the_motion_is(tmp_path: Path) -> None:
    """Every second frame taken away and drawn again, losslessly."""
    frames = moving_frames(17, (160, 96), shift=(4, 2))
    source = write_clip(tmp_path / "in.mkv", frames[::2], rate=12, codec="ffv1", pixel_format="bgr0")
    restyle.retime(source, tmp_path / "out.mkv", fps=24, codec="ffv1")
    shown = read_pictures(tmp_path / "out.mkv")
    assert len(shown) == 18
    for t in range(0, 17, 2):
        assert np.array_equal(shown[t], frames[t])
    inner = np.s_[10:-10, 10:-10]
    for t in range(1, 16, 2):
        assert psnr(shown[t][inner], frames[t][inner]) > 26
        assert psnr(shown[t][inner], frames[t][inner]) > psnr(shown[t - 1][inner], frames[t][inner]) + 6


def test_nothing_is_drawn_across_a_cut(tmp_path: Path) -> None:
    frames = moving_frames(24, SIZE, shift=(1, 0), cuts=(12,))
    source = write_clip(tmp_path / "in.mkv", frames, rate=12, codec="ffv1", pixel_format="bgr0")
    made = restyle.retime(source, tmp_path / "out.mkv", fps=48, codec="ffv1")
    shown = read_pictures(tmp_path / "out.mkv")
    assert len(shown) == 96
    for t in range(44, 48):  # frame 11, and the three after it that there is nothing to draw between
        assert np.array_equal(shown[t], frames[11])
    assert np.array_equal(shown[48], frames[12])
    assert not np.array_equal(shown[41], frames[10])
    assert made.held == 3 + 3  # at the cut and at the end


def test_a_flash_is_not_mixed_into_its_neighbours(tmp_path: Path) -> None:
    frames = moving_frames(24, SIZE, shift=(1, 0))
    frames[12] = np.full_like(frames[12], 255)
    source = write_clip(tmp_path / "in.mkv", frames, rate=12, codec="ffv1", pixel_format="bgr0")
    restyle.retime(source, tmp_path / "out.mkv", fps=24, codec="ffv1")
    shown = read_pictures(tmp_path / "out.mkv")
    assert np.array_equal(shown[23], frames[11])
    assert np.array_equal(shown[24], frames[12])
    assert np.array_equal(shown[25], frames[12])
    assert np.array_equal(shown[26], frames[13])


def test_slow_motion_has_no_sound_unless_it_is_stretched(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mkv", moving_frames(24, SIZE), rate=24, audio="pcm_s16le")
    silent = restyle.retime(source, tmp_path / "silent.mkv", slow="4x", by="hold")
    assert silent.frames == 96
    assert probe(tmp_path / "silent.mkv").audio_streams == 0
    assert "sound was left out" in silent.notes[-1]
    restyle.retime(source, tmp_path / "long.mkv", slow="4x", by="hold", sound="stretch")
    before, after = sound_of(source), sound_of(tmp_path / "long.mkv")
    assert abs(len(after) / len(before) - 4) < 0.1
    with av.open(str(tmp_path / "long.mkv")) as container:
        rate = container.streams.audio[0].rate
    tone = np.abs(np.fft.rfft(after[: 2 * rate].astype(float)))
    assert abs(float(np.argmax(tone[2:]) + 2) / 2 - 440) < 8  # at its own pitch
    with pytest.raises(RecipeError, match="cannot be kept"):
        restyle.retime(source, tmp_path / "x.mkv", slow=2, sound="keep")


def test_faster_and_an_odd_factor(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", numbered_frames(30, SIZE), rate=30)
    assert restyle.retime(source, tmp_path / "fast.mp4", slow="1/3", by="hold").frames == 10
    assert [number_of(picture) for picture in read_pictures(tmp_path / "fast.mp4")] == list(range(0, 30, 3))
    assert restyle.retime(source, tmp_path / "odd.mp4", slow="2.5x", by="hold", repeats="keep").frames == 75


def test_drawings_on_twos_move_on_ones(tmp_path: Path) -> None:
    drawings = moving_frames(8, (160, 96), shift=(6, 0))
    twos = [drawing for drawing in drawings for _ in range(2)]
    source = write_clip(tmp_path / "in.mkv", twos, rate=24, codec="ffv1", pixel_format="bgr0")
    for name, options in (("told", {"drawn": 12}), ("found", {})):
        out = tmp_path / f"{name}.mkv"
        made = restyle.retime(source, out, fps=24, codec="ffv1", **options)  # type: ignore[arg-type]
        shown = read_pictures(out)
        assert len(shown) == 16
        assert made.repeated >= 7
        for n in range(7):
            assert np.array_equal(shown[2 * n], drawings[n])
            assert not np.array_equal(shown[2 * n + 1], drawings[n])
    kept = restyle.retime(source, tmp_path / "kept.mkv", fps=24, codec="ffv1", repeats="keep")
    assert (kept.repeated, kept.kept) == (0, 16)


def test_a_variable_rate_becomes_a_steady_one(tmp_path: Path) -> None:
    stamps = [0, 40, 80, 81, 200, 240, 500, 540]
    source = write_clip(
        tmp_path / "in.mp4", numbered_frames(8, SIZE), pts=stamps, time_base=Fraction(1, 1000), options={"bf": "0"}
    )
    restyle.retime(source, tmp_path / "out.mp4", fps=25, by="hold", repeats="keep")
    shown = [number_of(picture) for picture in read_pictures(tmp_path / "out.mp4")]
    assert read_pts(tmp_path / "out.mp4") == [Fraction(n, 25) for n in range(len(shown))]
    for n, number in enumerate(shown):
        assert stamps[number] <= 40 * n
        assert number + 1 == len(stamps) or stamps[number + 1] > 40 * n


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi"])
def test_a_part_with_its_sound_in_every_container(tmp_path: Path, suffix: str) -> None:
    source = write_clip(tmp_path / "in.mp4", numbered_frames(50, SIZE), rate=25, audio=True)
    restyle.retime(source, tmp_path / f"out{suffix}", fps="29.97", by="hold", range="10:35", repeats="keep")
    spec = probe(tmp_path / f"out{suffix}")
    assert spec.rate == Fraction(30000, 1001)
    shown = [number_of(picture) for picture in read_pictures(tmp_path / f"out{suffix}")]
    assert shown[0] == 10
    assert shown[-1] == 34
    assert len(shown) == 30
    packets = stream_packets(tmp_path / f"out{suffix}")
    assert 0.8 < float(packets[-1][0]) < 1.1


def test_pictures_with_alpha_and_a_rate_of_their_own(tmp_path: Path) -> None:
    frames = moving_frames(6, SIZE, dtype="uint16")
    alpha = np.zeros((SIZE[1], SIZE[0]), np.uint16)
    alpha[:, : SIZE[0] // 2] = 65535
    import cv2

    (tmp_path / "in").mkdir()
    for number, frame in enumerate(frames):
        cv2.imwrite(str(tmp_path / "in" / f"f.{number + 7:04d}.png"), np.dstack([frame[:, :, ::-1], alpha]))
    made = restyle.retime(tmp_path / "in", tmp_path / "out", rate=Fraction(12), fps=24)
    assert made.frames == 12
    files = sorted((tmp_path / "out").glob("[!.]*"))
    assert files[0].name.endswith("0007.png")
    one = cv2.imread(str(files[1]), cv2.IMREAD_UNCHANGED)
    assert one.dtype == np.uint16
    assert one.shape[2] == 4
    assert np.abs(one[:, :, 3].astype(int) - alpha).mean() < 200
    assert np.array_equal(cv2.imread(str(files[2]), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)[:, :, ::-1], frames[1])


def test_a_timecode_starts_at_the_same_instant(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mov", numbered_frames(12, SIZE), rate=24, timecode="01:00:00:12")
    restyle.retime(source, tmp_path / "out.mov", fps=48, by="hold")
    assert probe(tmp_path / "out.mov").timecode == "01:00:00:24"


def test_memory_does_not_grow_with_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a few frames are held at a time, however long the footage is."""
    check, lock = Frame.__post_init__, threading.RLock()  # frames are made in more than one thread
    run = {"held": 0, "most": 0}

    def let_go(of: dict[str, int]) -> None:
        with lock:
            of["held"] -= 1

    def count(frame: Frame) -> None:
        check(frame)
        weakref.finalize(frame, let_go, run)
        with lock:
            run["held"] += 1
            run["most"] = max(run["most"], run["held"])

    def dawdle(progress: restyle.Progress) -> None:
        time.sleep(0.01)  # reading ahead gets as far as it may, in a short clip too

    monkeypatch.setattr(Frame, "__post_init__", count)
    peaks = []
    for n in (30, 120):
        run = {"held": 0, "most": 0}
        source = write_clip(tmp_path / f"{n}.mp4", moving_frames(n, SIZE), rate=24)
        restyle.retime(source, tmp_path / f"{n}-out.mp4", fps=48, by="cross-fade", progress=dawdle)
        peaks.append(run["most"])
    assert peaks[1] <= peaks[0] + 3
    assert peaks[1] < 30


def test_one_frame_and_one_pixel(tmp_path: Path) -> None:
    write_pictures(tmp_path / "one", moving_frames(1, (1, 1)), "f.%04d.png")
    made = restyle.retime(tmp_path / "one", tmp_path / "out", fps=60, rate=Fraction(24))
    assert made.frames == 3


KILLED = """
import os, signal, sys
import restyle
def progress(now):
    if now.stage == "render" and now.done == 3:
        os.kill(os.getpid(), signal.SIGKILL)
restyle.retime(*sys.argv[1:], fps=50, progress=progress)
"""


@pytest.mark.parametrize("output", ["out.mp4", "out/f.%04d.png"])
def test_killed_while_it_draws_the_next_run_leaves_nothing_of_it(output: str, tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", moving_frames(8, SIZE), rate=25)
    (tmp_path / "out").mkdir()
    done = subprocess.run([sys.executable, "-c", KILLED, str(source), str(tmp_path / output)])
    assert done.returncode == -signal.SIGKILL
    before = {path.name for path in tmp_path.rglob("*") if path.suffix == ".part"}
    assert before  # else the test shows nothing
    restyle.retime(source, tmp_path / output, fps=50)
    assert not before & {path.name for path in tmp_path.rglob("*")}
    assert {path.name for path in tmp_path.iterdir()} <= {"in.mp4", "out.mp4", "out"}
