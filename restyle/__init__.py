"""restyle: repaint footage in a new look, frame for frame.

>>> import restyle
>>> restyle.restyle("in.mp4", "out.mp4", style="winter-ink")  # doctest: +SKIP

The names below are the public API, and each is loaded when it is first asked for. They stand here twice: for type checkers,
which follow imports, and for Python, which is to import nothing yet. A test holds the two together.
"""
# ruff: noqa: I001 (``import X as X`` is how a name is made public to type checkers; one statement a module)

import importlib
import typing

if typing.TYPE_CHECKING:
    from controls.maps.base import Detector as Detector, DetectorTraits as DetectorTraits, PairDetector as PairDetector
    from controls.types import (
        Box as Box,
        ControlMap as ControlMap,
        Masked as Masked,
        Masker as Masker,
        MaskerTraits as MaskerTraits,
        Matte as Matte,
        MatteClip as MatteClip,
        MatteFolder as MatteFolder,
        People as People,
        Pictures as Pictures,
        Point as Point,
        Prompt as Prompt,
        Prompted as Prompted,
        Text as Text,
    )
    from interp.types import (
        Filler as Filler,
        FlowEstimator as FlowEstimator,
        Gap as Gap,
        Interpolator as Interpolator,
        Motion as Motion,
        Propagated as Propagated,
        Tracker as Tracker,
    )
    from restyle.batch.batch import Batch as Batch
    from restyle.batch.call import batch as batch
    from restyle.batch.results import BatchProgress as BatchProgress, ClipResult as ClipResult
    from restyle.errors import (
        Cancelled as Cancelled,
        FootageError as FootageError,
        JobError as JobError,
        JobLockedError as JobLockedError,
        MissingExtraError as MissingExtraError,
        MissingModelError as MissingModelError,
        OutputError as OutputError,
        OutputExistsError as OutputExistsError,
        OutputLockedError as OutputLockedError,
        PainterError as PainterError,
        PartError as PartError,
        RecipeError as RecipeError,
        RestyleError as RestyleError,
        UnknownPartError as UnknownPartError,
    )
    from restyle.job.call import restyle as restyle
    from restyle.job.frame_preview import FramePreview as FramePreview
    from restyle.job.job import Job as Job
    from restyle.job.result import Result as Result
    from restyle.painters.base import (
        Capabilities as Capabilities,
        Painter as Painter,
        PaintRequest as PaintRequest,
        RegionRequest as RegionRequest,
    )
    from restyle.painters.memory import MemoryEstimate as MemoryEstimate
    from restyle.painters.memory import MemoryNeed as MemoryNeed
    from restyle.planning.plan import Analysis as Analysis, Plan as Plan
    from restyle.progress import Progress as Progress, ProgressCallback as ProgressCallback
    from restyle.progress_bar import ProgressBar as ProgressBar
    from restyle.quality.comparison import write_comparison as write_comparison
    from restyle.recipe import Control as Control, Layer as Layer, PromptAt as PromptAt, Recipe as Recipe
    from restyle.recipe_fields import RecipeFields as RecipeFields
    from restyle.render.protocols import Rendered as Rendered
    from restyle.retiming.retimer import Retiming as Retiming, retime as retime
    from restyle.types import (
        Carry as Carry,
        FootageSpec as FootageSpec,
        Frame as Frame,
        Keyframe as Keyframe,
        Shot as Shot,
        TextPrompt as TextPrompt,
        Window as Window,
    )

__version__ = "0.1.0"

if not typing.TYPE_CHECKING:
    _PUBLIC = {
        "controls.maps.base": "Detector DetectorTraits PairDetector",
        "controls.types": "Box ControlMap Masked Masker MaskerTraits Matte MatteClip MatteFolder People Pictures Point "
        "Prompt Prompted Text",
        "interp.types": "Filler FlowEstimator Gap Interpolator Motion Propagated Tracker",
        "restyle.batch.batch": "Batch",
        "restyle.batch.call": "batch",
        "restyle.batch.results": "BatchProgress ClipResult",
        "restyle.errors": "Cancelled FootageError JobError JobLockedError MissingExtraError MissingModelError OutputError "
        "OutputExistsError OutputLockedError PainterError PartError RecipeError RestyleError UnknownPartError",
        "restyle.job.call": "restyle",
        "restyle.job.frame_preview": "FramePreview",
        "restyle.job.job": "Job",
        "restyle.job.result": "Result",
        "restyle.painters.base": "Capabilities PaintRequest Painter RegionRequest",
        "restyle.painters.memory": "MemoryEstimate MemoryNeed",
        "restyle.planning.plan": "Analysis Plan",
        "restyle.progress": "Progress ProgressCallback",
        "restyle.progress_bar": "ProgressBar",
        "restyle.quality.comparison": "write_comparison",
        "restyle.recipe": "Control Layer PromptAt Recipe",
        "restyle.recipe_fields": "RecipeFields",
        "restyle.render.protocols": "Rendered",
        "restyle.retiming.retimer": "Retiming retime",
        "restyle.types": "Carry FootageSpec Frame Keyframe Shot TextPrompt Window",
    }
    _HOMES = {name: module for module, names in _PUBLIC.items() for name in names.split()}
    __all__ = sorted([*_HOMES, "__version__"])

    def __getattr__(name):
        """Load a public name when it is first asked for (PEP 562)."""
        if name not in _HOMES:
            raise AttributeError(f"module 'restyle' has no attribute {name!r}")
        globals()[name] = value = getattr(importlib.import_module(_HOMES[name]), name)
        return value

    def __dir__():
        return sorted({*globals(), *_HOMES})
