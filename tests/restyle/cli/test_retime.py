"""``restyle retime``, for real."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import tiny_rife
from clips import moving_frames, write_clip
from command import Caller

import restyle
from restyle.errors import FootageError, MissingModelError, OutputExistsError

SIZE = (96, 64)


def test_rife_and_hybrid_from_the_command_line(tmp_path: Path, restyle_command: Caller) -> None:
    write_clip(tmp_path / "in.mp4", moving_frames(4, SIZE), rate=12)
    tiny_rife.build(tmp_path / "w.safetensors")
    for by in ("rife", "hybrid"):
        said = restyle_command(
            "retime", "in.mp4", "-o", f"{by}.mp4", "--fps", "24", "--by", by, "--model", "w.safetensors", "--json"
        )
        assert said.json["frames"] == 8
        assert said.json["kept"] == 4


def test_what_is_wrong_is_told_in_one_line(tmp_path: Path, restyle_command: Caller) -> None:
    source = write_clip(tmp_path / "in.mp4", moving_frames(6, SIZE), rate=12)
    kept = source.read_bytes()
    fails = restyle_command.fails
    assert "--fps is a number" in fails("retime", "in.mp4", "-o", "o.mp4", "--fps", "many", code=2)
    assert "slow motion is given as a factor" in fails("retime", "in.mp4", "-o", "o.mp4", "--slow", "very", code=2)
    assert "did you mean 'rife'" in fails("retime", "in.mp4", "-o", "o.mp4", "--by", "riff", code=2)
    assert "sound is keep, stretch or drop" in fails("retime", "in.mp4", "-o", "o.mp4", "--sound", "loud", code=2)
    assert "repeats is mend or keep" in fails("retime", "in.mp4", "-o", "o.mp4", "--repeats", "no", code=2)
    assert "none.pkl" in fails("retime", "in.mp4", "-o", "o.mp4", "--by", "rife", "--model", "none.pkl", code=6)
    assert "the footage itself" in fails("retime", "in.mp4", "-o", "in.mp4", "--overwrite", code=4)
    assert not (tmp_path / "o.mp4").exists()
    (tmp_path / "o.mp4").write_text("mine")
    assert "--overwrite" in fails("retime", "in.mp4", "-o", "o.mp4", code=4)
    assert (tmp_path / "o.mp4").read_text() == "mine"
    assert source.read_bytes() == kept
    with pytest.raises(FootageError, match=r"none\.mp4"):
        restyle.retime(tmp_path / "none.mp4", tmp_path / "x.mp4")
    with pytest.raises(OutputExistsError):
        restyle.retime(source, tmp_path / "o.mp4")
    with pytest.raises(MissingModelError, match="no RIFE weights"):
        restyle.retime(source, tmp_path / "x.mp4", by="rife", options={"model": "none.safetensors"})
    assert sorted(os.listdir(tmp_path)) == ["in.mp4", "o.mp4"]
