from __future__ import annotations

from pathlib import Path

import pytest

from restyle.errors import OutputError
from restyle.studio.keyframe_files import keep, place


def test_a_picture_is_named_by_its_content_and_written_once(tmp_path: Path) -> None:
    one, other = (place(tmp_path, "given.000003", data, ".png") for data in (b"one", b"other"))
    assert one != other
    assert one == place(tmp_path, "given.000003", b"one", ".png")
    assert keep(one, b"one")
    changed = one.stat().st_mtime_ns
    assert not keep(one, b"one")  # so that whoever refuses it knows that somebody else may use it
    assert one.stat().st_mtime_ns == changed


def test_what_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        keep(place(tmp_path, "given.000000", b"one", f".{'x' * 300}"), b"one")
