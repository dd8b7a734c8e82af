"""A paint request -> what each keyframe is painted from: the anchor, the neighbour's painting, the matte."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from interp.pixels.depth import to_unit
from interp.warp import blend, resize_confidence, resize_flow, warp
from restyle.painters.base import PaintRequest
from restyle.painters.edit.families.base import Keyframe, Map, Traits
from restyle.painters.edit.options import Options
from restyle.painters.edit.sizes import working_size
from restyle.painters.networks.pictures import resize
from restyle.types import Carry, TextPrompt

__all__ = ["Keyframes", "to_working"]

PAINTED = 0.02  # of a matte, from which a pixel is painted


class Keyframes:
    """The keyframes of one request.

    ``carry``: as ``Painter.paint``. Its arrays: ``anchor_picture`` and ``anchor_painting``, those of the shot's anchor, uint8
    h x w x 3 at the size that it was painted at; its fact: the anchor's ``seed``.
    """

    def __init__(self, traits: Traits, options: Options, request: PaintRequest, carry: Carry | None) -> None:
        self._traits = traits
        self._options = options
        self._request = request
        self._seed = request.seeds[0] if carry is None else int(carry.facts["seed"])
        self._together = options.consistency == "anchor"
        height, width = request.pictures[0].shape[:2]
        resolution = traits.resolution if options.resolution is None else options.resolution
        self.size = working_size(width, height, resolution, multiple=traits.multiple)
        """Width and height that are painted at."""
        self._anchor: tuple[np.ndarray, np.ndarray] | None = None
        if carry is not None and "anchor_picture" in carry.arrays:
            self._anchor = carry.arrays["anchor_picture"], carry.arrays["anchor_painting"]
        elif request.anchor is not None:
            self._anchor = self._scaled(request.anchor.picture), self._scaled(request.anchor.painting)

    def painted(self, index: int, painting: np.ndarray) -> None:
        """Take note of a keyframe's painting: the first one's is the anchor's, if there is none yet."""
        if self._anchor is None:
            self._anchor = self._scaled(self._request.pictures[index]), self._scaled(painting)

    def carry(self) -> Carry:
        """The carry to the next window."""
        arrays = {}
        if self._together and self._traits.pictures > 1 and self._anchor is not None:
            arrays = {"anchor_picture": self._anchor[0], "anchor_painting": self._anchor[1]}
        return Carry(arrays, {"seed": self._seed})

    def keyframe(self, index: int, previous: np.ndarray | None) -> Keyframe:
        """One to be painted. ``previous``: the painting of the keyframe before it, where there is one."""
        request, options, traits = self._request, self._options, self._traits
        prompt = request.prompts[index] if request.prompts else TextPrompt()
        words = prompt.prompt
        references: tuple[Image.Image, ...] = ()
        if self._together and self._anchor is not None and traits.pictures >= 3:
            references = tuple(Image.fromarray(picture) for picture in self._anchor)
            words = " ".join(part for part in (words, options.reference_prompt) if part)
        picture = self._scaled(request.pictures[index])
        matte = self._matte(index)
        start, strength = self._start(index, picture, previous, matte)
        return Keyframe(
            picture=Image.fromarray(picture),
            prompt=words,
            negative_prompt=prompt.negative_prompt,
            seed=self._seed if self._together else request.seeds[index],
            steps=options.steps or traits.steps,
            guidance_scale=traits.guidance_scale if options.guidance_scale is None else options.guidance_scale,
            references=references,
            start=start,
            strength=strength,
            matte=matte,
            maps=tuple(
                Map(
                    Image.fromarray(self._scaled(request.controls[spec.kind][index])),
                    spec.strength,
                    spec.start,
                    spec.end,
                )
                for spec in options.control_specs
            ),
        )

    def _start(
        self, index: int, picture: np.ndarray, previous: np.ndarray | None, matte: np.ndarray | None
    ) -> tuple[Image.Image | None, float]:
        """The picture that a keyframe begins from, ``None`` for its own, and the part of the schedule that is painted."""
        options, traits = self._options, self._traits
        follow = traits.follow if options.follow is None else options.follow
        strength = traits.strength if options.strength is None else options.strength
        if previous is None or not self._together or follow >= 1:
            return None, strength
        positions, (width, height) = self._request.positions, self.size
        motion = self._request.tracker.motion(positions[index], positions[index - 1])
        carried = warp(self._scaled(previous), resize_flow(motion.flow, width, height))
        share = resize_confidence(motion.confidence, width, height)
        if matte is not None:
            share = share * matte
        return Image.fromarray(blend(carried, picture, share.astype(np.float32))), follow

    def _matte(self, index: int) -> np.ndarray | None:
        """Bool h x w of what is painted; ``None``: all, or the whole picture is to be painted and cut out later."""
        mattes = self._request.mattes
        if not mattes or not self._traits.inpaints or (mattes[index] > PAINTED).all():
            return None
        matte = cv2.resize(np.ascontiguousarray(mattes[index]), self.size, interpolation=cv2.INTER_LINEAR) > PAINTED
        return matte if matte.any() else np.ones_like(matte)

    def _scaled(self, picture: np.ndarray) -> np.ndarray:
        return to_working(picture, self.size)


def to_working(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture of any depth, uint8 at the size that is painted at, width and height."""
    if picture.dtype == np.uint8 and picture.shape[1::-1] == size:
        return picture
    values = resize(np.nan_to_num(to_unit(picture), nan=0.0).clip(0, 1).astype(np.float32), size).clip(0, 1)
    return np.rint(values * 255).astype(np.uint8)
