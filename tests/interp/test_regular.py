from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from interp.regular import UnfitFileError, require_regular


def test_a_file_of_a_fit_size_passes_by_whatever_link(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "b").symlink_to("a")
    require_regular(tmp_path / "a", largest=5)
    require_regular(str(tmp_path / "b"), largest=5)


def test_all_else_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "big").write_bytes(b"123456")
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")
        for name, says in (
            ("big", "6 bytes"), ("pipe", "a pipe"), ("socket", "a socket"), ("/dev/zero", "a device"), (".", "a folder"),
            ("a\0b", "no file can have that name"), ("\ud800", "no file can have that name"),
        ):  # fmt: skip
            with pytest.raises(UnfitFileError, match=says):
                require_regular(name, largest=5)
    with pytest.raises(FileNotFoundError):
        require_regular("nowhere", largest=5)
