"""The choice of masker where a person leaves it to us."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from controls.masks.sam2_weights import DEFAULT, find_checkpoint
from interp.errors import InterpError

__all__ = ["choose_masker"]


def choose_masker(options: Mapping[str, Any] | None = None) -> tuple[str, str | None]:
    """Choose the best masker that can be used here and now, without fetching anything: ``sam2`` where its package is installed
    and its weights (as ``options`` name them) are at hand, else ``flowcut``, and then, in one line, why."""
    for package in ("torch", "sam2"):
        if find_spec(package) is None:
            return "flowcut", "SAM 2 is not installed (pip install 'restyle[sam2]')"
    options = options or {}
    try:
        find_checkpoint(
            options.get("model", DEFAULT),
            config=options.get("config"),
            allow_pickle=bool(options.get("allow_pickle", False)),
            offline=True,
        )
    except InterpError as error:
        return "flowcut", str(error)
    return "sam2", None
