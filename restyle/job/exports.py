"""Works of a job beside its result: previews, anchors, sheets, mattes, control maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from restyle.errors import RecipeError, translated
from restyle.footage import timing
from restyle.job.anchors import write_anchors
from restyle.job.base import JobBase
from restyle.job.control_maps import MapOutput, make_detectors, map_tiles, write_control_maps
from restyle.job.following import FollowRequest
from restyle.job.inputs import Inputs
from restyle.job.masker_choice import choose_masker
from restyle.job.matte_clips import CLIPS, export_clips
from restyle.job.matte_sheet import LARGE_SIDE, look_tiles, marked_picture, matte_tiles, preview_tiles
from restyle.job.mattes import Form, export
from restyle.job.paintings import MemoryPaintings
from restyle.job.remote_store import open_store
from restyle.quality.contact_sheet import check_sheet, write_sheet
from restyle.types import Keyframe, Shot, Window

if TYPE_CHECKING:
    import numpy as np


__all__ = ["SHEET", "JobExports"]

SHEET = "sheet.jpg"
SHEET = "sheet.jpg"


class JobExports(JobBase):
    """Methods of ``Job`` that write something else than the restyled footage."""

    def preview(self, *, marked: bool = False) -> list[tuple[Keyframe, np.ndarray, np.ndarray]]:
        """Paint only the first keyframe of each shot: (keyframe, source, painting) for each. ``marked``: where there are
        objects, the source is uint8, with what layers touch tinted and the prompts for that frame drawn in."""
        previews: list[tuple[Keyframe, np.ndarray, np.ndarray]] = []
        with self._scratch_engine() as (plan, engine):
            self._meter.begin("render", len(plan.shots), shots=len(plan.shots))
            for window in plan.windows:
                if window.index == 0:
                    key = window.keys[0]
                    for _, frames in engine.render([_single_window(key, window.shot)], MemoryPaintings(), self._meter):
                        for frame in frames:
                            source = frame.source.picture
                            if marked and self.recipe.objects:
                                source = marked_picture(source, key.frame, frame.edited_region, self.recipe.objects)
                            previews.append((key, source, frame.result.picture))
                    self._meter.step(f"painted frame {key.frame}", shot=window.shot)
        return previews

    def paint_anchor(self, folder: str | Path) -> None:
        """Paint one keyframe, in the middle of the longest shot, and write it into a new ``folder`` as an anchor, whose look
        other footage can take over (``Recipe.anchor``). The analysis goes into the job folder, where a run finds it.

        Raises ``RecipeError`` if nothing is painted, and what ``run`` raises.
        """
        if self.folder is None:
            raise RecipeError("a job folder is needed")
        inputs = Inputs(self._meter.report)
        with ExitStack() as stack:
            target = stack.enter_context(self._new_folder(folder, "batch", True))
            looks = stack.enter_context(self._looks())
            store = stack.enter_context(
                open_store(self.folder, unchanged=inputs.check, offline=self.offline, report=self._meter.report)
            )
            footage = stack.enter_context(self._open())
            if not looks:
                raise RecipeError("the recipe paints nothing, so there is no look to share")
            assembly = self._assembly(footage, store, self._findings(footage, store, inputs), looks, inputs)
            shot = max(assembly.plan.shots, key=lambda shot: shot.stop - shot.start)
            keys = [key for key in assembly.plan.keyframes if shot.start <= key.frame < shot.stop]
            window = _single_window(keys[len(keys) // 2], shot.index)
            self._meter.begin("render", 1)
            paintings = MemoryPaintings()
            with closing(assembly.engine()) as engine:
                for _, frames in engine.render([window], paintings, self._meter):
                    for frame in frames:
                        picture = frame.source.picture
            inputs.check()
            write_anchors(target, *assembly.anchor(window, picture, paintings))

    def look(self, frames: Sequence[int], sheet: str | Path, *, overwrite: bool = False) -> None:
        """Show ``frames`` under a grid with coordinates, with the recipe's prompts for them, on a sheet (.png or .jpg).

        Raises ``RecipeError`` (no such frame), ``OutputExistsError``, ``OutputError``, ``FootageError``.
        """
        check_sheet(Path(sheet), overwrite=overwrite, inputs=self.inputs)
        with self._open() as footage:
            tiles = look_tiles(footage, self.recipe.objects, frames)
        write_sheet(Path(sheet), tiles, overwrite=overwrite, long_side=LARGE_SIDE)

    def preview_mattes(self, folder: str | Path, *, overwrite: bool = False) -> list[int]:
        """Make the mattes of the frames on which objects are marked, and write only a sheet of them, ``sheet.jpg``; nothing is
        followed, and cuts are not looked for. Gives the frames. Raises as ``mattes``."""
        self._require_objects()
        with self._new_folder(folder, "matte", overwrite) as target, self._open() as footage:
            with translated():
                masker = choose_masker(self.recipe.masker, self.recipe.masker_options)
            pts = timing(self.source)
            whole = (Shot(0, 0, len(pts)),)
            request = FollowRequest(self.recipe.objects, whole, pts, len(pts), masker, offline=self.offline)
            tiles = preview_tiles(footage, request, self._meter)
            write_sheet(target / SHEET, list(tiles.values()), overwrite=True, long_side=LARGE_SIDE)
        return list(tiles)

    def _require_objects(self) -> None:
        if not self.recipe.objects:
            raise RecipeError("no object is marked: mark one, such as --object car=box:120,80,400,300@0")

    def mattes(
        self, folder: str | Path, *, form: Form = "png", sheet: bool = False, overwrite: bool = False
    ) -> list[str]:
        """Follow the recipe's objects and write their mattes alone; paints nothing. ``form``: pictures, one folder of them for
        each object (``png`` of 8 bits, ``png16``, ``exr``), or a clip for each (``mov``,
        ``webm``): the footage with the matte as its alpha. ``sheet``: also ``sheet.jpg``, of prompted and doubtful frames and
        some between. Gives notes for a person.

        Raises ``RecipeError`` (no objects, a prompt that cannot be followed), ``OutputExistsError``, ``OutputError``.
        """
        if form not in get_args(Form):
            raise RecipeError(f"mattes are written as {', '.join(get_args(Form))}; got {form!r}")
        self._require_objects()
        with self._new_folder(folder, "matte", overwrite) as target, self._scratch_job() as (footage, store, inputs):
            findings = self._findings(footage, store, inputs)
            analysis = findings.analysis()
            shots = self._plan([], analysis).shots
            mattes = findings.mattes(analysis, shots)
            if mattes is None:
                raise RuntimeError("objects were marked, but no mattes were made")
            span = range(analysis.start, analysis.stop)
            if form in CLIPS:
                export_clips(mattes, footage, analysis.pts, span, target, form)
            else:
                export(mattes, span, target, form)
            if sheet:
                tiles = matte_tiles(footage, mattes, self.recipe.objects, span, analysis.pts)
                write_sheet(target / SHEET, tiles, overwrite=True)
            inputs.check()
            self.doubts = tuple(mattes.doubts)
            return [*self.spec.notes, *mattes.notes(len(shots))]

    def control_maps(
        self,
        folder: str | Path,
        kinds: Sequence[str],
        *,
        stabilise: bool = True,
        bits: int = 8,
        video: bool = False,
        options: Mapping[str, Any] | None = None,
        sheet: bool = False,
        overwrite: bool = False,
    ) -> list[Path]:
        """Make control maps of every frame and write them, one folder of pictures a kind; with ``sheet`` also ``sheet.jpg``, on
        which some frames stand beside their maps. Paints nothing.

        See ``control_maps.write_control_maps`` and ``make_detectors``, which tell what is taken and raised. What can be refused
        is refused before the footage is looked at.
        """
        with self._new_folder(folder, "controls", overwrite) as target:
            detectors = make_detectors(kinds, options, offline=self.offline)
            with self._scratch_job() as (footage, store, inputs):
                analysis = self._findings(footage, store, inputs).analysis()
                shots = self._plan([], analysis).shots
                output = MapOutput(folder=target, stabilise=stabilise, bits=bits, video=video)
                names = write_control_maps(footage, shots, detectors, output, pts=analysis.pts, meter=self._meter)
                if sheet:
                    span = range(analysis.start, analysis.stop)
                    write_sheet(target / SHEET, map_tiles(footage, target, kinds, span, analysis.pts), overwrite=True)
                inputs.check()
        return [Path(folder, name) for name in names]


def _single_window(key: Keyframe, shot: int) -> Window:
    """Make a window of one keyframe, to be painted by itself."""
    return Window(shot, 0, key.frame, key.frame + 1, (key,))
