"""A window's frames as a model is given them, and what the next window has to know."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from interp.pixels.depth import to_unit
from restyle.painters.base import PaintRequest
from restyle.painters.networks.pictures import resize
from restyle.painters.style_pictures import read_style_picture
from restyle.painters.video.faces import close_ups
from restyle.painters.video.families.base import Film, Guide, Traits
from restyle.painters.video.options import Options
from restyle.types import Carry, TextPrompt

__all__ = ["Films"]

PAINTED = 0.01  # of a matte, from which a pixel is painted


class Films:
    """Makes a window's film. ``carry``: from the window before in the shot."""

    def __init__(self, traits: Traits, options: Options, request: PaintRequest, carry: Carry | None) -> None:
        self._traits, self._options, self._request = traits, options, request
        facts = {"seed": request.seeds[0], "first": request.frames[0]} if carry is None else carry.facts
        self._seed, self._first = int(facts["seed"]), int(facts["first"])
        self.size = traits.painted_size(request.pictures[0].shape[1::-1], options.resolution)
        """Width and height that are painted at."""

    def carry(self) -> Carry:
        """Give the carry to the next window: a shot has one noise."""
        return Carry(facts={"seed": self._seed, "first": self._first})

    @property
    def film(self) -> Film:
        """The window's frames."""
        request, options, traits = self._request, self._options, self._traits
        prompt = request.prompts[0] if request.prompts else TextPrompt()
        pictures = tuple(self._scaled(picture) for picture in request.pictures)
        return Film(
            pictures=pictures,
            guides=self._guides(),
            prompt=prompt.prompt,
            negative_prompt=prompt.negative_prompt,
            seed=self._seed,
            steps=options.steps or traits.steps,
            guidance_scale=traits.guidance_scale if options.guidance_scale is None else options.guidance_scale,
            first=request.frames[0] - self._first,
            strength=traits.strength or 1.0 if options.strength is None else options.strength,
            known={place: self._scaled(painting) for place, painting in request.fixed.items()},
            mattes=self._mattes(),
            references=self._references(),
            faces=close_ups(request.pictures, request.mattes) if traits.faces else (),
            rate=None if request.rate is None else float(request.rate),
        )

    def _guides(self) -> tuple[Guide, ...]:
        return tuple(
            Guide(
                tuple(resize(each, self.size) for each in self._request.controls[spec.kind]),
                spec.strength,
                spec.start,
                spec.end,
            )
            for spec in self._options.control_specs
        )

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
