"""Native libraries that log on standard error whatever Python is told."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

__all__ = ["without_logs"]

# absl's lines (level, month and day, time), those that it writes before it is set up, and TensorFlow Lite's.
_LOG = re.compile(
    rb"^(?:[IW]\d{4} \d\d:\d\d:|[IW]0000 |WARNING: All log messages before absl|INFO: Created TensorFlow Lite)"
)


@contextmanager
def without_logs() -> Iterator[None]:
    """Keep information and warnings that TensorFlow Lite and absl log within off standard error. Anything else that is
    written there, errors among it, comes out when it ends."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # no standard error at all
        yield
        return
    with TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            aside.seek(0)
            rest = b"".join(line for line in aside if not _LOG.match(line))
            if rest:
                os.write(2, rest)
