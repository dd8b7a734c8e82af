"""Engines: where a batch's tasks are done. One interface, one engine a file."""

from __future__ import annotations

from restyle.batch.engines.base import Engine, ProgressOfTask

__all__ = ["Engine", "ProgressOfTask"]
