"""A window's frames as a model is given them, and what the next window has to know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from interp.pixels.depth import to_unit
from restyle.painters.base import PaintRequest
from restyle.painters.networks.pictures import resize, working_size
from restyle.painters.style_pictures import read_style_picture
from restyle.painters.video.families.base import Film, Traits
from restyle.painters.video.options import Options
from restyle.types import Carry, TextPrompt

__all__ = ["Films"]

PAINTED = 0.01  # of a matte, from which a pixel is painted


class Films:
    """Makes a window's film. ``carry``: from the window before in the shot."""

    def __init__(self, traits: Traits, options: Options, request: PaintRequest, carry: Carry | None) -> None:
        self._traits, self._options, self._request = traits, options, request
        self._seed = request.seeds[0] if carry is None else int(carry.facts["seed"])
        height, width = request.pictures[0].shape[:2]
        resolution = traits.resolution if options.resolution is None else options.resolution
        multiple = traits.pixel_multiple
        self.size = working_size(width, height, resolution, multiple=multiple, least_multiple=multiple)
        """Width and height that are painted at."""

    def carry(self) -> Carry:
        """Give the carry to the next window: a shot has one noise."""
        return Carry(facts={"seed": self._seed})

    @property
    def film(self) -> Film:
        """The window's frames."""
        request, options, traits = self._request, self._options, self._traits
        prompt = request.prompts[0] if request.prompts else TextPrompt()
        pictures = tuple(self._scaled(picture) for picture in request.pictures)
        return Film(
            pictures=pictures,
            guides=self._guides(pictures),
            prompt=prompt.prompt,
            negative_prompt=prompt.negative_prompt,
            seed=self._seed,
            steps=options.steps or traits.steps,
            guidance_scale=traits.guidance_scale if options.guidance_scale is None else options.guidance_scale,
            control_strength=options.strength_of_control,
            known={place: self._scaled(painting) for place, painting in request.fixed.items()},
            mattes=self._mattes(),
            references=self._references(),
        )

    def _guides(self, pictures: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """The control maps; without any, the pictures in grey."""
        for maps in self._request.controls.values():
            return tuple(resize(each, self.size) for each in maps)
        return tuple(cv2.cvtColor(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB) for each in pictures)

    def _mattes(self) -> tuple[np.ndarray, ...]:
        mattes = self._request.mattes
        if not mattes or all((matte > PAINTED).all() for matte in mattes):
            return ()
        return tuple(
            cv2.resize(np.ascontiguousarray(matte), self.size, interpolation=cv2.INTER_LINEAR) > PAINTED
            for matte in mattes
        )

    def _references(self) -> tuple[Image.Image, ...]:
        """Pictures of what is to be seen: of the style, and the painting of the anchor."""
        shown: list[np.ndarray] = []
        if self._options.style is not None:
            shown.append(np.rint(read_style_picture(Path(self._options.style)) * 255).astype(np.uint8))
        if self._request.anchor is not None:
            shown.append(self._scaled(self._request.anchor.painting))
        return tuple(Image.fromarray(picture) for picture in shown[: self._traits.references])

    def _scaled(self, picture: np.ndarray) -> np.ndarray:
        if picture.dtype == np.uint8:
            return resize(picture, self.size)
        values = np.nan_to_num(to_unit(picture), nan=0.0).clip(0, 1).astype(np.float32)
        return np.rint(resize(values, self.size).clip(0, 1) * 255).astype(np.uint8)
