"""The painter ``edit``: keyframes repainted by models that are told how. Imports no torch; ``runtime.py`` does."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from restyle.painters.base import Capabilities
from restyle.painters.edit.families import FAMILIES
from restyle.painters.edit.families.base import TOKEN
from restyle.painters.edit.model_files import CATALOGUE, ModelFiles, find_model_files, known_family
from restyle.painters.edit.options import Options
from restyle.painters.edit.sizes import working_size
from restyle.painters.memory import MemoryNeed
from restyle.painters.networks.painter import PipelinePainter
from restyle.painters.networks.pipeline_files import PipelineFiles
from restyle.painters.networks.work import Load

if TYPE_CHECKING:
    from restyle.painters.edit.runtime import Runtime

__all__ = ["EditPainter"]


class EditPainter(PipelinePainter):
    """Repaints keyframes by an editor of pictures, which is told in words what to make of them (FLUX.1 Kontext,
    Qwen-Image-Edit, FLUX.2, LongCat-Image-Edit), or by an image-to-image model with ControlNets (FLUX.1, Qwen-Image, Z-Image),
    through diffusers' own pipelines.

    ``options``: the fields of ``Options``. Weights are looked for when something is to be painted, or when the job has to know
    which they are; they are loaded when the first window is painted.

    A shot's first keyframe, its anchor, is painted alone. The others follow it: a model that is shown several pictures is
    shown the anchor and its painting, too; one that is shown one picture begins from the painting of the keyframe before,
    carried along the motion. All have the anchor's noise. So a keyframe's painting depends on those before it, and not on how
    they are divided into windows.

    Pictures are painted in 8 bits at the model's own size (``resolution``), and brought back to the footage's size and dtype.

    Raises ``RecipeError`` and ``MissingExtraError`` when it is built; ``MissingModelError``, ``RecipeError``, ``PainterError``
    when it paints.
    """

    name = "edit"
    method = 1
    Options = Options
    catalogue = CATALOGUE

    def __init__(self, **options: Any) -> None:
        self.require_packages()
        super().__init__(Options(**options))

    @cached_property
    def capabilities(self) -> Capabilities:
        """See ``Painter.capabilities``."""
        family = known_family(self.options)
        alone = self.options.consistency == "none"
        # of a model whose family has to be asked of the hub the same is said, whatever has been fetched by now
        several = family is not None and family.traits.pictures > 1
        follows = several and (self.options.follow is None or self.options.follow >= 1)
        return Capabilities(
            cost=2000.0,
            reads_prompts=True,
            controls=tuple(spec.kind for spec in self.options.control_specs),
            inpaints=family is None or family.traits.inpaints,
            shares_looks=several and not alone,
            chain="none" if alone else "ends" if follows else "keys",
        )

    @cached_property
    def model_files(self) -> ModelFiles:
        """Files of the weights, found (and fetched, where they have to be)."""
        return self.find(self.options)

    @staticmethod
    def find(options: Any) -> ModelFiles:
        """See ``PipelinePainter.find``."""
        return find_model_files(options)

    def load_at(self, files: PipelineFiles, size: tuple[int, int], frames: int) -> Load:
        """See ``PipelinePainter.load_at``."""
        traits = FAMILIES[files.family_name].traits
        resolution = traits.resolution if self.options.resolution is None else self.options.resolution
        painted = working_size(*size, resolution, multiple=traits.multiple)
        return Load(painted, stride=(1, TOKEN), shown=traits.pictures)

    def _load(self, need: Callable[[int], MemoryNeed], tell: Callable[[str], None]) -> Runtime:
        from restyle.painters.edit.runtime import Runtime

        return Runtime(self.options, self.model_files, need=need, tell=tell)
