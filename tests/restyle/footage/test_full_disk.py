"""A disk that fills up: one line, nothing half done. The disk is a limit on the size of files, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from clips import write_clip

SCRIPT = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from restyle.errors import OutputError
from restyle.footage import SegmentWriter, conform, open_footage, plan_output, timing

stage, folder, name = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
footage = open_footage(folder / "in.mp4")
out = plan_output(footage.spec, folder / name, quality=100)

def limit():
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))

def write():
    with SegmentWriter(folder / "segment", out, footage.spec) as writer:
        for frame in footage.frames():
            writer.write(frame)

try:
    if stage == "segment":
        limit()
    write()
    limit()
    conform([folder / "segment"], out, footage.spec, pts=timing(folder / "in.mp4"), span=range(12))
except OutputError as error:
    print(error)
    sys.exit(4)
"""


@pytest.mark.parametrize("stage", ["segment", "conform"])
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.avi", "pictures"])
def test_full_disk(tmp_path: Path, stage: str, name: str) -> None:
    import numpy as np

    noise = [np.random.default_rng(n).integers(0, 255, (48, 64, 3), np.uint8) for n in range(12)]
    write_clip(tmp_path / "in.mp4", noise, audio=True)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, stage, str(tmp_path), name],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert "cannot write" in done.stdout
    assert "file too large" in done.stdout
    left = sorted(p.name for p in tmp_path.iterdir())
    assert left == (["in.mp4"] if stage == "segment" else ["in.mp4", "segment"])
