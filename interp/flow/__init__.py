"""Flow estimators, one a file."""

from __future__ import annotations

from interp.types import FlowEstimator

__all__ = ["estimator"]


def estimator(name: str) -> FlowEstimator:
    """Make a flow estimator by name: ``"dis"``. Raises ``ValueError`` that lists the names."""
    if name == "dis":
        from interp.flow.dis import DisEstimator

        return DisEstimator()
    raise ValueError(f"unknown flow estimator {name!r}. There are: dis")
