from __future__ import annotations

import subprocess
import sys

import pytest

WORK = """
import resource, threading
import numpy as np
from restyle.memory import keep_freed_memory
if {keep}:
    assert keep_freed_memory()
def work():
    for _ in range(60):
        pictures = [np.ones((720, 1280, 3), np.uint8) for _ in range(4)]
        del pictures
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_freed_pictures_are_used_again_by_every_thread() -> None:
    handed_back, kept = (
        int(
            subprocess.run(
                [sys.executable, "-c", WORK.format(keep=keep)], capture_output=True, text=True, check=True
            ).stdout
        )
        for keep in (False, True)
    )
    assert kept < handed_back / 10
