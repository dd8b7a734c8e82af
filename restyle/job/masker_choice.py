"""The choice of masker where a person leaves it to us."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from controls.masks.sam2_weights import find_checkpoint
from restyle.errors import RestyleError, translated
from restyle.weights.parts import local_masker_options

__all__ = ["choose_masker"]


def choose_masker(options: Mapping[str, Any] | None = None) -> tuple[str, str | None]:
    """Choose the best masker that can be used here and now, without fetching anything: ``sam2`` where its package is installed
    and its weights (as ``options`` name them) are at hand, else ``flowcut``, and then, in one line, why."""
    for package in ("torch", "sam2"):
        if find_spec(package) is None:
            return "flowcut", "SAM 2 is not installed (pip install 'restyle[sam2]')"
    try:
        with translated():
            local = local_masker_options("sam2", {**(options or {}), "offline": True})
            find_checkpoint(
                local.get("model"), config=local.get("config"), allow_pickle=bool(local.get("allow_pickle", False))
            )
    except RestyleError as error:
        return "flowcut", str(error)
    return "sam2", None
