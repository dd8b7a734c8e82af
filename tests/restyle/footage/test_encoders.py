from __future__ import annotations

import os
from pathlib import Path

import pytest
from clips import moving_frames, write_clip

from restyle.footage import SegmentWriter, open_footage, plan_output


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="this system has no such priorities")
def test_av1_leaves_the_priority_of_all_threads_as_it_was(tmp_path: Path) -> None:
    """Where root runs it, SVT-AV1 makes itself and its caller real-time, and the machine may stand still."""
    write_clip(tmp_path / "in.mp4", moving_frames(4, (160, 96)))
    before = os.sched_getscheduler(0)
    with open_footage(tmp_path / "in.mp4") as footage:
        spec = plan_output(footage.spec, tmp_path / "out.mp4", codec="av1")
        assert os.sched_getscheduler(0) == before
        with SegmentWriter(tmp_path / "segment", spec, footage.spec) as writer:
            for frame in footage.frames():
                writer.write(frame)
            assert {os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task")} == {before}
