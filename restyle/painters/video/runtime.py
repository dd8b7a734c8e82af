"""The painter at work: its model loaded, on a device. Imports torch and diffusers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from interp.quiet import without_warnings
from restyle.errors import PainterError
from restyle.painters.base import PaintRequest
from restyle.painters.memory import MemoryNeed
from restyle.painters.networks.fitting import Fitting
from restyle.painters.networks.loras import add_loras
from restyle.painters.networks.memory import release
from restyle.painters.networks.pictures import from_painting
from restyle.painters.networks.pipelines import load_pipeline
from restyle.painters.networks.words import cut_note
from restyle.painters.video.colours import hold_colours
from restyle.painters.video.families import FAMILIES
from restyle.painters.video.families.base import Film
from restyle.painters.video.film import Films
from restyle.painters.video.model_files import FilmFiles
from restyle.painters.video.options import Options
from restyle.types import Carry

__all__ = ["Runtime"]


class Runtime:
    """A loaded model. ``need``: as of ``load_pipeline``.

    Raises ``MissingModelError``, ``RecipeError``, ``PainterError`` when it is built.
    """

    def __init__(
        self,
        options: Options,
        files: FilmFiles,
        *,
        need: Callable[[int], MemoryNeed],
        tell: Callable[[str], None],
    ) -> None:
        self._options = options
        self._family = FAMILIES[files.family_name]
        self._notes: dict[str, None] = {}

        def build(pipe: Any, dtype: Any) -> Any:
            built = self._family.build(pipe, files.parts, dtype)
            self._notes |= dict.fromkeys(add_loras(built, files.loras, self._family.traits.title))
            return built

        self._loaded = load_pipeline(options, files, need=need, tell=tell, build=build)
        self._fitting = Fitting(self._loaded, tell=tell)

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for a person about what was not heard, and what was given up."""
        return (*self._notes, *self._fitting.notes)

    @torch.no_grad()
    def paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        """As ``Painter.paint``."""
        films = Films(self._family.traits, self._options, request, carry)
        if len(request.fixed) == len(request.frames):
            return [request.fixed[place].copy() for place in range(len(request.frames))], films.carry()
        if len({prompt.prompt for prompt in request.prompts}) > 1:
            frames = f"{request.frames[0]} to {request.frames[-1]}"
            self._notes[f"frames {frames} are made together: of their prompts the first was heard"] = None
        film = films.film
        if self._family.traits.begins and not film.known:
            raise PainterError(f"{self._family.traits.title} goes on from a painted frame, and there is none")
        self._listen(film)
        size = list(request.pictures[0].shape[1::-1])
        self._fitting.begin(request.settings, {"painter": "video", "model": self._options.model, "size": size})
        count = len(film.pictures)
        made = self._make(film.padded(self._family.length(count)), request)[:count]
        made = hold_colours(made, {place: picture for place, picture in film.known.items() if not film.mattes})
        paintings = [
            request.fixed[place].copy()
            if place in request.fixed
            else from_painting(made[place].transpose(2, 0, 1), picture)
            for place, picture in enumerate(request.pictures)
        ]
        return paintings, films.carry()

    def close(self) -> None:
        """Let go of the model's memory. Nothing can be painted afterwards."""
        device = torch.device(self._loaded.machine.device)
        del self._loaded, self._fitting
        release(device)  # networks and the hooks on them point at each other

    def _listen(self, film: Film) -> None:
        """Take note of words that the model does not read, and of sound that nobody hears."""
        traits = self._family.traits
        if traits.sound:
            self._notes[f"{traits.title} makes sound, too: it is dropped, and the footage's own is kept"] = None
        if film.negative_prompt and not traits.negative:
            self._notes[f"{traits.title} reads no negative prompt: it was not heard"] = None
        if traits.words is None:
            return
        for prompt in (film.prompt, film.negative_prompt):
            note = cut_note(self._loaded.own.tokenizer, prompt, traits.words, traits.title)
            self._notes |= {} if note is None else {note: None}

    def _make(self, film: Film, request: PaintRequest) -> np.ndarray:
        frames = f"making frames {request.frames[0]} to {request.frames[-1]}"
        request.tick(frames)

        def work() -> np.ndarray:
            with without_warnings():
                return self._family.make(
                    self._loaded.own, film, lambda step: request.tick(f"{frames}, step {step} of {film.steps}")
                )

        made = self._fitting(work)
        if made.shape != (len(film.pictures), *film.pictures[0].shape):
            raise PainterError(f"{self._family.traits.title} made {made.shape[0]} frames of {len(film.pictures)}")
        if not np.isfinite(made).all():
            dtype = self._loaded.machine.dtype
            better = "float32" if dtype == "bfloat16" else "bfloat16"
            raise PainterError(
                f"model {self._options.model!r} gave numbers that are none (NaN) in {dtype}"
                + ("" if dtype == "float32" else f"; try --painter-option dtype={better}")
            )
        return made
