"""Flow estimators, one a file."""

from __future__ import annotations

from interp.types import FlowEstimator

__all__ = ["estimator"]


def estimator(name: str) -> FlowEstimator:
    """Make a flow estimator by name: ``"dis"``, or ``"dis-quick"``, a third of the cost, for motion that is used once and not
    composed. Raises ``ValueError`` that lists the names."""
    from interp.flow.dis import QUICK, DisEstimator

    if name == "dis":
        return DisEstimator()
    if name == "dis-quick":
        return DisEstimator(QUICK)
    raise ValueError(f"unknown flow estimator {name!r}. There are: dis, dis-quick")
