"""The part of a painter that is the same for all that use whole pipelines of diffusers. Imports no torch."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from importlib.util import find_spec
from typing import Any, ClassVar, Protocol

import numpy as np

from interp.quiet import without_warnings
from restyle.errors import MissingExtraError, PainterError, RestyleError
from restyle.painters.base import Painter, PaintRequest
from restyle.painters.memory import MemoryEstimate, MemoryNeed
from restyle.painters.networks.pipeline_files import Catalogue, PipelineFiles
from restyle.painters.networks.work import Load, work_bytes
from restyle.types import Carry
from restyle.versions import parts_of
from restyle.weights.pipelines import KnownPipeline

__all__ = ["PipelinePainter", "Runtime"]

GB = 10**9
NO_EFFECT = ("device", "offload", "offline", "variant")  # on what is painted


class Runtime(Protocol):
    """A loaded model."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for a person."""

    def paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        """As ``Painter.paint``."""

    def close(self) -> None:
        """Let go of the model's memory."""


class PipelinePainter(Painter):
    """A painter whose model is looked for when something is to be painted, or when the job has to know which it is, and loaded
    when the first window is painted. ``options``: a dataclass.

    Raises ``MissingExtraError`` when it is built.
    """

    needs: ClassVar[tuple[str, ...]] = (
        "torch", "diffusers", "transformers", "huggingface_hub", "safetensors", "accelerate",
    )  # fmt: skip
    """Packages."""
    method: ClassVar[int]
    """Number of the way of painting; a new one makes old paintings stale."""

    def __init__(self, options: Any) -> None:
        self.options = options
        self._runtime: Runtime | None = None

    @classmethod
    def require_packages(cls) -> None:
        """Raise ``MissingExtraError`` unless all packages are installed."""
        if any(find_spec(name) is None for name in cls.needs):
            raise MissingExtraError(f"painter {cls.name!r}", "diffusion")

    catalogue: ClassVar[Catalogue]
    """The models that it can use."""

    @staticmethod
    @abstractmethod
    def find(options: Any) -> PipelineFiles:
        """Find, or fetch, the files of the model that options name."""

    @property
    @abstractmethod
    def model_files(self) -> PipelineFiles:
        """Files of the weights, found (and fetched, where they have to be)."""

    @abstractmethod
    def load_at(self, files: PipelineFiles, size: tuple[int, int], frames: int) -> Load:
        """Load of the model where pictures of a size (width, height) are painted, so many together."""

    @abstractmethod
    def _load(self, need: Callable[[int], MemoryNeed], tell: Callable[[str], None]) -> Runtime:
        """Load the model. ``need``: of memory, at so many bytes a number."""

    def memory(self, size: tuple[int, int], frames: int) -> MemoryEstimate | None:
        """See ``Painter.memory``."""
        need = self._need(size, frames)
        if need is None:
            return None
        with without_warnings():
            from restyle.painters.networks.devices import estimate_memory

        return estimate_memory(self.options, need)

    def _need(self, size: tuple[int, int], frames: int) -> Callable[[int], MemoryNeed] | None:
        """Memory that is needed, at so many bytes a number; ``None``: nobody knows before the weights are here."""
        files = vars(self).get("model_files")
        if files is None:
            try:
                files = type(self).find(replace(self.options, offline=True))
            except RestyleError:  # said when they are looked for
                known = None if self.options.offline else self.catalogue.known.get(self.options.model)
                return None if known is None else partial(_known_need, known)
        load = self.load_at(files, size, frames)
        return lambda width: MemoryNeed(
            files.weight_bytes(width), files.largest_bytes(width), *work_bytes(files.model, load, width)
        )

    @property
    def _chosen(self) -> dict[str, Any]:
        """Options that decide what is painted: plain JSON."""
        return {name: value for name, value in asdict(self.options).items() if name not in NO_EFFECT}

    @property
    def identity(self) -> Mapping[str, Any]:
        """See ``Painter.identity``."""
        packages = {name: parts_of(name) for name in ("torch", "diffusers", "transformers")}
        plain = {"method": self.method, "options": self._chosen, "packages": packages}
        return json.loads(json.dumps(plain)) | {"weights": self.model_files.identity()}

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines about how it was painted, of what a person should know."""
        return self._runtime.notes if self._runtime is not None else ()

    def close(self) -> None:
        """See ``Painter.close``."""
        runtime, self._runtime = self._runtime, None
        if runtime is not None:
            runtime.close()

    def paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        """See ``Painter.paint``."""
        if self._runtime is None:
            size, frames = request.pictures[0].shape[1::-1], len(request.frames)
            _ = self.model_files
            need, estimate = self._need(size, frames), self.memory(size, frames)
            assert need is not None, "its files are here"
            if estimate is not None and estimate.lack is not None:
                raise PainterError(estimate.lack)
            request.tick("loading the model")
            with without_warnings():  # the libraries warn of each other's changes, which is nothing to a person
                self._runtime = self._load(need, request.tick)
        return self._runtime.paint(request, carry)


def _known_need(known: KnownPipeline, width: int) -> MemoryNeed:
    """Need of a model that is not here, at ``width`` bytes a number, by what its page says at two."""
    return MemoryNeed(known.size * width * GB // 2, known.largest * width * GB // 2, 0)
