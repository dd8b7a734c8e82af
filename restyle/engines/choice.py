"""Choice of an engine, by its name and by how much of the machine it may take."""

from __future__ import annotations

from typing import Literal, get_args

from restyle.engines.base import Engine
from restyle.engines.in_process import InProcess
from restyle.engines.machine import Budget
from restyle.engines.pool import ProcessPool
from restyle.errors import RecipeError

__all__ = ["EngineName", "make_engine"]

EngineName = Literal["process", "pool", "ray"]


def make_engine(budget: Budget, name: str | None = None, address: str | None = None) -> Engine:
    """Make an engine; by default this process where the budget allows one job at once, else a pool of them.

    ``address``: of a Ray cluster; ``None``: one is started on this machine, and stopped in the end.
    Raises ``RecipeError`` for a name that there is none of, and an address that is not Ray's.
    """
    if name is not None and name not in get_args(EngineName):
        raise RecipeError(f"there is no engine {name!r}; there are: {', '.join(get_args(EngineName))}")
    if name == "ray":
        from restyle.engines.cluster import RayCluster

        jobs = None if address is not None and not budget.asked_jobs else budget.jobs
        return RayCluster(jobs, threads=budget.threads, gpus=budget.gpus, address=address)
    if address is not None:
        raise RecipeError("an address is that of a Ray cluster: give --engine ray with it")
    if name == "process" or (name is None and budget.jobs == 1):
        return InProcess(budget.threads)
    return ProcessPool(budget.jobs, threads=budget.threads, memory=budget.memory, gpus=budget.shares)
