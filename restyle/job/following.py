"""Objects followed through every shot in which they are marked, and their mattes written into the job folder."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from controls.masks.binding import bound
from controls.masks.doubts import Watch
from controls.masks.files import labelled, load_matte
from controls.masks.grounding import TextGrounder, ground_prompts
from controls.masks.person_box import outlined_people
from controls.prompts import check_prompts, parse_object, split_label, split_object
from controls.types import Masked, Masker, MatteClip, MatteFolder, Point, Prompted, Text, WholeShot
from interp.pixels.boxes import Box, bounding_box, cropped
from restyle.errors import RecipeError, translated
from restyle.footage import Footage, ShotPictures
from restyle.job.masker_choice import GROUNDING_OPTIONS, MaskerChoice, masker_for, traits_of
from restyle.job.matte_clip_masker import MatteClipMasker
from restyle.job.mattes import write_matte
from restyle.progress import Meter
from restyle.registry import make_masker, options_of
from restyle.render.contracts import checked_mattes
from restyle.render.stream import prefetch
from restyle.types import Shot
from restyle.weights.parts import local_grounding_options

__all__ = ["FollowRequest", "any_marked", "follow_objects", "follow_on_prompted_frames"]

NEARBY = 13
"""Frames that are looked at for the mattes of one: what moves with the object shows in those that come after it."""
FAINT = 0.1
"""A matte that is nowhere stronger is hardly meant so."""


@dataclass(frozen=True)
class FollowRequest:
    """Objects, and how they are followed."""

    objects: Sequence[str]
    """Prompts as a recipe writes them; ``NAME=mattes:FOLDER`` (or a clip) takes mattes that are there already."""
    shots: Sequence[Shot]
    pts: Sequence[int]
    """Of the whole footage."""
    frames: int
    """Of the whole footage."""
    masker: MaskerChoice
    offline: bool = False
    """Nothing may be fetched."""


def follow_objects(footage: Footage, request: FollowRequest, folder: Path, meter: Meter) -> None:
    """Follow every object through the shots in which it is marked, and write its mattes into ``folder``:
    ``NAME/NUMBER.png`` (16 bit, of the box in which there is something of it), and ``facts.json``, which has the boxes.

    Raises ``RecipeError`` (a prompt that cannot be followed), ``MissingExtraError``, ``MissingModelError``, ``Cancelled``.
    """
    following = _Following(footage, request)
    findings = _Findings(list(dict.fromkeys(prompted.name for prompted in following.prompts)))
    for name in findings.names:
        (folder / name).mkdir()
    counted: set[int] = set()
    meter.begin("mattes", sum(len(shot) for shot in request.shots))
    for shot in request.shots:
        with closing(prefetch(following.through(shot), depth=2)) as frames:
            for masked in frames:
                findings.add(shot, masked, folder)
                number = shot.start + masked.frame
                if number not in counted:  # one masker after the other goes through a shot
                    counted.add(number)
                    meter.step("following objects", shot=shot.index)
    facts = findings.facts()
    marked = any_marked(request.objects)
    facts["size"] = [footage.spec.width, footage.spec.height]
    facts["why"] = request.masker.note if marked else None
    facts["doubts"] = [list(doubt) for doubt in following.doubts]
    facts["notes"] = [*findings.notes, *following.notes, *_label_notes(request.objects), *findings.faint()]
    (folder / "facts.json").write_text(json.dumps(facts))


def follow_on_prompted_frames(
    footage: Footage, request: FollowRequest
) -> Iterator[tuple[int, Mapping[str, np.ndarray]]]:
    """Yield each frame on which objects are marked, with their mattes there (float32 H x W): what a few frames from it on say,
    and nothing is followed. Places that only correct what would be followed to their frame make no matte; for all people, and
    for mattes that are there already, the first frame is taken.

    ``request.shots``: one, of all frames. Raises as ``follow_objects``.
    """
    following = _Following(footage, request)
    (whole,) = request.shots
    marked = {whole.start if isinstance(p.prompt, WholeShot) else p.frame for p in following.prompts}
    for frame in sorted(marked):
        part = Shot(0, frame, min(frame + NEARBY, whole.stop))
        mattes: dict[str, np.ndarray] = {}
        with closing(following.through(part, only_first=True)) as frames:
            for masked in frames:
                if masked.frame == 0:
                    mattes |= masked.mattes
                    if len(mattes) == len(following.names_at(part)):
                        break
        yield frame, mattes


def any_marked(objects: Sequence[str]) -> bool:
    """Tell whether any of the objects is marked on some frame, so that the chosen masker follows it."""
    return any(not isinstance(prompted.prompt, WholeShot) for prompted in _parsed(objects))


class _Following:
    """The maskers that follow a footage's objects, each made when it is first needed."""

    def __init__(self, footage: Footage, request: FollowRequest) -> None:
        self._footage, self._request = footage, request
        self.prompts = _parsed(request.objects)
        self.doubts: list[tuple[str, int, str]] = []
        """Object, frame of the footage, kind (``controls.masks.doubts``), of the shots that were followed so far."""
        self.notes: dict[str, None] = {}
        """Notes for a person, in their order."""
        self._maskers: dict[str, Masker] = {}
        self._grounder: TextGrounder | None = None
        for prompted in self.prompts:
            inside = any(shot.start <= prompted.frame < shot.stop for shot in request.shots)
            if not inside and not isinstance(prompted.prompt, WholeShot):
                span = f"{request.shots[0].start} to {request.shots[-1].stop - 1}"
                raise RecipeError(
                    f"object {prompted.name!r} is marked in frame {prompted.frame}; the frames are {span}"
                )

    def names_at(self, shot: Shot) -> set[str]:
        """Objects that ``through`` gives mattes of, with ``only_first``."""
        return {p.name for prompts in self._by_masker(shot, only_first=True).values() for p in prompts}

    def through(self, shot: Shot, *, only_first: bool = False) -> Generator[Masked, None, None]:
        """Yield every frame's mattes in one shot, one masker after the other. ``only_first``: from the prompts on its first
        frame alone."""
        pictures = ShotPictures(self._footage, shot.start, shot.stop, self._request.pts)
        where = f" (shot {shot.index}, from frame {shot.start})" if shot.start else ""
        with translated(where, errors=ValueError):
            for name, prompts in self._by_masker(shot, only_first=only_first).items():
                if name == self._request.masker.name:
                    check_prompts(prompts, pictures.size, len(pictures))
                    if Text not in traits_of(name).prompts:
                        prompts = ground_prompts(prompts, pictures, self._make_grounder)
                frames = self._masker(name).follow(pictures, self._outlined(name, prompts, pictures, shot))
                objects = {prompted.name for prompted in prompts}
                checked = checked_mattes(name, frames, objects, pictures.size, len(pictures))
                obedient = bound(checked, pictures, prompts)
                if any(isinstance(prompted.prompt, MatteClip | MatteFolder) for prompted in prompts):
                    yield from obedient  # what was handed in is meant
                    continue
                watch = Watch()
                yield from watch.over(obedient, pictures)
                self.doubts += [(each, shot.start + doubt.frame, doubt.kind) for each, doubt in watch.doubts()]

    def _outlined(
        self, masker: str, prompts: Sequence[Prompted], pictures: ShotPictures, shot: Shot
    ) -> Sequence[Prompted]:
        """The prompts as the masker is given them: a person's outline in place of a box that holds one, where it serves."""
        if masker != self._request.masker.name or not traits_of(masker).outlines_people:
            return prompts
        outlined, people = outlined_people(pictures, prompts)
        self.notes |= dict.fromkeys(
            f"object {name!r}: its box holds a person; MediaPipe drew the first matte (frame {shot.start + frame})"
            for name, frame in people.items()
        )
        return outlined

    def _by_masker(self, shot: Shot, *, only_first: bool = False) -> dict[str, list[Prompted]]:
        """Masker -> the prompts that it follows in a shot, by their frames within it; first what is there already."""
        corrected = {prompted.name for prompted in self.prompts if _corrects(self.prompts, prompted.name, shot.start)}
        groups: dict[str, list[Prompted]] = {}
        for prompted in sorted(self.prompts, key=_order):
            prompt = prompted.prompt
            if isinstance(prompt, MatteClip | MatteFolder):
                prompted = replace(prompted, prompt=replace(prompt, first=shot.start, count=self._request.frames))
            elif not isinstance(prompt, WholeShot):
                if not shot.start <= prompted.frame < shot.stop:
                    continue
                if only_first and (prompted.frame != shot.start or prompted.name in corrected):
                    continue
                prompted = replace(prompted, frame=prompted.frame - shot.start)
            # clips are footage, which only the engine opens
            clip = isinstance(prompt, MatteClip)
            name = MatteClipMasker.name if clip else masker_for(prompt, self._request.masker.name)
            groups.setdefault(name, []).append(prompted)
        return groups

    def _masker(self, name: str) -> Masker:
        if name not in self._maskers:
            self._maskers[name] = MatteClipMasker() if name == MatteClipMasker.name else self._make(name)
        return self._maskers[name]

    def _make(self, name: str) -> Masker:
        options: dict[str, Any] = {}
        if name == self._request.masker.name:
            options |= self._request.masker.options
        if self._request.offline and "offline" in options_of("masker", name):
            options["offline"] = True
        return make_masker(name, options)

    def _make_grounder(self) -> TextGrounder:
        if self._grounder is None:
            options = {GROUNDING_OPTIONS[name]: value for name, value in self._request.masker.grounding.items()}
            local = local_grounding_options({**options, "offline": self._request.offline})
            self._grounder = TextGrounder(**local)
        return self._grounder


@dataclass
class _Findings:
    """Facts about the objects that become known while they are followed."""

    names: list[str]
    notes: dict[str, None] = field(default_factory=dict)
    _lost: dict[str, list[int]] = field(default_factory=dict)
    _shots: dict[str, set[int]] = field(default_factory=dict)
    _boxes: dict[str, dict[int, Box]] = field(default_factory=dict)
    _strongest: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.names:
            self._lost[name], self._shots[name], self._boxes[name], self._strongest[name] = [], set(), {}, 0.0

    def add(self, shot: Shot, masked: Masked, folder: Path) -> None:
        """Note one frame's mattes, and write what there is of them."""
        number = shot.start + masked.frame
        self.notes |= dict.fromkeys(masked.notes)
        for name, matte in masked.mattes.items():
            self._shots[name].add(shot.index)
            self._strongest[name] = max(self._strongest[name], float(matte.max()))
            if (box := bounding_box(matte)) is not None:
                self._boxes[name][number] = box
                write_matte(folder / name / f"{number:08d}.png", cropped(matte, box))
        for name in masked.lost:
            self._lost[name].append(number)

    def facts(self) -> dict[str, Any]:
        """Return plain values, for ``Mattes``."""
        return {
            "names": self.names,
            "lost": {name: sorted(numbers) for name, numbers in self._lost.items()},
            "boxes": self._boxes,
            "shots": {name: sorted(shots) for name, shots in self._shots.items()},
        }

    def faint(self) -> Iterator[str]:
        """A line for each object whose mattes are faint."""
        for name, level in self._strongest.items():
            if 0 < level < FAINT:
                share = f"{100 * level:.2g} %"
                yield f"object {name!r}: its mattes never rise above {share}, so that it will hardly be changed"


def _parsed(objects: Sequence[str]) -> list[Prompted]:
    """Parse the objects' prompts.

    Raises ``RecipeError`` for one that cannot be read, and for an object that has mattes already, or is all people, and is
    marked as well.
    """
    try:
        prompts = [parse_object(text) for text in objects]
    except ValueError as error:
        raise RecipeError(str(error)) from None
    for whole in (prompted for prompted in prompts if isinstance(prompted.prompt, WholeShot)):
        if sum(prompted.name == whole.name for prompted in prompts) > 1:
            raise RecipeError(f"object {whole.name!r} has mattes and prompts; give it one or the other")
    return prompts


def _corrects(prompts: Sequence[Prompted], name: str, frame: int) -> bool:
    """Return True if what an object has on ``frame`` only corrects what is followed there: points, and it begins elsewhere."""
    own = [prompted for prompted in prompts if prompted.name == name and not isinstance(prompted.prompt, WholeShot)]
    here = [prompted.prompt for prompted in own if prompted.frame == frame]
    if any(not isinstance(prompt, Point) for prompt in here):
        return False
    begins = any(not isinstance(p.prompt, Point) for p in own if p.frame != frame) or any(
        isinstance(p.prompt, Point) and p.prompt.positive for p in own if p.frame < frame
    )
    return begins or not any(prompt.positive for prompt in here if isinstance(prompt, Point))


def _order(prompted: Prompted) -> int:
    """Mattes in folders come before those in clips, people, and what is marked on some frame."""
    kinds = [type(prompted.prompt) is kind for kind in WholeShot.__args__]
    return kinds.index(True) if any(kinds) else len(kinds)


def _label_notes(objects: Sequence[str]) -> Iterator[str]:
    """A line for each drawn matte that was taken for labels."""
    for mark in map(split_object, objects):
        if mark.kind != "matte":
            continue
        path, label = split_label(mark.value)
        picture = load_matte(path)
        if label is None and labelled(picture):
            labels = sorted(picture.labels())
            shown = ", ".join(map(str, labels[:8]))
            choose = f": {path.name}#{labels[-1]} takes one alone" if len(labels) > 1 else ""
            yield f"object {mark.name!r}: the matte {str(path)!r} holds labels (0, {shown}), not levels of grey{choose}"
