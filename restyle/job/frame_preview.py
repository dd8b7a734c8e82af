"""Single frames of one footage, looked at again and again: their pictures, objects' mattes, control maps, and paintings.

A run looks at all of a footage before it paints; who chooses a look or points at an object wants to see one frame, soon. So the
footage's time stamps are read once, painters stay open, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from controls.prompts import check_prompts, parse_object, split_object
from controls.types import Box as BoxPrompt
from controls.types import ControlMap, Matte, Point, Prompted
from interp.pixels.depth import to_uint8
from restyle.errors import RecipeError, translated
from restyle.files.writing import scratch
from restyle.footage import open_footage, timing
from restyle.job.assembly import Assembly, Painters
from restyle.job.following import FollowRequest, follow_on_prompted_frames
from restyle.job.inputs import Inputs, require_files
from restyle.job.keyframe_maps import KeyframeMaps, PlannedFootage
from restyle.job.masker_choice import choose_masker
from restyle.job.mattes import FrameMattes
from restyle.job.paintings import MemoryPaintings
from restyle.job.store import JobStore
from restyle.painters.neural_style.style_sheet import painted_styles
from restyle.planning.plan import Analysis, make_plan
from restyle.progress import Meter
from restyle.recipe import Control, Recipe
from restyle.registry import make_masker
from restyle.types import FootageSpec, Keyframe, Shot

__all__ = ["FramePreview"]

SMALL_SIDE = 256
"""Pixels of the longer side of the picture in which a first matte is cut."""


class FramePreview:
    """Looks at single frames of one footage. A context manager; for one thread at a time.

    ``source``, ``rate``, ``offline``: as ``Job``'s. Raises ``FootageError``.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        rate: Fraction | int | None = None,
        deinterlace: bool = False,
        offline: bool = False,
    ) -> None:
        self.source = Path(source)
        self._footage = open_footage(
            self.source, rate=None if rate is None else Fraction(rate), deinterlace=deinterlace
        )
        self._offline = offline
        self._painters = Painters()

    @property
    def spec(self) -> FootageSpec:
        """Facts of the footage."""
        return self._footage.spec

    @cached_property
    def pts(self) -> Sequence[int]:
        """Time stamps of all frames, as ``footage.timing`` reads them. Raises ``FootageError``."""
        return timing(self.source)

    def picture(self, frame: int) -> np.ndarray:
        """The footage's own picture of a frame: H x W x 3 RGB in its depth. Raises ``RecipeError``, ``FootageError``."""
        with closing(self._footage.frames(self._checked(frame), frame + 1, pts=self.pts)) as frames:
            return next(frames).picture

    def quick_mattes(self, frame: int, objects: Sequence[str]) -> dict[str, np.ndarray]:
        """Cut the mattes of objects that points, boxes and drawn mattes mark on ``frame`` from this picture alone, small:
        object -> float32 H x W in [0, 1]. A drawn matte alone is the matte. A second's work, for looking; ``mattes`` gives
        what a run begins with.

        ``objects``: prompts as a recipe writes them. Raises ``RecipeError``.
        """
        spec = self.spec
        scale = min(1.0, SMALL_SIDE / max(spec.width, spec.height))
        size = (max(1, round(spec.width * scale)), max(1, round(spec.height * scale)))
        with translated(errors=ValueError):
            marked = [parse_object(text) for text in objects if split_object(text).frame == frame]
            drawn = [p for p in marked if isinstance(p.prompt, Matte)]
            if drawn:
                check_prompts(drawn, (spec.width, spec.height), len(self.pts))
            prompts = [_scaled(p, size, spec) for p in marked if isinstance(p.prompt, Point | BoxPrompt | Matte)]
            others = {p.name for p in marked if not isinstance(p.prompt, Matte)}
            done = {p.name: p.prompt.values for p in drawn if p.name not in others and isinstance(p.prompt, Matte)}
            if all(p.name in done for p in prompts):
                return done
            small = _OnePicture(cv2.resize(to_uint8(self.picture(frame)), size, interpolation=cv2.INTER_AREA))
            with closing(iter(make_masker("flowcut", {}).follow(small, prompts))) as frames:  # type: ignore[type-var]
                cut = next(frames)
        whole = (spec.width, spec.height)
        found = {name: cv2.resize(matte, whole, interpolation=cv2.INTER_LINEAR) for name, matte in cut.mattes.items()}
        return found | done

    def mattes(self, frame: int, recipe: Recipe) -> dict[str, np.ndarray]:
        """Make the mattes of the recipe's objects that are marked on ``frame``, as a run begins with them: object -> float32
        H x W in [0, 1]. Objects that are marked elsewhere alone are left out.

        Raises ``RecipeError``, ``MissingExtraError``, ``MissingModelError``, ``FootageError``.
        """
        here = [text for text in recipe.objects if split_object(text).frame == frame]
        if not here:
            return {}
        with translated():
            masker = choose_masker(recipe.masker, recipe.masker_options)
        whole = (Shot(0, 0, len(self.pts)),)
        request = FollowRequest(here, whole, self.pts, len(self.pts), masker, offline=self._offline)
        for number, mattes in follow_on_prompted_frames(self._footage, request):
            if number == frame:
                return dict(mattes)
        return {}

    def paint(self, frame: int, recipe: Recipe, mattes: Mapping[str, np.ndarray] | None = None) -> np.ndarray:
        """Paint one frame as ``recipe`` says, as a keyframe that begins its shot: H x W x 3 RGB in the footage's depth.

        ``mattes``: of the recipe's objects in this frame; one that is left out is not seen in it. What a layer removes stays:
        that takes other frames. Raises what ``Job.run`` raises.
        """
        self._checked(frame)
        layers = tuple(layer for layer in recipe.layers if layer.mode != "remove")
        if not layers and recipe.layers:
            return self.picture(frame)
        own = recipe.model_copy(
            update={
                "range": None,
                "cuts": "none",
                "keyframes": (frame,),
                "layers": layers,
                "storyboard": {n: path for n, path in recipe.storyboard.items() if n == frame},
            }
        )
        require_files(own)
        inputs = Inputs()
        analysis = Analysis(
            frame, frame + 1, tuple(self.pts[: frame + 1]), {}, (Keyframe(frame, "pinned"),), (1.0,), (0.0,)
        )
        plan = make_plan(self.spec, own, analysis)
        source = None
        if own.objects:
            empty = np.zeros((self.spec.height, self.spec.width), np.float32)
            given = mattes or {}
            shown = {name: given.get(name, empty) for name in own.object_names}
            source = FrameMattes(shown, (self.spec.width, self.spec.height), frame)
        with scratch() as folder, JobStore(folder) as store:
            looks = self._painters.of(own, offline=self._offline)
            maps = None
            if own.controls:
                planned = PlannedFootage(self._footage, "preview", analysis.pts, plan.shots, plan.keyframes)
                maps = KeyframeMaps(own.controls, planned, store, inputs, offline=self._offline)
            assembly = Assembly(own, self._footage, analysis, plan, looks, source, maps, None, inputs)
            with closing(assembly.engine()) as engine:
                for _, frames in engine.render(plan.windows, MemoryPaintings(), Meter()):
                    for rendered in frames:
                        return rendered.result.picture
        raise RuntimeError(f"frame {frame} was not rendered")

    def control_map(self, frame: int, control: Control | str) -> ControlMap:
        """Find the control map of a frame, as that of a keyframe alone in its shot; ``control``: a kind, or as in a recipe.

        Raises ``RecipeError`` (no such kind, or one of two frames), ``MissingExtraError``, ``MissingModelError``.
        """
        wanted = Control(kind=control) if isinstance(control, str) else control
        pts = self.pts[: self._checked(frame) + 1]
        shot, key = Shot(0, frame, frame + 1), Keyframe(frame, "pinned")
        planned = PlannedFootage(self._footage, "preview", pts, (shot,), (key,))
        with scratch() as folder, JobStore(folder) as store:
            maps = KeyframeMaps((wanted,), planned, store, Inputs(), offline=self._offline)
            with closing(self._footage.frames(frame, frame + 1, pts=self.pts)) as frames:
                return maps.of(wanted.kind, next(frames))

    def styles(
        self,
        frame: int,
        names: Sequence[str] | None = None,
        *,
        strength: float | None = None,
        brush_size: float | None = None,
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Paint built-in styles on a frame, one after the other: (name, uint8 h x w x 3), as ``painted_styles`` does."""
        return painted_styles(to_uint8(self.picture(frame)), names=names, strength=strength, brush_size=brush_size)

    def close(self) -> None:
        """Let go of painters and footage."""
        self._painters.close()
        self._footage.close()

    def _checked(self, frame: int) -> int:
        if not 0 <= frame < len(self.pts):
            raise RecipeError(f"there is no frame {frame}; the frames are 0 to {len(self.pts) - 1}")
        return frame

    def __enter__(self) -> FramePreview:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _OnePicture:
    """A single picture (``controls.types.Pictures``)."""

    def __init__(self, picture: np.ndarray) -> None:
        self._picture = picture
        self.size = (picture.shape[1], picture.shape[0])

    def __len__(self) -> int:
        return 1

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """See ``Pictures.read``."""
        yield from [self._picture][start:stop]


def _scaled(prompted: Prompted, size: tuple[int, int], spec: FootageSpec) -> Prompted:
    """A point, a box or a drawn matte in a smaller picture, of which it is frame 0."""
    prompt, x, y = prompted.prompt, size[0] / spec.width, size[1] / spec.height

    def moved(value: float, factor: float) -> float:
        return (value + 0.5) * factor - 0.5  # (0, 0) is the centre of the first pixel

    if isinstance(prompt, Point):
        prompt = replace(prompt, x=moved(prompt.x, x), y=moved(prompt.y, y))
    elif isinstance(prompt, BoxPrompt):
        prompt = BoxPrompt(moved(prompt.left, x), moved(prompt.top, y), moved(prompt.right, x), moved(prompt.bottom, y))
    elif isinstance(prompt, Matte):
        prompt = Matte(cv2.resize(prompt.values, size, interpolation=cv2.INTER_AREA))
    return replace(prompted, frame=0, prompt=prompt)
