"""What all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Caller


@pytest.fixture
def restyle_command(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """The command line, called in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Caller(capfd)
