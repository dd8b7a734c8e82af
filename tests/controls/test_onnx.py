"""Loading onnxruntime reports nothing to anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LIBRARY = "from controls.onnx import load_onnxruntime; load_onnxruntime()"
COMMAND = "from restyle.cli import main; main(['doctor', '-q'])"


@pytest.mark.parametrize("code", [LIBRARY, COMMAND], ids=["library", "command line"])
def test_it_writes_nowhere(code: str, tmp_path: Path) -> None:
    """Before it reports, it opens a database in the home and a file in the temporary folder; without them it cannot."""
    here = {name: str(tmp_path) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
    env = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"} | here
    subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, env=env, cwd=Path(__file__).parents[2]
    )
    written = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")]
    assert not [path for path in written if path == ".ses" or "icrosoft" in path or "onnxruntime" in path]
