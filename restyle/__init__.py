"""restyle: repaint footage in a new look, frame for frame.

>>> import restyle
>>> restyle.restyle("in.mp4", "out.mp4", style="winter-ink")  # doctest: +SKIP

The names below are the public API; they load nothing heavy until they are used.
"""

from restyle.errors import (
    Cancelled,
    FootageError,
    JobError,
    JobLockedError,
    MissingExtraError,
    MissingModelError,
    OutputError,
    OutputExistsError,
    OutputLockedError,
    PainterError,
    RecipeError,
    RestyleError,
    UnknownPartError,
)
from restyle.job import Job, Result, restyle
from restyle.plan import Plan
from restyle.progress import Progress
from restyle.recipe import Control, Layer, PromptAt, Recipe
from restyle.retime import Retiming, retime
from restyle.types import Carry, FootageSpec, Frame, Keyframe, Shot, Window, Words

__version__ = "0.1.0"

__all__ = [
    "Cancelled",
    "Carry",
    "Control",
    "FootageError",
    "FootageSpec",
    "Frame",
    "Job",
    "JobError",
    "JobLockedError",
    "Keyframe",
    "Layer",
    "MissingExtraError",
    "MissingModelError",
    "OutputError",
    "OutputExistsError",
    "OutputLockedError",
    "PainterError",
    "Plan",
    "Progress",
    "PromptAt",
    "Recipe",
    "RecipeError",
    "RestyleError",
    "Result",
    "Retiming",
    "Shot",
    "UnknownPartError",
    "Window",
    "Words",
    "__version__",
    "restyle",
    "retime",
]
