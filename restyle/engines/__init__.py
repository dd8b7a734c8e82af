"""Engines: where tasks are done. They know nothing of footage and jobs, only that there is work and who does it.

``base``        what engine, worker and work are to each other
``in_process``  one after the other, here
``pool``        by processes of this machine; ``process`` is what runs in one
``cluster``     by Ray
``choice``      of one of them; ``machine`` says how much there is for it
"""

from __future__ import annotations

from restyle.engines.base import Engine, Outcome, Task, Work, Worker

__all__ = ["Engine", "Outcome", "Task", "Work", "Worker"]
