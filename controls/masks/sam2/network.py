"""SAM 2 frame by frame: Ravi et al., "SAM 2: Segment Anything in Images and Videos" (2024).

The network's own steps (``sam2.modeling.sam2_base.SAM2Base``: image encoder, memory attention, mask decoder, memory encoder)
are called in the order in which the package's video predictor calls them. What differs is what is kept: pictures are
encoded once, and of each object's past only as much stays as memory attention looks back at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from controls.types import Box, Matte, Point, Prompt
from interp.pixels.depth import to_uint8

__all__ = ["Features", "Network", "ObjectMemory"]

MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pictures, as the encoder was trained


@dataclass(frozen=True)
class Features:
    """One frame as the network sees it."""

    frame: int
    vision: tuple[list[Any], list[Any], list[tuple[int, int]]]
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
class _PromptInput:
    """A prompt as the network takes it."""

    first: bool
    """The object has not been followed to this frame."""
    points: dict[str, Any] | None = None
    mask: Any = None
    before: Any = None
    """Low-resolution logits of the object's mask so far, which points correct."""


class Network:
    """The steps of SAM 2 on single frames. ``holes``: largest hole, in pixels of the low-resolution logits, that is closed."""

    def __init__(self, model: Any, *, frames: int, holes: int = 8, dtype: str = "float32") -> None:
        self._model, self._frames, self._holes = model, frames, holes
        self._device = next(model.parameters()).device
        self._half = None if dtype == "float32" else getattr(torch, dtype)
        model.fill_hole_area = 0  # the package's own way needs a compiled CUDA part; ours gives the same everywhere
        self._positions: list[Any] | None = None
        stride = max(1, model.memory_temporal_stride_for_eval)
        self._reach = max(model.num_maskmem * stride, model.max_obj_ptrs_in_encoder)

    def encode(self, picture: np.ndarray, frame: int) -> Features:
        """Encode one picture: H x W x 3, uint8, uint16 or float32 (display-referred)."""
        height, width = picture.shape[:2]
        with torch.inference_mode(), self._precision():
            tensor = torch.from_numpy(_prepared(picture, self._model.image_size)).to(self._device)
            out = self._model.forward_image(tensor[None])
            _, vision, positions, sizes = self._model._prepare_backbone_features(out)
        return Features(frame, (vision, positions, sizes), (width, height))

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
                out = self._step(memory, features, _PromptInput(first, mask=self._mask(matte)))
                before = out["pred_masks"]
            if points is not None:
                if before is not None:
                    before = torch.clamp(before, -32.0, 32.0)
                out = self._step(memory, features, _PromptInput(first, points=points, before=before))
            # the memory of a prompted frame is that of its mask as it is shown, holes closed
            high = torch.nn.functional.interpolate(
                out["pred_masks"], size=(self._model.image_size,) * 2, mode="bilinear", align_corners=False
            )
            encoded, positions = self._model._encode_new_memory(
                current_vision_feats=features.vision[0], feat_sizes=features.vision[2], pred_masks_high_res=high,
                object_score_logits=out["object_score_logits"], is_mask_from_pts=True,
            )  # fmt: skip
            self._store(out, encoded, positions)
        memory.followed.pop(features.frame, None)
        memory.prompted[features.frame] = out

    def follow(self, memory: ObjectMemory, features: Features, *, reverse: bool) -> None:
        """Find the object in the next frame (the one before, if ``reverse``) and forget what lies too far back."""
        if features.frame in memory.prompted:
            return
        with torch.inference_mode(), self._precision():
            memory.followed[features.frame] = self._step(memory, features, None, reverse=reverse)
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

    def _step(
        self, memory: ObjectMemory, features: Features, prompt: _PromptInput | None, *, reverse: bool = False
    ) -> dict[str, Any]:
        """Segment the object in one frame: by a prompt, or by what is remembered of it; then that frame is remembered, too."""
        vision, positions, sizes = features.vision
        out = self._model.track_step(
            frame_idx=features.frame,
            is_init_cond_frame=prompt is not None and prompt.first,
            current_vision_feats=vision,
            current_vision_pos_embeds=positions,
            feat_sizes=sizes,
            point_inputs=None if prompt is None else prompt.points,
            mask_inputs=None if prompt is None else prompt.mask,
            output_dict={"cond_frame_outputs": memory.prompted, "non_cond_frame_outputs": memory.followed},
            num_frames=self._frames,
            track_in_reverse=reverse,
            run_mem_encoder=prompt is None,
            prev_sam_mask_logits=None if prompt is None else prompt.before,
        )
        output = {name: out[name] for name in ("obj_ptr", "object_score_logits")}
        output["pred_masks"] = self._close_holes(out["pred_masks"])
        if prompt is None:
            self._store(output, out["maskmem_features"], out["maskmem_pos_enc"])
        return output

    def _store(self, output: dict[str, Any], encoded: Any, positions: list[Any]) -> None:
        """Store a frame's encoded memory in half the bits, as the package does; positional encodings are the same for all."""
        if self._positions is None:
            self._positions = [position.clone() for position in positions]
        output["maskmem_features"], output["maskmem_pos_enc"] = encoded.to(torch.bfloat16), self._positions

    def _close_holes(self, low: Any) -> Any:
        """Logits with small holes closed."""
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

    def _points(self, features: Features, prompts: Sequence[Prompt]) -> dict[str, Any] | None:
        """Points and the box's corners (labels 2 and 3, first) in the encoder's pixels."""
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
        scaled = (torch.tensor([coordinates], dtype=torch.float32) + 0.5) / scale * self._model.image_size
        return {
            "point_coords": scaled.to(self._device),
            "point_labels": torch.tensor([labels], dtype=torch.int32, device=self._device),
        }

    def _mask(self, matte: np.ndarray) -> Any:
        side = self._model.image_size
        mask = torch.from_numpy((matte >= 0.5).astype(np.float32))[None, None].to(self._device)
        if mask.shape[-2:] != (side, side):
            mask = torch.nn.functional.interpolate(
                mask, size=(side, side), mode="bilinear", align_corners=False, antialias=True
            )
            mask = (mask >= 0.5).float()
        return mask


def _prepared(picture: np.ndarray, side: int) -> np.ndarray:
    """float32 3 x side x side: the picture squeezed to a square and normalised as the encoder was trained."""
    square = np.asarray(Image.fromarray(to_uint8(picture)).resize((side, side)))
    unit = (square.astype(np.float64) / 255).astype(np.float32)
    normal = (unit - np.array(MEAN, np.float32)) / np.array(SPREAD, np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1))
