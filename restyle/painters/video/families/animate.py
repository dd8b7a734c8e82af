"""Wan 2.2 Animate: Cheng et al., "Wan-Animate: Unified Character Animation and Replacement with Holistic Replication" (2025).

It makes a film of a person in a picture, who does what the people of the footage do: it is shown their poses, and the face,
close up. Where objects alone are restyled, that person takes the place of what the mattes cover.

The model is shown a video and masks, as when it goes on from its own last frames: what a mask keeps is given there. So known
frames, and what lies round mattes, are held by the model itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from restyle.painters.video.families.base import Family, Film, Tick, Traits

__all__ = ["WanAnimate"]

PROMPT = "视频中的人在做动作"  # its makers': the person in the video acts; they advise against others


class WanAnimate(Family):
    """Adapter of ``WanAnimatePipeline``."""

    traits = Traits(
        title="Wan Animate",
        pipeline="WanAnimatePipeline",
        steps=20,
        guidance_scale=1.0,
        longest=77,
        frame_multiple=4,
        overlap=5,  # two latent frames, the more of both that its makers go on from
        pixel_multiple=16,
        resolution=960,  # 1280 x 720
        maps="must",
        kinds=("pose",),
        weighed=False,
        references=1,
        words=512,
        character=True,
        faces=True,
        sees=True,
        rows=1,
    )

    def make(self, pipe: Any, film: Film, tick: Tick) -> np.ndarray:
        """See ``Family.make``."""
        import torch

        height, width = film.pictures[0].shape[:2]

        def after(pipe: Any, number: int, time: Any, values: dict[str, Any]) -> dict[str, Any]:
            tick(number + 1)
            return values

        kept: dict[str, Any] = {}
        if film.known or film.mattes:
            shown, masks = zip(*(_kept(film, place) for place in range(len(film.pictures))), strict=True)
            kept = {"mode": "replace", "background_video": list(shown), "mask_video": list(masks)}
        result = pipe(
            image=film.references[0],
            pose_video=[Image.fromarray(each) for each in film.guides[0].maps],
            face_video=[Image.fromarray(face) for face in film.faces],
            prompt=film.prompt or PROMPT,
            negative_prompt=film.negative_prompt or None,
            height=height,
            width=width,
            segment_frame_length=len(film.pictures),  # one segment: ours are the windows
            num_inference_steps=film.steps,
            guidance_scale=film.guidance_scale,
            generator=torch.Generator("cpu").manual_seed(film.seed),
            output_type="np",
            callback_on_step_end=after,
            **kept,
        )
        return np.ascontiguousarray(result.frames[0], np.float32)

    def length(self, frames: int) -> int:
        """See ``Family.length``; it makes no single frame."""
        return max(super().length(frames), self.traits.frame_multiple + 1)


def _kept(film: Film, place: int) -> tuple[np.ndarray, Image.Image]:
    """The picture that is shown of one frame, float32 in [0, 1], and its mask: black where that is kept. Where it is made,
    the picture is black round whom the footage stays, and else grey, as its makers have it."""
    size = film.pictures[place].shape[:2]
    if place in film.known:
        return film.known[place].astype(np.float32) / 255, Image.new("L", size[::-1], 0)
    if not film.mattes:
        return np.full((*size, 3), 0.5, np.float32), Image.new("L", size[::-1], 255)
    painted = film.mattes[place]
    shown = film.pictures[place].astype(np.float32) / 255 * ~painted[..., None]
    return shown, Image.fromarray(painted.astype(np.uint8) * 255)
