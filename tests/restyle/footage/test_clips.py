from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import moving_frames, read_pictures, write_clip

from restyle.errors import OutputExistsError, OutputLockedError
from restyle.footage import ClipWriter, open_footage, plan_output, timing


def clip(folder: Path) -> Path:
    return write_clip(folder / "in.mkv", moving_frames(6, (48, 32)), codec="ffv1", pixel_format="bgr0")


def test_what_is_written_is_what_comes_out(tmp_path: Path) -> None:
    source = clip(tmp_path)
    with open_footage(source) as footage:
        out = plan_output(footage.spec, tmp_path / "out.mkv", codec="ffv1")
        with ClipWriter(out, footage.spec, pts=timing(source), span=range(1, 5)) as writer:
            for frame in footage.frames(1, 5):
                writer.write(frame)
            assert not (tmp_path / "out.mkv").exists()
            with (
                pytest.raises(OutputLockedError),
                ClipWriter(out, footage.spec, pts=timing(source), span=range(1, 5)),
            ):
                pass
    assert all(
        np.array_equal(a, b)
        for a, b in zip(read_pictures(tmp_path / "out.mkv"), read_pictures(source)[1:5], strict=True)
    )
    assert writer.notes == []
    assert {path.name for path in tmp_path.iterdir()} == {"in.mkv", "out.mkv"}


def write(source: Path, target: Path, *, frames: int) -> None:
    with open_footage(source) as footage:
        out = plan_output(footage.spec, target)
        with ClipWriter(out, footage.spec, pts=timing(source), span=range(6)) as writer:
            for frame in footage.frames():
                if frame.index == frames:
                    raise KeyError(frame.index)
                writer.write(frame)


def test_an_output_that_fails_leaves_nothing(tmp_path: Path) -> None:
    source, target = clip(tmp_path), tmp_path / "out.mkv"
    with pytest.raises(KeyError):
        write(source, target, frames=2)
    assert not target.exists()
    target.touch()
    with pytest.raises(OutputExistsError):
        write(source, target, frames=6)
    assert {path.name for path in tmp_path.iterdir()} == {"in.mkv", "out.mkv"}
    assert target.stat().st_size == 0
