"""Makes ``import torchvision`` work where its wheel and torch's do not match.

A torchvision built for CUDA beside a torch built for the CPU cannot load its compiled operators; then ``import torchvision``
raises "operator torchvision::nms does not exist", and with it every package that imports it (controlnet_aux, parts of
transformers and diffusers). What those packages use of it (transforms, models) is plain Python, so it is enough to declare
the operators that are missing. ``torchvision.ops.nms`` itself still cannot be called.
"""

from __future__ import annotations

import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["make_torchvision_importable"]

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_libraries: list[Any] = []  # a library takes its operators with it when it is collected
_lock = threading.Lock()  # nothing can be declared twice


def make_torchvision_importable() -> bool:
    """Declare torchvision's missing operators, if that is what its import needs; to be called before anything imports it.

    Does nothing where torch is built for CUDA, where torch or torchvision is not installed, where the operators are there, or
    where torchvision is imported already. Returns whether something was declared. Imports torch.
    """
    if "torchvision" in sys.modules or find_spec("torch") is None or find_spec("torchvision") is None:
        return False
    import torch

    with _lock:
        if _libraries or torch.version.cuda is not None or _operators_load(torch):
            return False
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(name + _SCHEMA)
        _libraries.append(library)
        return True


def _operators_load(torch: Any) -> bool:
    """Return True if torchvision's compiled part loads into this torch. Loading it is what its own import would do first."""
    spec = find_spec("torchvision")
    folders = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
    for file in (file for folder in folders for file in sorted(folder.glob("_C.*"))):
        try:
            torch.ops.load_library(str(file))
        except (OSError, RuntimeError):
            continue
        return hasattr(torch.ops.torchvision, "nms")
    return False
