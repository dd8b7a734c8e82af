"""Objects' mattes: followed through every shot in which they are marked, and kept in the job folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from copy import copy
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from controls.errors import ControlError
from controls.masks.grounding import WordFinder
from interp.errors import InterpError
from interp.pixels.boxes import Box, bounding_box, union
from restyle.errors import RecipeError, translated
from restyle.job.matte_clips import read_clips
from restyle.job.store import damaged
from restyle.progress import Meter
from restyle.registry import make_masker
from restyle.render.contracts import checked_mattes
from restyle.render.stream import prefetch
from restyle.types import Shot
from restyle.weights.parts import local_grounding_options

if TYPE_CHECKING:
    from controls.masks.given import GivenMasker
    from controls.types import Prompted
    from restyle.footage import Footage

__all__ = ["TEXT_OPTIONS", "Mattes", "export", "follow_objects", "matte_files"]

TEXT_OPTIONS = ("text_model", "text_score")
"""Of ``masker_options``: those of what finds objects by their names, whatever the masker."""


FAINT = 0.1
"""A matte that is nowhere stronger is hardly meant so."""


def matte_files(objects: Sequence[str]) -> list[Path]:
    """Every file that the prompts name: drawn mattes, clips of mattes, and the pictures in folders of them."""
    from controls.masks.files import split_label
    from controls.prompts import split_object

    files: list[Path] = []
    for text in objects:
        mark = split_object(text)
        if mark.kind == "matte":
            files.append(split_label(mark.what)[0])
        elif mark.kind == "mattes":
            clip = split_label(mark.what)[0]
            files += [clip] if clip.is_file() else sorted(path for path in clip.glob("*") if path.is_file())
    return files


def follow_objects(
    footage: Footage,
    objects: Sequence[str],
    shots: Sequence[Shot],
    *,
    pts: Sequence[int],
    frames: int,
    masker: str,
    options: Mapping[str, Any],
    place: Path,
    meter: Meter,
    finder: Mapping[str, Any] | None = None,
    why: str | None = None,
) -> None:
    """Follow every object through the shots in which it is marked, and write its mattes into ``place``:
    ``NAME/NUMBER.png`` (16 bit, of the box in which there is something of it), and ``facts.json``, which has the boxes.

    ``objects``: prompts as a recipe writes them; ``NAME=mattes:FOLDER`` (or a clip) takes mattes that are there already.
    ``frames``: of the whole footage. ``options``: the masker's; ``finder``: of what finds objects by their names
    (``controls.masks.grounding``). ``why`` it is not a better one, for the notes.

    Raises ``RecipeError`` (a prompt that cannot be followed), ``MissingExtraError``, ``MissingModelError``, ``Cancelled``.
    """
    given, people, prompts = _parse(objects)
    spec = footage.spec
    names = list(dict.fromkeys(text.partition("=")[0].strip() for text in objects))
    for name in names:
        (place / name).mkdir()
    outside = [one for one in prompts if not any(shot.start <= one.frame < shot.stop for shot in shots)]
    if outside:
        span = f"{shots[0].start} to {shots[-1].stop - 1}"
        raise RecipeError(f"object {outside[0].name!r} is marked in frame {outside[0].frame}; the frames are {span}")
    lost: dict[str, list[int]] = {name: [] for name in names}
    seen: dict[str, list[int]] = {name: [] for name in names}
    boxes: dict[str, dict[int, Box]] = {name: {} for name in names}
    strongest: dict[str, float] = dict.fromkeys(names, 0.0)
    counted: set[int] = set()
    folders = {name: path for name, path in given.items() if not path.is_file()}
    clips = {name: path for name, path in given.items() if path.is_file()}
    there = _given(folders, frames)
    meter.begin("mattes", sum(len(shot) for shot in shots))
    for shot in shots:
        marks = [one for one in prompts if shot.start <= one.frame < shot.stop]
        through = _through(
            footage,
            shot,
            marks,
            None if there is None else there.beginning(shot.start),
            clips,
            people,
            pts=pts,
            frames=frames,
            masker=masker,
            options=options,
            finder=finder or {},
        )
        with closing(prefetch(through, depth=2)) as following:
            for found in following:
                number = shot.start + found.frame
                for name, matte in found.mattes.items():
                    seen[name].append(shot.index)
                    strongest[name] = max(strongest[name], float(matte.max()))
                    if (box := bounding_box(matte)) is not None:
                        left, top, right, bottom = boxes[name][number] = box
                        _write(place / name / f"{number:08d}.png", matte[top:bottom, left:right])
                for name in found.lost:
                    lost[name].append(number)
                if number not in counted:  # mattes that were given and those that are followed come one after the other
                    counted.add(number)
                    meter.step("following objects", shot=shot.index)
    facts = {
        "names": names,
        "size": [spec.width, spec.height],
        "lost": {name: sorted(numbers) for name, numbers in lost.items()},
        "boxes": boxes,
        "why": None if why is None or not prompts else f"objects were followed by {masker}, for {why}",
        "shots": {name: sorted(set(where)) for name, where in seen.items()},
        "notes": [
            *(there.notes if there is not None else ()),
            *_drawn_notes(objects),
            *(
                f"object {name!r}: its mattes never rise above {100 * level:.2g} %, so that it will hardly be changed"
                for name, level in strongest.items()
                if 0 < level < FAINT
            ),
        ],
    }
    (place / "facts.json").write_text(json.dumps(facts))


class Mattes:
    """What ``follow_objects`` wrote into ``folder`` (``layers.MatteSource``).

    Its methods raise ``JobError`` if a matte is damaged meanwhile.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        facts = json.loads((folder / "facts.json").read_text())
        self.names: Sequence[str] = tuple(facts["names"])
        width, height = facts["size"]
        self.size: tuple[int, int] = width, height
        self.lost: Mapping[str, Sequence[int]] = facts["lost"]
        self.shots: Mapping[str, Sequence[int]] = facts["shots"]
        self._why: str | None = facts["why"]
        self._notes: Sequence[str] = facts["notes"]
        self._boxes = {
            name: {int(frame): tuple(box) for frame, box in found.items()} for name, found in facts["boxes"].items()
        }
        self._read = lru_cache(maxsize=2 * len(self.names))(self._load)

    def without(self, names: Sequence[str]) -> Mattes:
        """The same, where objects of these ``names`` are part of the background."""
        made = copy(self)
        made.names = tuple(name for name in self.names if name not in names)
        return made

    def of(self, name: str, frame: int) -> np.ndarray:
        """float32 H x W in [0, 1], read only; all zero in shots in which the object is not marked."""
        return self._read(name, frame)

    def box(self, name: str, frame: int) -> Box | None:
        """The box in which there is something of the object in that frame; ``None``: nothing."""
        return self._boxes[name].get(frame)

    def boxes(self, names: Sequence[str]) -> dict[int, Box | None]:
        """Frame number -> the box round those objects, where one of them is seen."""
        frames = sorted({frame for name in names for frame in self._boxes[name]})
        return {frame: union(self._boxes[name].get(frame) for name in names) for frame in frames}

    def notes(self, shots: int) -> list[str]:
        """What a person should know: mattes that were taken for labels or are faint, who followed the objects, if it is not
        the best there is, where one was lost, and shots in which one is not marked. One line each."""
        lines = [*self._notes, *([] if self._why is None else [self._why])]
        for name in self.names:
            if gone := self.lost.get(name):
                lines.append(
                    f"object {name!r} was not found in {len(gone)} frames ({_spans(gone)}); nothing was done there"
                )
            if missing := sorted(set(range(shots)) - set(self.shots.get(name, []))):
                lines.append(
                    f"object {name!r} is not marked in shots {_spans(missing)}; it was taken to be absent there"
                )
        return lines

    def _load(self, name: str, frame: int) -> np.ndarray:
        import cv2

        matte = np.zeros(self.size[::-1], np.float32)
        if (box := self.box(name, frame)) is not None:
            left, top, right, bottom = box
            path = self._folder / name / f"{frame:08d}.png"
            data = np.fromfile(path, np.uint8) if path.exists() else np.zeros(0, np.uint8)
            values = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
            if values is None or values.dtype != np.uint16 or values.shape != (bottom - top, right - left):
                raise damaged(path)
            matte[top:bottom, left:right] = values.astype(np.float32) / np.float32(65535)
        matte.setflags(write=False)
        return matte


Form = Literal["png", "png16", "exr", "mov", "webm"]


def export(mattes: Mattes, span: range, folder: Path, form: Form = "png") -> None:
    """Write the mattes of the frames ``span`` as grey pictures, ``folder/NAME/NAME.NUMBER.png`` (8 bits, or 16) or ``.exr``
    (float), one a frame, black where an object is not marked; they can be read back as ``NAME=mattes:folder/NAME``. Raises
    ``OSError``."""
    suffix, bits = ("exr", 32) if form == "exr" else ("png", 16 if form == "png16" else 8)
    for name in mattes.names:
        (folder / name).mkdir()
        for frame in span:
            _write(folder / name / f"{name}.{frame:06d}.{suffix}", mattes.of(name, frame), bits)


def _parse(objects: Sequence[str]) -> tuple[dict[str, Path], list[str], list[Prompted]]:
    """Objects with mattes already, those that are all the people in the picture, and prompts for the others."""
    from controls.prompts import parse_object, split_object

    given: dict[str, Path] = {}
    people: list[str] = []
    prompts: list[Prompted] = []
    for text in objects:
        try:
            mark = split_object(text)
            if mark.kind == "mattes":
                given[mark.name] = Path(mark.what)
            elif mark.kind == "people":
                people.append(mark.name)
            else:
                prompts.append(parse_object(text))
        except ValueError as error:
            raise RecipeError(str(error)) from None
    sure = [*given, *people]
    both = next((name for name in [*sure, *(one.name for one in prompts)] if sure.count(name) > 1), None)
    both = both or next((one.name for one in prompts if one.name in sure), None)
    if both:
        raise RecipeError(f"object {both!r} has mattes and prompts; give it one or the other")
    return given, people, prompts


def _given(folders: Mapping[str, Path], frames: int) -> GivenMasker | None:
    from controls.masks.given import GivenMasker

    try:
        return GivenMasker(folders, frames=frames) if folders else None
    except ValueError as error:
        raise RecipeError(str(error)) from error


def _drawn_notes(objects: Sequence[str]) -> Iterator[str]:
    """A line for each drawn matte that was taken for labels."""
    from controls.masks.files import labelled, load_matte, split_label
    from controls.prompts import split_object

    for mark in map(split_object, objects):
        if mark.kind != "matte":
            continue
        path, label = split_label(mark.what)
        picture = load_matte(path)
        if label is None and labelled(picture):
            labels = sorted(picture.labels())
            shown = ", ".join(map(str, labels[:8]))
            choose = f": {path.name}#{labels[-1]} takes one alone" if len(labels) > 1 else ""
            yield f"object {mark.name!r}: the matte {str(path)!r} holds labels (0, {shown}), not levels of grey{choose}"


def _through(
    footage: Footage,
    shot: Shot,
    prompts: Sequence[Prompted],
    given: GivenMasker | None,
    clips: Mapping[str, Path],
    people: Sequence[str],
    *,
    pts: Sequence[int],
    frames: int,
    masker: str,
    options: Mapping[str, Any],
    finder: Mapping[str, Any],
) -> Iterator[Any]:
    """Every frame's mattes in one shot, those followed and those given."""
    from dataclasses import replace

    from controls.masks.people import PeopleMasker
    from controls.prompts import within
    from restyle.footage import ShotPictures

    pictures = ShotPictures(footage, shot.start, shot.stop, pts)
    with translated(f" (shot {shot.index}, from frame {shot.start})" if shot.start else "", errors=ValueError):
        if given is not None:
            yield from given.follow(pictures)
        if clips:
            yield from read_clips(clips, shot, frames=frames, size=pictures.size)
        if people:
            yield from checked_mattes(
                "people", PeopleMasker(people).follow(pictures), people, pictures.size, len(pictures)
            )
        if prompts:
            inside = [replace(one, frame=one.frame - shot.start) for one in prompts]
            within(inside, pictures.size, len(pictures))
            inside = _boxed(inside, pictures, finder)
            found = make_masker(masker, options).follow(pictures, inside)
            yield from checked_mattes(masker, found, [one.name for one in inside], pictures.size, len(pictures))


def _boxed(prompts: Sequence[Prompted], pictures: Any, finder: Mapping[str, Any]) -> list[Prompted]:
    """The prompts, with boxes in the place of words. Raises what ``WordFinder`` does."""
    from dataclasses import replace

    from controls.types import Text

    made: list[Prompted] = []
    words: Any = None
    for one in prompts:
        if isinstance(one.prompt, Text):
            words = words or WordFinder(**local_grounding_options(finder))
            picture = next(iter(pictures.read(one.frame, one.frame + 1)))
            try:
                one = replace(one, prompt=words.find(picture, one.prompt.words))
            except InterpError as error:
                raise ControlError(f"object {one.name!r}: {error}") from error
        made.append(one)
    return made


def _write(path: Path, matte: np.ndarray, bits: int = 16) -> None:
    """One matte, float32 in [0, 1], as a grey picture: PNG of 8 or 16 bits, or EXR if the name says so."""
    from restyle.footage.stills import save_grey

    white = (1 << bits) - 1
    exact = path.suffix == ".exr"
    values = matte if exact else np.rint(np.clip(matte, 0, 1) * white).astype(np.uint8 if bits == 8 else np.uint16)
    save_grey(path, values)


def _spans(numbers: Sequence[int]) -> str:
    """``3, 5-9``."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)
