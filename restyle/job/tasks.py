"""Tasks of a job, for workers: plain values that travel between processes.

A job is surveyed (its cuts are found), looked at span by span, and begun (mattes, plates); its windows are made, each a task;
and it is run to its end, which finds all windows in the job folder and joins them. ``spread`` knows the order; ``worker`` does
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from restyle.engines import Task
from restyle.job.content import Content
from restyle.job.inputs import FileFacts
from restyle.job.opened import Earlier
from restyle.job.order import JobOrder
from restyle.job.result import Result

__all__ = ["Finished", "JobTask", "Kind", "Painted", "Surveyed"]

Kind = Literal["survey", "look", "begin", "window", "finish", "anchor"]


@dataclass(frozen=True)
class JobTask(Task):
    """A piece of a job's work."""

    order: JobOrder = field(kw_only=True)
    kind: Kind = field(kw_only=True)
    first: bool = False
    """It is the first of the job in this run."""
    span: tuple[int, int] = (0, 0)
    """Of ``look``: the frames from one up to another."""
    alone: int = 1
    """Of ``begin``: windows that are made at once, if no more are missing, and then it is run to its end."""
    shot: int = 0
    index: int = 0
    """Number of the window within its shot."""
    known: Mapping[str, FileFacts] = field(default_factory=dict)
    earlier: Earlier = field(default_factory=Earlier)
    """Of ``finish``: what others did before."""


@dataclass(frozen=True)
class Surveyed:
    """The footage's cuts are known."""

    spans: tuple[tuple[int, int], ...]
    """To be looked at, each by itself, before the job is begun; none where beginning it does that, too."""


@dataclass(frozen=True)
class Painted:
    """Message that a window's paintings are kept: the next one of its shot may be painted."""

    shot: int
    index: int


@dataclass(frozen=True)
class Finished:
    """A job that came to its end."""

    result: Result
    footage: Content
    output: Content
    facts: Mapping[str, Any]
    """``Result.to_json``'s fields; ``width`` and ``height`` of the footage; ``rendered``, frames that were made in this run;
    ``busy_seconds``, of all workers together; ``cpu_seconds``; ``peak``, bytes of memory; ``job_bytes``, ``output_bytes``."""
