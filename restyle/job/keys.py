"""Cache keys: the names under which the job folder keeps finished things, and so what makes them anew.

=============  =====================================================================================================
key            what it depends on
=============  =====================================================================================================
footage        the files' content; size, depth, rate, rotation, mirroring, fields and colour tags as they are read
analysis       footage; where cuts are looked for; whether keyframes are automatic, and then how near they lie (coverage,
               longest gap, effort, the painter's cost, whether faces can be found); the range; numbers of the storyboard's
               frames
keyframes      where objects alone are painted: analysis; mattes; the layers' objects, growth and feather
mattes         footage; the objects' prompts; content of matte files that they name; masker, its options, content of its
               weights, and options of grounding; MediaPipe, where it outlines people for it; the shots' borders
plates         footage; mattes; name, growth, feather and inversion of each removal; the shots' borders
detected map   footage; the frame's number; detector, its options, and the packages that find it
map            as detected; where maps are stabilised, also the keyframes before it in its shot and the next few after it;
               where a person gave maps, content of the file instead
paintings      footage and plates; the painter and its identity (options, weights, style pictures); the look's seed; content
               of the anchor, where it shares another footage's look; the crop; mattes, where the painter sees them; of each
               keyframe its number, the storyboard picture's content, prompts and maps; and the paintings of the window
               before in the shot
window         its paintings; footage and plates; filler, its options, and content of weights that they name; mix
               and colour of each look; layers, mattes and backdrops' content; rules of repair; the output (codec ...)
=============  =====================================================================================================

Every key but the footage's holds, further, what ``restyle.versions.deciding`` says of its stage. Nothing else is in a key, so
nothing else redoes work: the number of threads, the device, the output's name and the job folder's place decide no pixel.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from restyle.planning.effort import KeyRules
from restyle.recipe import Layer, Recipe
from restyle.types import FootageSpec, Shot, Window
from restyle.versions import deciding

__all__ = [
    "LookKey",
    "WindowKeys",
    "analysis_key",
    "digest",
    "footage_key",
    "map_key",
    "mattes_key",
    "plates_key",
    "window_keys",
]


def digest(*parts: Any) -> str:
    """Digest (32 hexadecimal digits) of plain JSON values. Equal values give equal digests, on every machine."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def footage_key(spec: FootageSpec, files: Sequence[str]) -> str:
    """Key of the footage. ``files``: digests of what it is read from, in order."""
    facts = [spec.width, spec.height, spec.dtype, str(spec.rate), spec.rotation, spec.mirrored, spec.deinterlaced]
    return digest(files, [*facts, asdict(spec.colour)])


def analysis_key(footage: str, recipe: Recipe, rules: KeyRules, span: tuple[int, int | None]) -> str:
    """Key of the analysis. ``rules``: how near keyframes lie; ``span``: first frame, and the one after the last."""
    automatic = recipe.keyframes == "auto"
    walk = asdict(rules) if automatic else {}
    return digest(footage, deciding("analysis"), recipe.cuts, automatic, walk, *span, sorted(recipe.storyboard))


def mattes_key(
    footage: str,
    objects: Sequence[str],
    files: Sequence[str],
    masker: tuple[str, Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]],
    shots: Sequence[Shot],
) -> str:
    """Key of the mattes. ``files``: digests of matte files. ``masker``: its name, its options, those of grounding, and what
    else decides what it gives: digests of its weights, versions of packages."""
    return digest(footage, deciding("mattes"), objects, files, *masker, _borders(shots))


def plates_key(footage: str, mattes: Collection[str], removals: Sequence[Layer], shots: Sequence[Shot]) -> str:
    """Key of the plates behind removed objects. ``mattes``: keys of those that are used."""
    edges = [[layer.object, layer.grow, layer.feather, layer.invert] for layer in removals]
    return digest(footage, deciding("plates"), sorted(mattes), edges, _borders(shots))


def map_key(footage: str, frame: int, facts: Mapping[str, Any]) -> str:
    """Key of a control map. ``facts``: all that decides it (``KeyframeMaps.identity``), versions included."""
    return digest(footage, frame, facts)


@dataclass(frozen=True)
class LookKey:
    """Everything that decides a look's paintings. Plain JSON values."""

    painting: Any
    """Whatever all of its keyframes have in common."""
    keyframe: Callable[[int], Any]
    """Frame number -> what decides the painting of that keyframe alone."""
    chain: str
    """Keyframes of the windows before that decide a window's paintings: all (``"keys"``), first and last (``"ends"``), none."""


@dataclass(frozen=True)
class WindowKeys:
    """Keys of every window of a plan."""

    paintings: Mapping[tuple[int, int, int], str]
    """(shot, window, look) -> key."""
    windows: Mapping[tuple[int, int], str]
    """(shot, window) -> key."""


def window_keys(plan: Sequence[Window], looks: Sequence[LookKey], frames: Any) -> WindowKeys:
    """Keys of all windows (``plan``, in order). ``frames``: plain JSON values that decide frames, besides their paintings."""
    paintings: dict[tuple[int, int, int], str] = {}
    windows: dict[tuple[int, int], str] = {}
    before = [""] * len(looks)  # of each look, what the windows before it in the shot come to
    for window in plan:
        numbers = [key.frame for key in window.keys]
        look_keys = []
        for number, look in enumerate(looks):
            earlier = before[number] if window.index and look.chain != "none" else ""
            keyframes = {frame: [frame, look.keyframe(frame)] for frame in numbers}
            key = digest(look.painting, earlier, window.start, list(keyframes.values()))
            ends = [keyframes[numbers[0]], keyframes[numbers[-1]]]
            before[number] = key if look.chain == "keys" else digest(earlier, window.start, ends)
            paintings[window.shot, window.index, number] = key
            look_keys.append(key)
        windows[window.shot, window.index] = digest(frames, *look_keys, window.start, window.stop)
    return WindowKeys(paintings, windows)


def _borders(shots: Sequence[Shot]) -> list[tuple[int, int]]:
    return [(shot.start, shot.stop) for shot in shots]
