"""Motion between two pictures: flow estimators, one a file; ``completion``: motion behind what covers it."""

from __future__ import annotations

import numpy as np

from interp.errors import InterpError
from interp.parts import PartTable
from interp.types import FlowEstimator

__all__ = ["ESTIMATORS", "checked_flow"]

ESTIMATORS = PartTable(
    "flow estimator",
    "restyle.estimators",
    {"dis": "interp.flow.dis:DisEstimator", "dis-quick": "interp.flow.dis:QuickDisEstimator"},
)


def checked_flow(estimator: FlowEstimator, here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Estimate flow by anybody's ``estimator``. Raises ``InterpError`` that names it if it gave no flow of the size."""
    flow = estimator.estimate(here, there)
    if not isinstance(flow, np.ndarray) or flow.shape != (*here.shape, 2) or flow.dtype != np.float32:
        got = f"{flow.shape} of {flow.dtype}" if isinstance(flow, np.ndarray) else type(flow).__name__
        raise InterpError(
            f"flow estimator {estimator.name!r} gave {got}, where {(*here.shape, 2)} of float32 is wanted"
        )
    return flow
