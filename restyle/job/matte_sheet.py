"""Sheets on which prompts and mattes are seen: of a frame before anything is followed, and of a whole run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing

import numpy as np

from controls.masks.doubts import TELLING
from controls.prompts import parse_object, split_object
from controls.types import Prompted, WholeShot
from restyle.errors import RecipeError
from restyle.footage import Footage
from restyle.job.following import FollowRequest, follow_on_prompted_frames
from restyle.job.mattes import Mattes
from restyle.progress import Meter
from restyle.quality.contact_sheet import LONG_SIDE, Tile
from restyle.quality.overlay import overlay

__all__ = ["LARGE_SIDE", "look_tiles", "marked_picture", "matte_tiles", "preview_tiles"]

LARGE_SIDE = 1600
"""Pixels of the long side of a picture on which places are to be read off."""
MOST = 24
"""Frames on the sheet of a run."""


def look_tiles(footage: Footage, objects: Sequence[str], frames: Sequence[int]) -> list[Tile]:
    """Frames under a grid with coordinates, with the prompts for them. Raises ``RecipeError`` (no such frame)."""
    prompts, names = _parsed(objects), _names(objects)
    return [_tile(_picture(footage, frame), frame, {}, prompts, names, long_side=LARGE_SIDE) for frame in frames]


def preview_tiles(footage: Footage, request: FollowRequest, meter: Meter) -> dict[int, Tile]:
    """The frames on which objects are marked, with their mattes there. Raises as ``following.follow_on_prompted_frames``."""
    prompts, names, tiles = _parsed(request.objects), _names(request.objects), {}
    meter.begin("mattes", len({prompted.frame for prompted in prompts}) or 1)
    for frame, mattes in follow_on_prompted_frames(footage, request):
        words = "" if mattes else ", which only corrects what is followed: make the mattes to see it"
        picture = _picture(footage, frame, request.pts)
        tiles[frame] = _tile(picture, frame, mattes, prompts, names, words, long_side=LARGE_SIDE)
        meter.step(f"frame {frame}")
    return tiles


def marked_picture(picture: np.ndarray, frame: int, region: np.ndarray | None, objects: Sequence[str]) -> np.ndarray:
    """A frame's picture, uint8 of the same size, with ``region`` (float32 H x W; ``None``: all of it) tinted and the prompts
    for it drawn in."""
    here = [prompted for prompted in _parsed(objects) if prompted.frame == frame]
    mattes = {} if region is None else {"": region}
    return overlay(
        picture, long_side=max(picture.shape[:2]), mattes=mattes, prompts=here, names=_names(objects), grid=False
    )


def _names(objects: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(split_object(text).name for text in objects))


def _parsed(objects: Sequence[str]) -> list[Prompted]:
    """The objects' prompts that mark something on a frame. Raises ``RecipeError``."""
    try:
        prompts = [parse_object(text) for text in objects]
    except ValueError as error:
        raise RecipeError(str(error)) from None
    return [prompted for prompted in prompts if not isinstance(prompted.prompt, WholeShot)]


def _picture(footage: Footage, frame: int, pts: Sequence[int] | None = None) -> np.ndarray:
    """One frame's picture. Raises ``RecipeError`` if there is no such frame, ``FootageError``."""
    with closing(footage.frames(frame, frame + 1, pts=pts)) as frames:
        found = next(frames, None)
    if found is None:
        raise RecipeError(f"there is no frame {frame}; frames count from 0")
    return found.picture


def _tile(
    picture: np.ndarray,
    frame: int,
    mattes: Mapping[str, np.ndarray],
    prompts: Sequence[Prompted],
    names: Sequence[str],
    words: str = "",
    long_side: int = LONG_SIDE,
) -> Tile:
    """A frame on the sheet, with its mattes tinted and its prompts drawn; ``words`` stand behind its number."""
    here = [prompted for prompted in prompts if prompted.frame == frame]
    shown = overlay(picture, long_side=long_side, mattes=mattes, prompts=here, names=names)
    return Tile(f"frame {frame}{words}", (shown,))


def matte_tiles(
    footage: Footage, mattes: Mattes, objects: Sequence[str], span: range, pts: Sequence[int]
) -> list[Tile]:
    """Frames of a run: those with prompts, those whose mattes are in doubt, and some between, at most ``MOST``."""
    prompts = _parsed(objects)
    marked = dict.fromkeys(prompted.frame for prompted in prompts if prompted.frame in span)
    doubted: dict[int, list[str]] = {}
    for doubt in mattes.doubts:
        doubted.setdefault(doubt.frame, []).append(f"{doubt.object}: {TELLING[doubt.kind]}")
    begun = [frame for frame in sorted(doubted) if frame - 1 not in doubted]
    even = [span[number * (len(span) - 1) // 11] for number in range(12)]
    chosen = sorted(list(dict.fromkeys([*marked, *begun, *even]))[:MOST])
    tiles = []
    for frame in chosen:
        words = "; ".join((["prompted"] if frame in marked else []) + doubted.get(frame, []))
        own = {name: mattes.of(name, frame) for name in mattes.names}
        picture = _picture(footage, frame, pts)
        tiles.append(_tile(picture, frame, own, prompts, mattes.names, f", {words}" if words else ""))
    return tiles
