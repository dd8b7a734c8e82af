"""Tasks of a batch, and what becomes of them: plain values that travel between processes.

A task is a piece of work that any worker can do on its own, from what its fields say and what lies in the job folder. Today it
is a whole clip, or the anchor painting of a group of clips. It is made to become a window of a shot: a job finds each finished
window in its folder under a key, whoever made it, so a task that names one window needs no other field than its number, and
whatever has to wait (painting a window before the next in its shot; joining, for all of them) is held back by whoever hands out
the tasks. See ``engines.Engine``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from restyle.batch.content import Content

__all__ = ["Ended", "Outcome", "Task"]

Ended = Literal["done", "failed", "stopped", "lost"]
"""``lost``: the worker died; the task can be done again."""


@dataclass(frozen=True)
class Task:
    """A piece of work."""

    name: str
    """Of the result within the batch's output; each task's is its own."""
    source: str
    output: str
    folder: str
    """The job folder."""
    recipe: str
    """The recipe as JSON."""
    kind: Literal["clip", "anchor"] = "clip"
    overwrite: bool = False
    report: bool = True
    offline: bool = False
    rate: Fraction | None = None
    memory: int = 0
    """Bytes that it may take at its peak: an engine starts no more at once than fit."""
    threads: int = 0
    """Of the libraries that it calls; 0: as many as they like."""


@dataclass(frozen=True)
class Outcome:
    """The end of a task."""

    name: str
    ended: Ended
    message: str = ""
    """One line, if it failed."""
    error: str = ""
    """Kind of the error: a class of ``restyle.errors``, or ``InternalError``."""
    exit_code: int = 0
    disk_full: bool = False
    footage: Content | None = None
    result: Content | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    """``Result.to_json``'s fields; ``width`` and ``height`` of the footage; ``cpu_seconds``; ``peak``, bytes of memory;
    ``job_bytes`` and ``output_bytes``."""
