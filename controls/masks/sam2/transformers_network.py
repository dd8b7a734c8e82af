"""SAM 2 on the package transformers (``Sam2VideoModel``), with the weights of a local folder, in safetensors."""

from __future__ import annotations

from typing import Any

import torch
from transformers import Sam2VideoConfig, Sam2VideoInferenceSession, Sam2VideoModel

from controls.errors import ControlError
from controls.masks.sam2.network import Features, Network, ObjectMemory, PromptInput, chosen_device
from controls.masks.sam2.weights import Checkpoint
from interp.quiet import without_prints

__all__ = ["TransformersNetwork", "load_model", "look_at"]


class _Session(Sam2VideoInferenceSession):
    """transformers' session for one step of one object in a shot of so many ``frames``, none of which it keeps."""

    def __init__(self, frames: int, device: Any, memory: ObjectMemory | None = None) -> None:
        super().__init__(
            inference_device=device, inference_state_device=device, video_storage_device=device, dtype=torch.float32
        )
        self._frames = frames
        if memory is not None:
            number = self.obj_id_to_idx(0)
            self.output_dict_per_obj[number] = {
                "cond_frame_outputs": memory.prompted,
                "non_cond_frame_outputs": memory.followed,
            }

    @property
    def num_frames(self) -> int:
        return self._frames


class _Model(Sam2VideoModel):
    """transformers' network, with one default as the makers of SAM 2 have it.

    A drawn matte's object pointer is that of the single mask, not of the likeliest of three; other callers say what they want.
    """

    def _single_frame_forward(self, **inputs: Any) -> Any:  # type: ignore[override]
        return super()._single_frame_forward(**{"multimask_output": False, **inputs})


class TransformersNetwork(Network):
    """The steps of ``Sam2VideoModel``, for a shot of so many ``frames``."""

    def __init__(self, model: Any, *, frames: int, holes: int = 8, dtype: str = "float32") -> None:
        config = model.config
        reach = max(config.num_maskmem, config.max_object_pointers_in_encoder)
        super().__init__(model, side=config.image_size, reach=reach, holes=holes, dtype=dtype)
        self._frames = frames

    def _see(self, pictures: Any, frame: int) -> Any:
        session = _Session(self._frames, self._device)
        session.add_new_frame(pictures, frame)
        vision, positions = self._model._prepare_vision_features(session, frame, 1)
        return {"vision_feats": vision, "vision_pos_embeds": positions}

    def _segment(
        self, memory: ObjectMemory, features: Features, prompt: PromptInput | None, *, reverse: bool
    ) -> tuple[dict[str, Any], Any]:
        session = _Session(self._frames, self._device, memory)
        session.cache.cache_vision_features(features.frame, features.vision)
        points = None
        if prompt is not None and prompt.points is not None:
            coordinates, labels = prompt.points
            points = {"point_coords": coordinates[:, None], "point_labels": labels[:, None]}
        out = self._model._run_single_frame_inference(
            inference_session=session,
            frame_idx=features.frame,
            obj_idx=0,
            batch_size=1,
            is_init_cond_frame=prompt is not None and prompt.first,
            point_inputs=points,
            mask_inputs=None if prompt is None else prompt.mask,
            reverse=reverse,
            prev_sam_mask_logits=None if prompt is None else prompt.before,
        )
        high = out.pop("high_res_masks")
        return out, high

    def _encode(self, features: Features, logits: Any, score: Any, *, prompted: bool) -> tuple[Any, Any]:
        encoded: tuple[Any, Any] = self._model._encode_new_memory(
            current_vision_feats=features.vision["vision_feats"][-1],
            pred_masks_high_res=logits,
            object_score_logits=score,
            is_mask_from_pts=prompted,
        )
        return encoded


def load_model(checkpoint: Checkpoint, *, image_size: int | None, device: str | None) -> Any:
    """transformers' ``Sam2VideoModel`` with its weights, in evaluation mode.

    ``image_size``: side of the square that it looks at; ``None``: as it was trained. ``device``: as ``network.chosen_device``.
    Raises ``ControlError`` where the folder holds no whole one.
    """
    only_here: Any = {"local_files_only": True, "trust_remote_code": False}
    try:
        with without_prints():
            config = Sam2VideoConfig.from_pretrained(checkpoint.path, **only_here)
            if image_size is not None:
                look_at(config, image_size)
            loaded: Any = _Model.from_pretrained(
                checkpoint.path,
                config=config,
                dtype=torch.float32,
                use_safetensors=True,
                output_loading_info=True,
                **only_here,
            )
    except Exception as error:  # whatever a folder of something else makes transformers say
        reason = " ".join(str(error).split())[:200]
        raise ControlError(f"{str(checkpoint.path)!r} holds no SAM 2 that transformers can load: {reason}") from error
    model, told = loaded
    lacking = sorted({*told["missing_keys"], *(str(key) for key in told["mismatched_keys"])})
    if lacking:  # transformers draws at random what is not there
        raise ControlError(
            f"{str(checkpoint.path)!r} is not all of a SAM 2 video model: it lacks {', '.join(lacking[:3])}"
        )
    return model.to(chosen_device(device)).eval()


def look_at(config: Any, side: int) -> None:
    """Make a configuration that of a network which looks at squares of another side."""
    config.image_size = side
    config.prompt_encoder_config.image_size = side
    config.vision_config.backbone_config.image_size = [side, side]
    config.vision_config.backbone_feature_sizes = [[side // stride] * 2 for stride in (4, 8, 16)]
    config.memory_attention_rope_feat_sizes = [side // 16] * 2
