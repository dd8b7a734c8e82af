"""Prompts as a person writes them: ``car=point:120,340@0``.

================================  =====================================================================
``NAME=point:X,Y@F``              a position on the object, in frame F
``NAME=not:X,Y@F``                a position that is not on the object
``NAME=box:L,T,R,B@F``            a rectangle around the object: left, top, right, bottom
``NAME=text:WORDS@F``             the object named in words
``NAME=matte:FILE@F``             a drawn matte: a picture of the footage's size, white where the object is
``NAME=matte:FILE#2@F``           the same, of a picture of labels: the object is where label 2 is
``NAME=mattes:FOLDER``            mattes of every frame that are there already: a folder of them, or a clip
``NAME=people``                   all people in the picture
================================  =====================================================================

Coordinates are pixels of the upright picture from its top left corner, x to the right, y down; (0, 0) is the centre of the
first pixel. Frames count from 0. Several prompts for one object are written one by one, each with the object's name. Without
``@F`` frame 0 is meant; in a file's name only a last ``@`` with nothing but digits after it is a frame.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from controls.errors import ControlError
from controls.types import (
    Box,
    MaskerTraits,
    Matte,
    MatteClip,
    MatteFolder,
    People,
    Point,
    Prompt,
    Prompted,
    Text,
    WholeShot,
)

__all__ = ["Mark", "check_kinds", "check_prompts", "parse_object", "split_label", "split_object"]

FORMS = "point:X,Y@F, not:X,Y@F, box:L,T,R,B@F, text:WORDS@F or matte:FILE@F"
LONGEST = 10_000  # characters of one prompt
LONGEST_NAME = 200  # bytes: with what is added to an object's name, it fits into a file system's 255


@dataclass(frozen=True)
class Mark:
    """An object's prompt, split as it is written; the files that it names are not looked at yet."""

    name: str
    kind: str
    """``point``, ``not``, ``box``, ``text``, ``matte``, ``mattes`` or ``people``."""
    value: str
    """The text between the kind and the frame."""
    frame: int


def split_object(text: str) -> Mark:
    """Split ``car=box:10,20,60,40@12`` into its parts.

    Raises ``ValueError``, one line for a person: what is wrong with which text, and how it is written.
    """
    name, equals, rest = text.partition("=")
    name = name.strip()
    if len(text) > LONGEST:
        raise ValueError(f"an object's prompt has at most {LONGEST} characters, got {len(text)}")
    if not equals:
        raise ValueError(f"an object is written NAME=PROMPT, got {text!r}; a prompt is {FORMS}")
    check_name(name)
    if rest.strip() in ("people", "people:"):
        return Mark(name, "people", "", 0)
    if rest.startswith("mattes:"):
        return _named(Mark(name, "mattes", rest.removeprefix("mattes:"), 0), text)
    kind, value, frame = _split(rest)
    return _named(Mark(name, kind, value, frame), text)


def split_label(text: str) -> tuple[Path, int | None]:
    """Split ``FOLDER#2`` or ``FILE#2`` into the path and the label. A file or folder of that very name comes first."""
    match = re.fullmatch(r"(.+)#(\d{1,5})", text, re.DOTALL)
    if match is None or Path(text).exists():
        return Path(text), None
    return Path(match[1]), int(match[2])


def parse_object(text: str) -> Prompted:
    """Make the prompt that ``car=box:10,20,60,40@12`` writes. A drawn matte's file is read at once.

    Raises ``ValueError``, one line for a person: what is wrong with which text, and how it is written.
    """
    mark = split_object(text)
    return Prompted(mark.name, mark.frame, _prompt(mark, text))


def _prompt(mark: Mark, text: str) -> Prompt:
    """The prompt of a mark; ``text``: as it was written. Raises as ``parse_object``."""
    if mark.kind == "people":
        return People()
    if mark.kind == "mattes":
        path = Path(mark.value)
        return MatteClip(path) if path.is_file() else MatteFolder(*split_label(mark.value))
    if mark.kind == "matte":
        from controls.masks.files import read_matte  # OpenCV: recipes are read without it

        return Matte(read_matte(*split_label(mark.value)))
    if mark.kind == "text":
        return Text(mark.value.strip())
    if mark.kind == "box":
        return Box(*_numbers(mark.value, 4, "box:LEFT,TOP,RIGHT,BOTTOM@F", text))
    if mark.kind not in ("point", "not"):
        raise ValueError(f"a prompt is {FORMS}, got {text!r}")
    x, y = _numbers(mark.value, 2, f"{mark.kind}:X,Y@F", text)
    return Point(x, y, positive=mark.kind == "point")


def _split(text: str) -> tuple[str, str, int]:
    kind, colon, rest = text.strip().partition(":")
    if not colon or kind not in ("point", "not", "box", "text", "matte"):
        raise ValueError(f"a prompt is {FORMS}, got {text!r}")
    at = re.fullmatch(r"(.*)@(\d{1,12})", rest, re.DOTALL)
    value, frame = (at[1], int(at[2])) if at else (rest, 0)
    if "@" in value and kind != "matte":
        raise ValueError(f"a frame is a whole number from 0 on, such as @12, got {text!r}")
    return kind, value, frame


def _named(mark: Mark, text: str) -> Mark:
    """Return the mark if it names what its kind needs."""
    if mark.kind in ("matte", "mattes") and not mark.value:
        raise ValueError(f"name the matte's file, such as matte:car.png@0, or a folder of mattes, got {text!r}")
    if mark.kind == "text" and not mark.value.strip():
        raise ValueError(f"say what to look for, such as text:red car@0, got {text!r}")
    return mark


def check_name(name: str) -> None:
    """Raise ``ValueError`` unless ``name`` can be an object's: it also names files and streams."""
    if not re.fullmatch(r"\w[\w-]*", name):
        raise ValueError(f"an object's name is letters, digits, _ and - (it names files, too), got {name!r}")
    if len(name.encode()) > LONGEST_NAME:
        raise ValueError(
            f"an object's name has at most {LONGEST_NAME} bytes (it names files, too), got {len(name.encode())}"
        )


def check_kinds(masker: str, traits: MaskerTraits, prompts: Sequence[Prompted]) -> None:
    """Check that a masker follows prompts of these kinds. Raises ``ControlError``, one line for a person."""
    for prompted in prompts:
        check_name(prompted.name)
        if type(prompted.prompt) in traits.prompts:
            continue
        if isinstance(prompted.prompt, Text):
            raise ControlError(
                f"object {prompted.name!r}: {masker!r} cannot look for words ({prompted.prompt.phrase!r}); "
                "give a point, a box or a matte"
            )
        kind, kinds = type(prompted.prompt).__name__, ", ".join(sorted(each.__name__ for each in traits.prompts))
        raise ControlError(f"object {prompted.name!r}: {masker!r} follows no {kind} prompts; it follows: {kinds}")


def check_prompts(prompts: Sequence[Prompted], size: tuple[int, int], frames: int) -> None:
    """Check that every prompt lies in a shot of ``frames`` frames of ``size`` (width, height), and that each object is marked.

    Raises ``ValueError``, one line for a person: a position outside of the picture, a frame outside of the shot, a matte of
    another size or an empty one, an object with nothing but positions that it is not at, one that is said to be at a pixel and
    not at it, no prompt at all.
    """
    if not prompts:
        raise ValueError(f"no object is marked: write NAME=PROMPT, a prompt is {FORMS}")
    width, height = size
    for prompted in prompts:
        check_name(prompted.name)
        who, prompt, frame = f"object {prompted.name!r}", prompted.prompt, prompted.frame
        if isinstance(prompt, WholeShot):
            continue
        if not 0 <= frame < frames:
            raise ValueError(f"{who}: there is no frame {frame}; the shot has frames 0 to {frames - 1}")
        if isinstance(prompt, Point):
            if not (-0.5 <= prompt.x < width - 0.5 and -0.5 <= prompt.y < height - 0.5):
                raise ValueError(f"{who}: ({prompt.x:g}, {prompt.y:g}) is outside of the picture, {_extent(size)}")
        elif isinstance(prompt, Box):
            edges = (prompt.left, prompt.top, prompt.right, prompt.bottom)
            # whoever boxes the whole picture writes its size, or less one
            if not (edges[0] >= -0.5 and edges[1] >= -0.5 and edges[2] <= width and edges[3] <= height):
                shown = ",".join(f"{edge:g}" for edge in edges)
                raise ValueError(f"{who}: the box {shown} reaches outside of the picture, {_extent(size)}")
        elif isinstance(prompt, Matte):
            if prompt.values.shape != (height, width):
                h, w = prompt.values.shape
                raise ValueError(f"{who}: the matte is {w}x{h}, the picture {width}x{height}; draw it at that size")
            if not (prompt.values >= 0.5).any():
                raise ValueError(f"{who}: the matte for frame {frame} is empty; white marks the object")
    for name in dict.fromkeys(prompted.name for prompted in prompts):
        own = [prompted.prompt for prompted in prompts if prompted.name == name]
        if all(isinstance(prompt, Point) and not prompt.positive for prompt in own):
            raise ValueError(f"object {name!r} has only places that it is not at; mark one that is on it (point:X,Y@F)")
    _check_contradictions(prompts)


def _check_contradictions(prompts: Sequence[Prompted]) -> None:
    """Raise ``ValueError`` for an object that two points put at a pixel, and not there."""
    said: dict[tuple[str, int, int, int], bool] = {}
    for prompted in prompts:
        point = prompted.prompt
        if isinstance(point, Point):
            x, y = math.floor(point.x + 0.5), math.floor(point.y + 0.5)
            if said.setdefault((prompted.name, prompted.frame, x, y), point.positive) != point.positive:
                raise ValueError(
                    f"object {prompted.name!r}, frame {prompted.frame}: ({x}, {y}) is marked as on it and as not on it; "
                    "take one of the two away"
                )


def _extent(size: tuple[int, int]) -> str:
    width, height = size
    return f"{width}x{height}: x runs from 0 to {width - 1}, y from 0 to {height - 1}"


def _numbers(text: str, count: int, form: str, whole: str) -> list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count or not all(map(math.isfinite, values)):
        raise ValueError(f"{form} takes {count} numbers, got {whole!r}")
    return values
