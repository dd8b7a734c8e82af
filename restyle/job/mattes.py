"""Objects' mattes as they are kept in the job folder, and exported from there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import copy
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import numpy as np

from controls.masks.doubts import TELLING
from controls.prompts import split_label, split_object
from interp.pixels.boxes import Box, bounding_box, union
from restyle.footage.saving import save_grey
from restyle.job.store import damaged

__all__ = ["Form", "FrameMattes", "MatteDoubt", "Mattes", "export", "matte_files", "write_matte"]


def matte_files(objects: Sequence[str]) -> list[Path]:
    """Every file that the prompts name: drawn mattes, clips of mattes, and the pictures in folders of them."""
    files: list[Path] = []
    for text in objects:
        mark = split_object(text)
        if mark.kind == "matte":
            files.append(split_label(mark.value)[0])
        elif mark.kind == "mattes":
            clip = split_label(mark.value)[0]
            files += [clip] if clip.is_file() else sorted(path for path in clip.glob("*") if path.is_file())
    return files


class MatteDoubt(NamedTuple):
    """A frame in which an object's matte should be looked at."""

    object: str
    frame: int
    kind: str
    """A key of ``controls.masks.doubts.TELLING``."""


class Mattes:
    """The mattes that ``follow_objects`` wrote into ``folder`` (``layers.MatteSource``).

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
        self.doubts: Sequence[MatteDoubt] = [MatteDoubt(*doubt) for doubt in facts["doubts"]]
        self._why: str | None = facts["why"]
        self._notes: Sequence[str] = facts["notes"]
        self._boxes = {
            name: {int(frame): tuple(box) for frame, box in boxes.items()} for name, boxes in facts["boxes"].items()
        }
        self._read = lru_cache(maxsize=2 * len(self.names))(self._load)

    def without(self, names: Sequence[str]) -> Mattes:
        """The same, where objects of these ``names`` are part of the background."""
        others = copy(self)
        others.names = tuple(name for name in self.names if name not in names)
        return others

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
        """Notes for a person: mattes that were taken for labels or are faint, who followed the objects, if it is not
        the best there is, where one was lost or its matte is in doubt, and shots in which one is not marked. One line each."""
        lines = [*self._notes, *([] if self._why is None else [self._why])]
        for name in self.names:
            if gone := self.lost.get(name):
                lines.append(
                    f"object {name!r} was not found in {len(gone)} frames ({_spans(gone)}); nothing was done there"
                )
            told = [
                f"{telling} (frame {_spans(frames)})"
                for kind, telling in TELLING.items()
                if (frames := [doubt.frame for doubt in self.doubts if (doubt.object, doubt.kind) == (name, kind)])
                and kind != "loss"  # that is said above
            ]
            if told:
                lines.append(f"object {name!r}: look at its mattes: {'; '.join(told)}")
            if missing := sorted(set(range(shots)) - set(self.shots.get(name, []))):
                lines.append(
                    f"object {name!r} is not marked in shots {_spans(missing)}; it was taken to be absent there"
                )
        return lines

    def _load(self, name: str, frame: int) -> np.ndarray:
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


class FrameMattes:
    """Mattes of one frame, held in memory, as ``Mattes`` has those of all: object -> float32 H x W in [0, 1]. ``size``: width
    and height; ``frame``: the frame's number."""

    def __init__(self, mattes: Mapping[str, np.ndarray], size: tuple[int, int], frame: int) -> None:
        self._mattes, self.size, self._frame = mattes, size, frame
        self.names: Sequence[str] = tuple(mattes)

    def without(self, names: Sequence[str]) -> FrameMattes:
        """See ``Mattes.without``."""
        others = copy(self)
        others.names = tuple(name for name in self.names if name not in names)
        return others

    def of(self, name: str, frame: int) -> np.ndarray:
        """See ``Mattes.of``; there is one frame alone."""
        return self._mattes[name]

    def box(self, name: str, frame: int) -> Box | None:
        """See ``Mattes.box``."""
        return bounding_box(self._mattes[name])

    def boxes(self, names: Sequence[str]) -> dict[int, Box | None]:
        """See ``Mattes.boxes``."""
        box = union(self.box(name, self._frame) for name in names)
        return {} if box is None else {self._frame: box}


Form = Literal["png", "png16", "exr", "mov", "webm"]


def export(mattes: Mattes, span: range, folder: Path, form: Form = "png") -> None:
    """Write the mattes of the frames ``span`` as grey pictures, ``folder/NAME/NAME.NUMBER.png`` (8 bits, or 16) or ``.exr``
    (float), one a frame, black where an object is not marked; they can be read back as ``NAME=mattes:folder/NAME``. Raises
    ``OSError``."""
    suffix, bits = ("exr", 32) if form == "exr" else ("png", 16 if form == "png16" else 8)
    for name in mattes.names:
        (folder / name).mkdir()
        for frame in span:
            write_matte(folder / name / f"{name}.{frame:06d}.{suffix}", mattes.of(name, frame), bits)


def write_matte(path: Path, matte: np.ndarray, bits: int = 16) -> None:
    """One matte, float32 in [0, 1], as a grey picture: PNG of 8 or 16 bits, or EXR if the name says so."""
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
