"""The same pictures give the same bytes, whatever lay in memory before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from clips import moving_frames, write_clip

ENCODE = """
import sys
from pathlib import Path
from restyle.footage import SegmentWriter, open_footage, plan_output
with open_footage("in.mp4") as footage:
    with SegmentWriter(Path(sys.argv[1]), plan_output(footage.spec, "out.mp4"), footage.spec) as writer:
        for frame in footage.frames(48, 96):
            writer.write(frame)
"""


def test_h264_does_not_depend_on_what_memory_held_before(tmp_path: Path) -> None:
    write_clip(tmp_path / "in.mp4", moving_frames(96, (160, 96)))
    made = []
    for filling in ("0", "85", "170"):  # glibc fills every block of memory with it; elsewhere it does nothing
        environment = {**os.environ, "MALLOC_PERTURB_": filling}
        subprocess.run([sys.executable, "-c", ENCODE, filling], cwd=tmp_path, env=environment, check=True)
        made.append((tmp_path / filling).read_bytes())
    assert made[0] == made[1] == made[2]
