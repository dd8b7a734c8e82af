"""RIFE on ncnn: a Vulkan GPU, or its slow CPU mode. Works in 8 bits.

The package is ``rife-ncnn-vulkan-python-tntwise``; it brings no models. Those at https://github.com/nihui/rife-ncnn-vulkan are
folders with ``flownet.param`` and ``flownet.bin``, which it tells apart by the folder's name.
"""

from __future__ import annotations

import ctypes
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from interp.errors import InterpError, MissingLibraryError, MissingPackageError, MissingWeightsError
from interp.quiet import ALL, without_logs
from interp.rife.base import MULTIPLE

__all__ = ["LOADER", "NcnnEngine", "loader_missing"]

LOADER = "libvulkan.so.1"
PACKAGE = "rife_ncnn_vulkan_python"


def loader_missing() -> str | None:
    """One line if the system has no Vulkan loader, which the package is linked against even for its CPU mode."""
    try:
        ctypes.CDLL(LOADER)
    except OSError:
        return f"the Vulkan loader {LOADER} is not installed: apt-get install libvulkan1"
    return None


class NcnnEngine:
    """``folder`` and ``device``: as ``interp.rife.open_rife``, whose errors it raises."""

    name = "ncnn"

    def __init__(self, folder: Path | None, *, device: str = "auto") -> None:
        package = _package()
        if folder is None:
            raise MissingWeightsError(
                "RIFE on ncnn takes a folder of its own kind as the model: name one such as rife-v4.25"
            )
        folder = folder.expanduser().resolve()
        for file in ("flownet.param", "flownet.bin"):
            if not (folder / file).is_file():
                raise MissingWeightsError(f"there is no {file} in the folder {folder} of the RIFE model")
        if not any(mark in str(folder) for mark in ("rife-v4", "rife4", "rife-4")):
            raise MissingWeightsError(
                f"the package knows RIFE models by their folder's name: {folder.name!r} should hold rife-v4 and a version, "
                "such as rife-v4.25"
            )
        with without_logs(ALL):  # it writes what it finds to standard error, past Python
            self._network = package.Rife(gpuid=_device(device), model=str(folder), num_threads=1)

    def interpolate(self, a: np.ndarray, b: np.ndarray, time: float) -> np.ndarray:
        """The picture at ``time``; uint8 only: raises ``InterpError`` for deeper pictures, whose depth would be lost."""
        if a.dtype != np.uint8:
            raise InterpError(f"RIFE on ncnn works in 8 bits, this footage is {a.dtype}: use the engine torch")
        height, width = a.shape[:2]
        edge = ((0, -height % MULTIPLE), (0, -width % MULTIPLE), (0, 0))
        pair = [np.ascontiguousarray(np.pad(picture, edge, mode="edge")) for picture in (a, b)]
        picture = self._network.process_cv2(*pair, timestep=float(time))
        return np.array(picture[:height, :width])  # the package's buffer is used again


def _package() -> Any:
    try:
        return import_module(PACKAGE)
    except ModuleNotFoundError as error:
        raise MissingPackageError("RIFE on ncnn", error.name or "rife_ncnn_vulkan_python", "rife-ncnn") from error
    except ImportError as error:
        reason = loader_missing() or " ".join(str(error).split())[:160]
        raise MissingLibraryError(f"RIFE on ncnn cannot be loaded: {reason}") from error


def _device(device: str) -> int:
    """ncnn's number of the device; -1 is the CPU."""
    if device == "cpu":
        return -1
    if device == "auto":
        return 0 if any(Path("/dev/dri").glob("renderD*")) or Path("/dev/nvidia0").exists() else -1
    if device.isdecimal():
        return int(device)
    raise ValueError(f"a device of ncnn is auto, cpu or the number of a GPU, got {device!r}")
