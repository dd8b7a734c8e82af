"""SAM 2 frame by frame: Ravi et al., "SAM 2: Segment Anything in Images and Videos" (2024).

Two libraries carry the network: transformers (``transformers_network``) and its makers' package ``sam2``
(``package_network``). Their own steps (image encoder, memory attention, mask decoder, memory encoder) are called in the
order in which the makers' video predictor calls them. What differs is what is kept: pictures are encoded once, and of each
object's past only as much stays as memory attention looks back at.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from controls.types import Box, Matte, Point, Prompt
from interp.pixels.depth import to_uint8

__all__ = ["Features", "Network", "ObjectMemory", "PromptInput", "chosen_device"]

MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pictures, as the encoder was trained


@dataclass(frozen=True)
class Features:
    """One frame as the network sees it."""

    frame: int
    vision: Any
    """The image encoder's output, as the library hands it on."""
    size: tuple[int, int]
    """The picture's width and height."""


@dataclass
class ObjectMemory:
    """Memory of one object: outputs by frame, those it was prompted on and those it was only followed to."""

    prompted: dict[int, dict[str, Any]] = field(default_factory=dict)
    followed: dict[int, dict[str, Any]] = field(default_factory=dict)

    def restarted(self) -> ObjectMemory:
        """The same prompts, and no frame that was only followed to: where another direction begins."""
        return ObjectMemory(dict(self.prompted), {})


@dataclass(frozen=True)
class PromptInput:
    """A prompt as the network takes it."""

    first: bool
    """The object has not been followed to this frame."""
    points: tuple[Any, Any] | None = None
    """Positions in the encoder's pixels, float32 1 x N x 2, and labels, int32 1 x N: 1 on the object, 0 not, 2 and 3 a box's
    corners."""
    mask: Any = None
    """float32 1 x 1 x side x side of 0 and 1."""
    before: Any = None
    """Low-resolution logits of the object's mask so far, which points correct."""


class Network(ABC):
    """The steps of SAM 2 on single frames, on one of the libraries.

    ``side``: of the square that the network looks at. ``reach``: frames that memory attention looks back at. ``holes``: largest
    hole, in pixels of the low-resolution logits, that is closed. ``dtype``: ``float32`` or ``bfloat16``, of the arithmetic.
    """

    def __init__(self, model: Any, *, side: int, reach: int, holes: int, dtype: str) -> None:
        self._model, self._side, self._reach, self._holes = model, side, reach, holes
        self._device = next(model.parameters()).device
        self._half = None if dtype == "float32" else getattr(torch, dtype)
        self._positions: Any = None

    @abstractmethod
    def _see(self, pictures: Any, frame: int) -> Any:
        """Encode a picture, 1 x 3 x side x side. What it gives is a frame's ``Features.vision``."""

    @abstractmethod
    def _segment(
        self, memory: ObjectMemory, features: Features, prompt: PromptInput | None, *, reverse: bool
    ) -> tuple[dict[str, Any], Any]:
        """Segment the object in one frame: by a prompt, or by what is remembered of it.

        Gives what is kept of it, ``pred_masks`` (logits, 1 x 1 x side/4 x side/4), ``object_score_logits`` and the object's
        pointer, by the names that the library looks them up by; and the logits at the network's own size.
        """

    @abstractmethod
    def _encode(self, features: Features, logits: Any, score: Any, *, prompted: bool) -> tuple[Any, Any]:
        """Encode what was segmented for the memory: its features, and their positional encodings."""

    def encode(self, picture: np.ndarray, frame: int) -> Features:
        """Encode one picture: H x W x 3, uint8, uint16 or float32 (display-referred)."""
        height, width = picture.shape[:2]
        with torch.inference_mode(), self._precision():
            tensor = torch.from_numpy(_prepared(picture, self._side)).to(self._device)
            return Features(frame, self._see(tensor[None], frame), (width, height))

    def prompt(self, memory: ObjectMemory, features: Features, prompts: Sequence[Prompt]) -> None:
        """Segment the object by ``prompts``. Where it has been followed to this frame, they correct what was found there."""
        carried = memory.followed.get(features.frame)
        before = None if carried is None else carried["pred_masks"]
        first = carried is None
        points = self._points(features, prompts)
        matte = next((prompt.values for prompt in prompts if isinstance(prompt, Matte)), None)
        with torch.inference_mode(), self._precision():
            out: dict[str, Any] = {}
            if matte is not None:
                out = self._found(memory, features, PromptInput(first, mask=self._mask(matte)))[0]
                before = out["pred_masks"]
            if points is not None:
                if before is not None:
                    before = torch.clamp(before, -32.0, 32.0)
                out = self._found(memory, features, PromptInput(first, points=points, before=before))[0]
            # the memory of a prompted frame is that of its mask as it is shown, holes closed
            high = torch.nn.functional.interpolate(
                out["pred_masks"], size=(self._side, self._side), mode="bilinear", align_corners=False
            )
            self._remember(out, features, high, prompted=True)
        memory.followed.pop(features.frame, None)
        memory.prompted[features.frame] = out

    def follow(self, memory: ObjectMemory, features: Features, *, reverse: bool) -> None:
        """Find the object in the next frame (the one before, if ``reverse``) and forget what lies too far back."""
        if features.frame in memory.prompted:
            return
        with torch.inference_mode(), self._precision():
            out, high = self._found(memory, features, None, reverse=reverse)
            self._remember(out, features, high, prompted=False)
        memory.followed[features.frame] = out
        for frame in [frame for frame in memory.followed if abs(frame - features.frame) >= self._reach]:
            del memory.followed[frame]

    def logits(self, memory: ObjectMemory, features: Features) -> np.ndarray:
        """The object's logits in a frame that was prompted or just followed to: float32 H x W of the picture."""
        out = memory.prompted.get(features.frame) or memory.followed[features.frame]
        low = out["pred_masks"].float()
        width, height = features.size
        full = torch.nn.functional.interpolate(low, size=(height, width), mode="bilinear", align_corners=False)
        logits: np.ndarray = full[0, 0].cpu().numpy()
        return logits

    def _precision(self) -> Any:
        half = self._half is not None
        return torch.autocast(self._device.type, dtype=self._half, enabled=half)

    def _found(
        self, memory: ObjectMemory, features: Features, prompt: PromptInput | None, *, reverse: bool = False
    ) -> tuple[dict[str, Any], Any]:
        """``_segment``, with small holes closed in what is kept."""
        out, high = self._segment(memory, features, prompt, reverse=reverse)
        return {**out, "pred_masks": self._close_holes(out["pred_masks"])}, high

    def _remember(self, out: dict[str, Any], features: Features, logits: Any, *, prompted: bool) -> None:
        """Encode a frame's memory into what is kept of it, in half the bits; positional encodings are the same for all."""
        encoded, positions = self._encode(features, logits, out["object_score_logits"], prompted=prompted)
        if self._positions is None:
            self._positions = positions
        out["maskmem_features"], out["maskmem_pos_enc"] = encoded.to(torch.bfloat16), self._positions

    def _close_holes(self, low: Any) -> Any:
        """Logits with small holes closed; the package's own way needs a compiled CUDA part."""
        if self._holes <= 0:
            return low
        outside = (low[0, 0] <= 0).cpu().numpy().astype(np.uint8)
        count, labels, facts, _ = cv2.connectedComponentsWithStats(outside, connectivity=8)
        small = facts[:, cv2.CC_STAT_AREA] <= self._holes
        small[0] = False  # what is not a hole at all
        if count < 2 or not small.any():
            return low
        holes = torch.from_numpy(small[labels]).to(low.device)
        return torch.where(holes[None, None], torch.full_like(low, 0.1), low)

    def _points(self, features: Features, prompts: Sequence[Prompt]) -> tuple[Any, Any] | None:
        """Points and the box's corners (first), as ``PromptInput.points``."""
        coordinates: list[tuple[float, float]] = []
        labels: list[int] = []
        for prompt in prompts:
            if isinstance(prompt, Box):
                coordinates += [(prompt.left, prompt.top), (prompt.right, prompt.bottom)]
                labels += [2, 3]
        for prompt in prompts:
            if isinstance(prompt, Point):
                coordinates.append((prompt.x, prompt.y))
                labels.append(1 if prompt.positive else 0)
        if not coordinates:
            return None
        scale = torch.tensor(features.size, dtype=torch.float32)
        # our whole numbers are pixel centres, theirs are the pixels' upper left corners
        scaled = (torch.tensor([coordinates], dtype=torch.float32) + 0.5) / scale * self._side
        return scaled.to(self._device), torch.tensor([labels], dtype=torch.int32, device=self._device)

    def _mask(self, matte: np.ndarray) -> Any:
        side = self._side
        mask = torch.from_numpy((matte >= 0.5).astype(np.float32))[None, None].to(self._device)
        if mask.shape[-2:] != (side, side):
            mask = torch.nn.functional.interpolate(
                mask, size=(side, side), mode="bilinear", align_corners=False, antialias=True
            )
            mask = (mask >= 0.5).float()
        return mask


def chosen_device(device: str | None) -> str:
    """The device that was asked for; by default CUDA if there is one."""
    return device or ("cuda" if torch.cuda.is_available() else "cpu")


def _prepared(picture: np.ndarray, side: int) -> np.ndarray:
    """float32 3 x side x side: the picture squeezed to a square and normalised as the encoder was trained."""
    square = np.asarray(Image.fromarray(to_uint8(picture)).resize((side, side)))
    unit = (square.astype(np.float64) / 255).astype(np.float32)
    normal = (unit - np.array(MEAN, np.float32)) / np.array(SPREAD, np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1))
