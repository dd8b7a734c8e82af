"""A clip that is open on the page: its project, and what is made to look at it."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from controls.masks.files import read_matte
from controls.prompts import split_label, split_object
from interp.pixels.depth import to_uint8
from restyle.errors import JobError, OutputError, RecipeError, show_path, why
from restyle.footage import write_picture
from restyle.job.mattes import Mattes
from restyle.quality.pictures import jpeg_of
from restyle.quality.stored_report import StoredMoment, StoredReport, read_report
from restyle.recipe import Control, Recipe
from restyle.studio.bench import Bench
from restyle.studio.brush import brushed, save_matte, with_matte
from restyle.studio.frames import VIEW_SIDE, FrameServer, Jpegs
from restyle.studio.pictures import tinted_png
from restyle.studio.project import Project
from restyle.studio.versions import Versions
from restyle.studio.work import Work

if TYPE_CHECKING:
    from restyle import FramePreview
    from restyle.studio.folder_batch import FolderBatch

__all__ = ["OpenClip"]

MATTES_KEPT = 6  # frames
PAINTINGS_KNOWN = 200


class OpenClip:
    """A clip that is open. Raises ``FootageError`` if it cannot be read, and what ``Project`` raises."""

    def __init__(
        self, source: Path, *, rate: Fraction | None = None, offline: bool = False, batch: FolderBatch | None = None
    ) -> None:
        self.name = secrets.token_hex(8)
        """Its name in the addresses of its pictures."""
        self.batch = batch
        """The batch of the folder that it was opened from."""
        self.project = Project(source, rate=rate, results=None if batch is None else batch.clip_folder(source))
        self.frames = FrameServer(source, rate=rate)
        self.work = Work(self.project.folder)
        self.look_again = False
        """True if the clip is to be looked at once more, for something changed while it was."""
        self.versions = Versions(self.project)
        self.comparison = Work(self.project.folder / "comparison")
        self.queue = (self.project.folder if batch is None else batch.own) / "queue"
        """Where renders of this studio wait for each other."""
        self.offline = offline
        self.pages = 0
        """Number of pages that show it."""
        self.bench = Bench()
        self.made = Jpegs(24 << 20)
        """Paintings and tiles, by their names."""
        self.mattes_version = 0
        """Counts the changes of mattes."""
        self._painted: dict[int, tuple[str, str]] = {}
        self._moments: tuple[int, StoredReport | None] | None = None
        self._preview: FramePreview | None = None
        self._mattes: OrderedDict[tuple[int, tuple[str, ...]], dict[str, np.ndarray]] = OrderedDict()
        self._followed: tuple[Path, Mattes] | None = None

    @property
    def preview(self) -> FramePreview:
        """The preview of single frames; for the bench's thread alone."""
        if self._preview is None:
            from restyle import FramePreview  # all that a job needs: not before something is painted

            self._preview = FramePreview(self.project.source, rate=self.project.rate, offline=self.offline)
        return self._preview

    def queued(self, version: str) -> dict[str, str]:
        """Part of a render's order that concerns the queue. ``version``: its number, or empty."""
        title = self.project.source.name + (f" · version {version}" if version else "")
        return {"queue": str(self.queue), "title": title}

    # Paintings

    async def paint(self, frame: int, recipe: Recipe) -> str:
        """Paint a frame; gives the picture's name in ``made``. Raises ``Superseded``, and as ``FramePreview.paint``."""
        key = self._key(recipe)
        name = f"painting-{frame}-{key}"
        if self.made.get((name,)) is None:

            def work() -> bytes:
                mattes = self.mattes_at(frame, recipe) if recipe.objects else None
                return jpeg_of(self.preview.paint(frame, recipe, mattes), long_side=VIEW_SIDE, quality=90)

            self.made.put((name,), await self.bench.run("paint", work))
            self._painted[frame] = key, name
            while len(self._painted) > PAINTINGS_KNOWN:
                del self._painted[next(iter(self._painted))]
        return name

    async def paint_whole(self, frame: int, recipe: Recipe, path: Path) -> None:
        """Paint a frame in the footage's own depth, and write it as PNG. Raises as ``paint``, and ``OutputError``."""

        def work() -> None:
            mattes = self.mattes_at(frame, recipe) if recipe.objects else None
            write_picture(path, self.preview.paint(frame, recipe, mattes))

        await self.bench.run(f"whole-{frame}", work)

    def paintings(self, recipe: Recipe) -> dict[int, str]:
        """Frames that are painted as the recipe says -> the pictures' names in ``made``."""
        key = self._key(recipe)
        return {frame: name for frame, (k, name) in self._painted.items() if k == key and self.made.get((name,))}

    # Control maps

    def map_names(self, frame: int, recipe: Recipe) -> dict[str, str]:
        """Kind of control map -> the name in ``made`` of the frame's picture of it, made or not."""
        return {
            control.kind: f"map-{control.kind}-{frame}-{_digest(control.model_dump_json(include={'source', 'options'}))}"
            for control in recipe.controls
        }

    async def control_maps(self, frame: int, recipe: Recipe) -> None:
        """Make the frame's control maps, one after the other. Raises ``Superseded``, and as ``FramePreview.control_map``."""
        names = self.map_names(frame, recipe)
        for control in recipe.controls:
            if self.made.get((names[control.kind],)) is None:

                def work(control: Control = control) -> bytes:
                    return jpeg_of(self.preview.control_map(frame, control).picture, long_side=640, quality=90)

                self.made.put((names[control.kind],), await self.bench.run("maps", work))

    def _key(self, recipe: Recipe) -> str:
        return _digest(f"{self.mattes_version} {recipe.to_text()}")

    # Mattes

    async def cut(self, frame: int, recipe: Recipe, *, exact: bool = False) -> bool:
        """Make this frame's mattes: quickly, or as a run begins with them. Tells whether there are any."""
        here = _marked(frame, recipe)
        if not here:
            return False

        def work() -> dict[str, np.ndarray]:
            return self.preview.mattes(frame, recipe) if exact else self.preview.quick_mattes(frame, here)

        self._keep(frame, here, await self.bench.run("cut", work))
        return True

    async def brush(
        self, frame: int, name: str, recipe: Recipe, stroke: Sequence[float], *, away: bool
    ) -> tuple[str, ...]:
        """Paint a stroke (as ``brushed`` takes it) on what is known of an object's matte in a frame, or take it away there;
        gives the recipe's prompts with the painted matte in place of what marked the object on that frame.

        Raises ``RecipeError`` where its mattes are not known, or nothing would be left, and ``OutputError``.
        """
        marks = [split_object(text) for text in recipe.objects]
        if any(mark.name == name and mark.kind in ("mattes", "people") for mark in marks):
            raise RecipeError(f"{name} has mattes of every frame: paint those, or a new object")
        known = self.mattes_at(frame, recipe)
        if name not in known and any((mark.name, mark.frame) == (name, frame) for mark in marks):
            if any((mark.name, mark.frame, mark.kind) == (name, frame, "text") for mark in marks):
                raise RecipeError("where the words are is not known yet: cut more exactly first")
            await self.cut(frame, recipe)
            known = self.mattes_at(frame, recipe)
        spec, folder = self.frames.spec, self.project.make_folder(self.project.drawn_mattes)

        def work() -> tuple[str, ...]:
            matte = known.get(name, np.zeros((spec.height, spec.width), np.float32))
            matte = brushed(matte, stroke, away=away)
            if not (matte >= 0.5).any():
                raise RecipeError(f"nothing is left of {name} on this frame: take its marks away instead")
            try:
                path = save_matte(folder, name, frame, matte)
            except OSError as error:
                raise OutputError(f"cannot write into {show_path(folder)}: {why(error)}") from error
            objects = with_matte(recipe.objects, name, frame, path)
            cut = self._mattes.get((frame, _marked(frame, recipe)), {})
            here = tuple(text for text in objects if split_object(text).frame == frame)
            self._keep(frame, here, {**{other: _unit(values) for other, values in cut.items()}, name: matte})
            return objects

        return await asyncio.to_thread(work)

    def _keep(self, frame: int, prompts: tuple[str, ...], mattes: dict[str, np.ndarray]) -> None:
        self._mattes[frame, prompts] = {name: to_uint8(matte[..., None])[..., 0] for name, matte in mattes.items()}
        self.mattes_version += 1
        while len(self._mattes) > MATTES_KEPT:
            self._mattes.popitem(last=False)

    def mattes_at(self, frame: int, recipe: Recipe) -> dict[str, np.ndarray]:
        """Mattes of the frame as far as they are known: those that were cut or drawn there, else those that were followed."""
        marked = _marked(frame, recipe)
        cut = self._mattes.get((frame, marked), {})
        found = {name: _unit(values) for name, values in cut.items()}
        for name, file in _drawn(marked).items():
            if name not in found:
                try:
                    found[name] = read_matte(*split_label(file))
                except ValueError:  # the file is gone: a run will say so
                    continue
        followed = self.followed
        for name in followed.names if followed is not None else ():
            if name not in found and name in recipe.object_names and followed is not None:
                try:
                    found[name] = followed.of(name, frame)
                except JobError:  # the job folder is being worked in
                    continue
        return found

    @property
    def followed(self) -> Mattes | None:
        """The mattes that the job followed last."""
        folder = self.project.mattes_folder()
        if folder is None:
            return None
        if self._followed is None or self._followed[0] != folder:
            try:
                self._followed = folder, Mattes(folder)
            except (OSError, ValueError, KeyError, TypeError):
                return None
        return self._followed[1]

    def overlay(self, frame: int) -> bytes:
        """The frame's mattes, each in its object's colour, as PNG with alpha."""
        recipe = self.project.recipe
        return tinted_png(
            self.mattes_at(frame, recipe), recipe.object_names, (self.frames.spec.width, self.frames.spec.height)
        )

    @property
    def doubts(self) -> Mapping[int, str]:
        """Frames whose mattes should be looked at -> why."""
        followed = self.followed
        return {} if followed is None else {doubt.frame: f"{doubt.object}: {doubt.kind}" for doubt in followed.doubts}

    # The result

    @property
    def results(self) -> FrameServer | None:
        """Frames of the result; ``None``: there is none yet."""
        served = self.versions.served()
        return None if served is None else served.frames

    @property
    def result_stamp(self) -> int:
        """Changes with the result; 0: there is none."""
        served = self.versions.served()
        return 0 if served is None else served.stamp

    @property
    def report(self) -> StoredReport | None:
        """The report of the job's last run; ``None``: there is none."""
        path = self.project.job / "report.json"
        try:
            stamp = path.stat().st_mtime_ns if self.project.result is not None else 0
        except OSError:
            stamp = 0
        if self._moments is None or self._moments[0] != stamp:
            try:
                self._moments = stamp, read_report(self.project.job) if stamp else None
            except JobError:
                self._moments = stamp, None
        return self._moments[1]

    @property
    def moments(self) -> Sequence[StoredMoment]:
        """The result's worst moments, the worst first."""
        return () if self.report is None else self.report.moments

    def moment_picture(self, number: int, side: str) -> bytes | None:
        """A picture of a worst moment, the first being 0: ``source``, ``result`` or ``painting``."""
        if not 0 <= number < len(self.moments) or side not in ("source", "result", "painting"):
            return None
        path = getattr(self.moments[number], side)
        return None if path is None else Path(path).read_bytes()

    def close(self) -> None:
        """Let go of models and threads, when what goes on is done."""
        self.bench.close(self._let_go)

    def _let_go(self) -> None:
        if self._preview is not None:
            self._preview.close()


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _unit(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32) / np.float32(255)


def _drawn(prompts: Sequence[str]) -> dict[str, str]:
    """Objects that are marked by a drawn matte alone -> its file."""
    marks = [split_object(text) for text in prompts]
    others = {mark.name for mark in marks if mark.kind != "matte"}
    return {mark.name: mark.value for mark in marks if mark.kind == "matte" and mark.name not in others}


def _marked(frame: int, recipe: Recipe) -> tuple[str, ...]:
    return tuple(text for text in recipe.objects if split_object(text).frame == frame)
