"""SAM 2 on its makers' package ``sam2`` (``SAM2VideoPredictor``), with the weights of a local file."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from sam2.build_sam import build_sam2_video_predictor

from controls.errors import ControlError
from controls.masks.sam2.network import Features, Network, ObjectMemory, PromptInput, chosen_device
from controls.masks.sam2.weights import PICKLES, Checkpoint

__all__ = ["PackageNetwork", "load_model"]


class PackageNetwork(Network):
    """The steps of ``sam2.modeling.sam2_base.SAM2Base``, for a shot of so many ``frames``."""

    def __init__(self, model: Any, *, frames: int, holes: int = 8, dtype: str = "float32") -> None:
        stride = max(1, model.memory_temporal_stride_for_eval)
        reach = max(model.num_maskmem * stride, model.max_obj_ptrs_in_encoder)
        super().__init__(model, side=model.image_size, reach=reach, holes=holes, dtype=dtype)
        self._frames = frames

    def _see(self, pictures: Any, frame: int) -> Any:
        _, vision, positions, sizes = self._model._prepare_backbone_features(self._model.forward_image(pictures))
        return vision, positions, sizes

    def _segment(
        self, memory: ObjectMemory, features: Features, prompt: PromptInput | None, *, reverse: bool
    ) -> tuple[dict[str, Any], Any]:
        vision, positions, sizes = features.vision
        points = None if prompt is None or prompt.points is None else prompt.points
        out = self._model.track_step(
            frame_idx=features.frame,
            is_init_cond_frame=prompt is not None and prompt.first,
            current_vision_feats=vision,
            current_vision_pos_embeds=positions,
            feat_sizes=sizes,
            point_inputs=None if points is None else {"point_coords": points[0], "point_labels": points[1]},
            mask_inputs=None if prompt is None else prompt.mask,
            output_dict={"cond_frame_outputs": memory.prompted, "non_cond_frame_outputs": memory.followed},
            num_frames=self._frames,
            track_in_reverse=reverse,
            run_mem_encoder=False,
            prev_sam_mask_logits=None if prompt is None else prompt.before,
        )
        return {name: out[name] for name in ("pred_masks", "obj_ptr", "object_score_logits")}, out[
            "pred_masks_high_res"
        ]

    def _encode(self, features: Features, logits: Any, score: Any, *, prompted: bool) -> tuple[Any, Any]:
        vision, _, sizes = features.vision
        encoded, positions = self._model._encode_new_memory(
            current_vision_feats=vision,
            feat_sizes=sizes,
            pred_masks_high_res=logits,
            object_score_logits=score,
            is_mask_from_pts=prompted,
        )
        return encoded, [position.clone() for position in positions]


def load_model(checkpoint: Checkpoint, *, image_size: int | None, device: str | None) -> Any:
    """The package's ``SAM2VideoPredictor`` with its weights, in evaluation mode.

    ``image_size``: side of the square that it looks at; ``None``: as it was trained. ``device``: as ``network.chosen_device``.
    Raises ``ControlError`` where the file is none of this configuration's checkpoints.
    """
    overrides = [] if image_size is None else [f"++model.image_size={image_size}"]
    network = build_sam2_video_predictor(checkpoint.config, None, device="cpu", hydra_overrides_extra=overrides)
    try:
        network.load_state_dict(_read(checkpoint.path))
    except (RuntimeError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ControlError(f"{str(checkpoint.path)!r} is no checkpoint of {checkpoint.config}: {reason}") from error
    return network.to(chosen_device(device)).eval()


def _read(checkpoint: Path) -> dict[str, Any]:
    if checkpoint.suffix.lower() in PICKLES:
        try:
            stored = torch.load(checkpoint, map_location="cpu", weights_only=True)  # tensors only, no code
        except pickle.UnpicklingError as error:
            raise ValueError(f"it holds more than weights ({error})") from error
        return dict(stored.get("model", stored))
    try:
        return load_file(checkpoint)
    except SafetensorError as error:
        raise ValueError(f"it is not in safetensors format ({error})") from error
