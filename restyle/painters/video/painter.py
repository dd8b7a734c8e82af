"""The painter ``video``: all frames of a window made together. Imports no torch; ``runtime.py`` does."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from restyle.errors import RecipeError
from restyle.painters.base import Capabilities, EveryFrame
from restyle.painters.memory import MemoryNeed
from restyle.painters.networks.painter import PipelinePainter
from restyle.painters.networks.pipeline_files import PipelineFiles
from restyle.painters.networks.work import Load
from restyle.painters.style_pictures import read_style_picture
from restyle.painters.video.families import FAMILIES
from restyle.painters.video.families.base import Traits
from restyle.painters.video.model_files import CATALOGUE, FilmFiles, check_options, find_model_files, recognised
from restyle.painters.video.options import Options
from restyle.versions import parts_of

if TYPE_CHECKING:
    from restyle.painters.video.runtime import Runtime

__all__ = ["VideoPainter"]


class VideoPainter(PipelinePainter):
    """Makes every frame of a window by a model of video (Wan VACE and Animate, AnimateDiff, Lucy Edit, LTX-Video and LTX-2,
    CogVideoX with control, Stable Video Diffusion), through diffusers' own pipelines. Nothing is filled.

    ``options``: the fields of ``Options``. Weights are looked for when something is to be painted, or when the job has to know
    which they are; they are loaded when the first window is painted.

    A window shares its first frames with the one before, which the model is given as they are: it goes on from there. Colours
    are held by the same frames, and all windows of a shot have one noise. A control map leads the frames; without one, the
    footage in grey does. Where the recipe restyles objects alone, the model sees the footage round them.

    Frames are made in 8 bits at the model's own size (``resolution``), and brought back to the footage's size and dtype.

    Of a model on the hub a small file is fetched when it is built, to know what it is.

    Raises ``RecipeError``, ``MissingModelError`` and ``MissingExtraError`` when it is built; ``MissingModelError``,
    ``RecipeError``, ``PainterError`` when it paints.
    """

    name = "video"
    method = 1
    needs = (*PipelinePainter.needs, "ftfy")
    Options = Options
    catalogue = CATALOGUE

    def __init__(self, **options: Any) -> None:
        self.require_packages()
        chosen, family = recognised(Options(**options))
        super().__init__(chosen)
        self._traits = family.traits
        check_options(chosen, family)
        self._rule = _windows(chosen, self._traits)

    @cached_property
    def capabilities(self) -> Capabilities:
        """See ``Painter.capabilities``."""
        return Capabilities(
            cost=1000.0,
            reads_prompts=self._traits.prompts,
            controls=tuple(spec.kind for spec in self.options.control_specs),
            inpaints=self._traits.holds,
            shares_looks=self._traits.references > int(self._traits.character),
            every_frame=self._rule,
        )

    @cached_property
    def model_files(self) -> FilmFiles:
        """Files of the weights, found (and fetched, where they have to be)."""
        return self.find(self.options)

    @staticmethod
    def find(options: Any) -> FilmFiles:
        """See ``PipelinePainter.find``."""
        return find_model_files(options)

    def load_at(self, files: PipelineFiles, size: tuple[int, int], frames: int) -> Load:
        """See ``PipelinePainter.load_at``."""
        family = FAMILIES[files.family_name]
        traits = family.traits
        stride = traits.frames_a_latent or traits.frame_multiple, traits.pixel_multiple
        length = family.length(frames)
        painted = traits.painted_size(size, self.options.resolution)
        return Load(painted, length, stride, traits.rows, shown=int(traits.character))

    @property
    def _chosen(self) -> dict[str, Any]:
        chosen = super()._chosen
        if self.options.style is not None:
            picture = np.ascontiguousarray(read_style_picture(Path(self.options.style)))
            chosen["style"] = blake2b(picture.tobytes(), digest_size=16).hexdigest()
        if self._traits.faces:
            chosen["faces"] = parts_of("mediapipe")
        return chosen

    def _load(self, need: Callable[[int], MemoryNeed], tell: Callable[[str], None]) -> Runtime:
        from restyle.painters.video.runtime import Runtime

        return Runtime(self.options, self.model_files, need=need, tell=tell)


def _windows(options: Options, traits: Traits) -> EveryFrame:
    """Windows that the model makes. Raises ``RecipeError`` for lengths that the model does not make."""
    multiple = traits.frame_multiple
    longest = traits.longest if options.frames is None else options.frames
    if longest % multiple != 1 % multiple:
        below = max(1, (longest - 1) // multiple) * multiple + 1
        raise RecipeError(
            f"painter option frames: {traits.title} makes {multiple}k + 1 frames, such as {below} or {below + multiple}; got "
            f"{longest}"
        )
    overlap = min(traits.overlap, longest - 1) if options.overlap is None else options.overlap
    if overlap >= longest:
        raise RecipeError(f"painter option overlap is less than the {longest} frames of a window, got {overlap}")
    return EveryFrame(longest, multiple, overlap, begins=traits.begins)
