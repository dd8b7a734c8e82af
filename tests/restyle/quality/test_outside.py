"""What differs outside of mattes, counted and shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import moving_frames, write_clip
from command import Caller

from restyle.errors import FootageError
from restyle.quality.outside import measure_outside

SIZE = (64, 48)
LOSSLESS = {"codec": "ffv1", "pixel_format": "bgr0"}


def mattes(count: int) -> Iterator[np.ndarray]:
    for _ in range(count):
        matte = np.zeros(SIZE[::-1], np.float32)
        matte[10:20, 10:20] = 1
        yield matte


def test_differences_outside_are_counted_and_shown(tmp_path: Path) -> None:
    frames = moving_frames(4, SIZE)
    changed = [frame.copy() for frame in frames]
    for frame in changed:
        frame[8:22, 8:22] = 255 - frame[8:22, 8:22]  # within a margin of 2
    changed[2][40, 50] = np.clip(changed[2][40, 50].astype(int) + np.array((20, -7, 0)), 0, 255)
    source = write_clip(tmp_path / "a.mkv", frames, **LOSSLESS)  # type: ignore[arg-type]
    result = write_clip(tmp_path / "b.mkv", changed, **LOSSLESS)  # type: ignore[arg-type]
    found = measure_outside(source, result, mattes(4), margin=3)
    (rgb,) = found.channels
    steps = np.abs(changed[2][40, 50].astype(int) - frames[2][40, 50])
    assert (rgb.differing, rgb.largest) == (np.count_nonzero(steps), steps.max())
    assert not found.same
    assert found.worst == 2
    difference = found.tiles[1].pictures[0]
    assert difference[40, 50, 0] == difference.max()
    assert difference[30, 30, 0] == 0
    assert 0 < difference[15, 15, 0] < difference[40, 50, 0]  # not compared
    assert not measure_outside(source, result, mattes(4), margin=0).same
    same = measure_outside(source, source, mattes(4), margin=3)
    assert same.same
    assert same.worst is None
    assert same.channels[0].compared == rgb.compared
    with pytest.raises(FootageError, match="ends before frame 3"):
        measure_outside(source, write_clip(tmp_path / "short.mkv", frames[:3], **LOSSLESS), mattes(4), margin=3)  # type: ignore[arg-type]
    with pytest.raises(FootageError, match="its source 64x48"):
        measure_outside(
            source, write_clip(tmp_path / "small.mkv", moving_frames(4, (32, 48)), **LOSSLESS), mattes(4), margin=3
        )  # type: ignore[arg-type]


def test_an_edit_of_one_object_leaves_the_samples_around_it(
    tmp_path: Path, restyle_command: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "in.mp4", moving_frames(5, SIZE))
    (tmp_path / "mattes" / "thing").mkdir(parents=True)
    for number, matte in enumerate(mattes(5)):
        cv2.imwrite(f"mattes/thing/{number:06d}.png", np.uint8(matte * 255))  # type: ignore[call-overload]
    edit = ("--style", "lava", "--object", "thing=mattes:mattes/thing", "--no-report")
    restyle_command("run", "in.mp4", "-o", "exact.mkv", "--codec", "ffv1-yuv", *edit)
    found = restyle_command(
        "measure", "in.mp4", "exact.mkv", "--outside", "mattes", "-o", "difference.png", "--json"
    ).json
    assert found["same"]
    assert [channel["name"] for channel in found["channels"]] == ["Y", "U", "V", "RGB"]
    assert all(channel["compared"] > 100 for channel in found["channels"])
    assert cv2.imread("difference.png") is not None
    inside = restyle_command(
        "measure", "in.mp4", "exact.mkv", "--outside", "mattes/thing", "--margin", "0", "--json"
    ).json
    assert not inside["same"]
    restyle_command("run", "in.mp4", "-o", "rgb.mkv", "--codec", "ffv1", *edit)
    said = restyle_command("measure", "in.mp4", "rgb.mkv", "--outside", "mattes").out
    assert "compared in RGB alone: the source holds yuv420p, the result bgr0" in said
    assert "the same, every sample" in said
    assert "is there already" in restyle_command.fails(
        "measure", "in.mp4", "rgb.mkv", "--outside", "mattes", "-o", "difference.png", code=4
    )
    assert "belong to --outside" in restyle_command.fails("measure", "in.mp4", "rgb.mkv", "--margin", "3", code=2)
    assert "there are no mattes" in restyle_command.fails("measure", "in.mp4", "rgb.mkv", "--outside", "no", code=2)
    (tmp_path / "mattes" / "thing" / "000004.png").unlink()
    assert "5 are needed" in restyle_command.fails("measure", "in.mp4", "rgb.mkv", "--outside", "mattes", code=2)
