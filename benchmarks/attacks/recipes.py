"""Sweep ``recipes``: whatever a recipe holds, there is a result or one line, and nothing else is read, written or run."""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attacks.documents import DOCUMENTS, SPECIAL, spoiled
from attacks.footage import write_video
from attacks.judging import Place, judge_end
from attacks.odd import ODD, PATHS, odd_value
from attacks.product import call
from attacks.sweep import Outcome, shown

__all__ = ["OddRecipes"]

COMMANDS = (
    ("plan", "clip.mp4"),
    ("run", "clip.mp4", "-o", "out.mkv", "--no-report", "--overwrite", "--offline"),
    ("matte", "clip.mp4", "-o", "mattes", "--overwrite", "--offline"),
    ("preview", "clip.mp4", "-o", "sheet.png", "--overwrite", "--offline"),
)
OURS = ("here/out.mkv", "here/out.mkv.restyle", "here/mattes", "here/sheet.png")
CODES = (0, 2, 3, 4, 6)
"""3: a picture or clip that the recipe names cannot be read; 4: the codec that it names is none; 6: what it asks for is not
installed here."""


class OddRecipes:
    """Fields of the recipe's own grammar with values from everywhere, documents that are none, and things that are no files."""

    name = "recipes"
    trials = 1050

    def __init__(self) -> None:
        self._clip = Path()

    def prepare(self, folder: Path, numbers: Sequence[int]) -> None:
        folder.mkdir(parents=True)
        self._clip = write_video(folder / "clip.mp4", count=6)

    def trial(self, draw: random.Random, number: int, place: Place, outcome: Outcome) -> None:
        shutil.copy2(self._clip, place.here / "clip.mp4")
        _set_traps(place.here)
        recipe = place.here / draw.choice(("recipe.json", "recipe.yaml", "recipe.yml"))
        style = draw.random()
        if style < 0.08:
            name, make = draw.choice(SPECIAL)
            make(recipe)
        elif style < 0.25:
            name, text = draw.choice(DOCUMENTS)
            recipe.write_bytes(text() if callable(text) else text)
        else:
            fields = odd_fields(draw)
            name = ", ".join(fields)
            text = _written(fields, yaml=recipe.suffix != ".json")
            recipe.write_bytes(spoiled(text, draw) if style > 0.9 else text)
        words = [*draw.choices(COMMANDS, (4, 3, 1, 1))[0], "--recipe", recipe.name, "--json", "-q"]
        outcome.what = f"{recipe.name} ({name}): {words[0]}"
        outcome.lines.append(shown(words))
        place.seal()
        ended = call(words, cwd=place.here, temp=place.temp)
        outcome.ends.append(f"exit {ended.code}")
        outcome.found += judge_end(ended, CODES)
        outcome.found += place.changes(OURS, left=ended.code is not None)


class Evil:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self._path), "w")


def _set_traps(here: Path) -> None:
    """What the values of ``odd.PATHS`` name."""
    os.mkfifo(here / "pipe")
    (here / "loop").symlink_to("loop")
    (here / "evil.pt").write_bytes(pickle.dumps(Evil(here / "beside" / "made")))
    (here / "evil.npz").write_bytes(pickle.dumps({"arr": Evil(here / "beside" / "made")}))
    (here / "evil.yaml").write_text("_target_: shutil.copyfile\nsrc: beside/letter.txt\ndst: beside/made\n")
    (here / "big.bin").touch()
    os.truncate(here / "big.bin", 6 << 30)


def odd_fields(draw: random.Random) -> dict[str, Any]:
    """Some of a recipe's fields, each with a sensible value or an odd one."""
    sense = draw.choice((0.5, 0.8, 1.0))
    names = draw.sample(sorted(FIELDS), draw.choice((1, 1, 2, 3, 5)))
    fields = {name: FIELDS[name](draw) if draw.random() < sense else odd_value(draw) for name in names}
    if draw.random() < 0.03:
        fields[draw.choice(("", "\ud800", "colour", "__class__", "model_config", "x" * 3000))] = odd_value(draw)
    return fields


def _table(grammar: dict[str, Callable[[random.Random], Any]], draw: random.Random, always: tuple[str, ...]) -> Any:
    names = {*always, *draw.sample(sorted(grammar), draw.randrange(3))}
    return {name: grammar[name](draw) if draw.random() < 0.85 else odd_value(draw) for name in sorted(names)}


def _some(make: Callable[[random.Random], Any]) -> Callable[[random.Random], Any]:
    return lambda draw: [make(draw) if draw.random() < 0.85 else draw.choice(ODD) for _ in range(draw.randint(1, 3))]


def _of(*values: Any) -> Callable[[random.Random], Any]:
    return lambda draw: draw.choice(values)


def _number(draw: random.Random) -> Any:
    return draw.choice((draw.uniform(-2, 2), draw.randint(-3, 12), "1", 10.0 ** draw.randint(-9, 30)))


def _frame(draw: random.Random) -> Any:
    return draw.choice((0, 1, 3, 5, 6, 7, -1, 10**9, 2.0, "2", "x"))


def _place(draw: random.Random) -> str:
    return draw.choice(PATHS)


def _object(draw: random.Random) -> str:
    name = draw.choice(("cup", "cup", "a-b", "_", "é", "background", "", "a/b", "..", "x" * 300))
    at = draw.choice(("", "@0", "@0", "@5", "@6", "@-1", "@999999999999", "@x", "@"))
    corners = ",".join(
        str(draw.choice((0, 5, 20, 40, 64, -1, 1e9, "nan", "inf", ""))) for _ in range(draw.choice((4, 4, 3)))
    )
    what = draw.choice(
        (
            "box:32,16,52,34",
            f"box:{corners}",
            f"point:{draw.uniform(-5, 70):g},{draw.uniform(-5, 60):g}",
            f"not:{draw.randint(0, 63)},{draw.randint(0, 47)}",
            f"matte:{_place(draw)}",
            f"mattes:{_place(draw)}",
            "text:a cup",
            "people",
            "all=people",
            f"{draw.choice(('', 'ball', 'box', 'mattes'))}:",
        )
    )
    return f"{name}={what}{at}"


def _options(*known: str) -> Callable[[random.Random], Any]:
    names = (*known, "config", "model", "_target_", "device", "dtype", "__class__", "self", "")
    return lambda draw: {
        draw.choice(names): odd_value(draw) if draw.random() < 0.7 else _number(draw) for _ in range(draw.randint(1, 2))
    }


LAYER: dict[str, Callable[[random.Random], Any]] = {
    "object": _of("cup", "background", "other", "a-b"),
    "mode": _of("restyle", "keep", "replace", "remove", "cutout"),
    "source": lambda draw: draw.choice(("#ff0000", "#ff", "#gggggg", _place(draw))),
    "style": lambda draw: draw.choice(("mosaic", "mosaic:0.5,lava:0.5", "mosaic:nan", _place(draw))),
    "prompt": _of("a cup"),
    "negative_prompt": _of("a cup"),
    "strength": _number,
    "brush_size": _number,
    "mix": _number,
    "keep_colour": _of(True, False, "yes", 2),
    "seed": _number,
    "feather": _number,
    "grow": _number,
    "invert": _of(True, False),
    "blend": _of("multiply", "screen", "normal", "colour"),
}
CONTROL: dict[str, Callable[[random.Random], Any]] = {
    "kind": _of("canny", "flow", "depth", "lineart", "nothing"),
    "source": _place,
    "strength": _number,
    "start": _number,
    "end": _number,
    "model": _place,
    "options": _options("low", "high", "weights"),
}
WORDS: dict[str, Callable[[random.Random], Any]] = {
    "shot": _frame,
    "frame": _frame,
    "prompt": _of("a cup", ""),
    "negative_prompt": _of("a cup"),
}
FIELDS: dict[str, Callable[[random.Random], Any]] = {
    "version": _of(1, 1, 2, 0, "1", 1.0, True),
    "style": LAYER["style"],
    "prompt": _of("a cup"),
    "negative_prompt": _of("a cup"),
    "prompts": _some(lambda draw: _table(WORDS, draw, ("frame",))),
    "controls": _some(lambda draw: _table(CONTROL, draw, ("kind",))),
    "painter": _of("identity", "identity", "edges", "neural-style", "none such", "os:system"),
    "painter_options": _options("hold", "threads", "base", "lora", "vae", "controlnet", "allow_pickle"),
    "filler": _of("along-motion", "hold", "none such", "../hold"),
    "filler_options": _options("detail", "repair"),
    "strength": _number,
    "brush_size": _number,
    "mix": _number,
    "keep_colour": _of(True, False, "no", 1),
    "seed": _number,
    "keyframes": lambda draw: draw.choice(
        (
            "auto",
            "every:2",
            "every:0",
            "every:9999999999999999999999",
            "every:2\n",
            [0, 3],
            [_frame(draw)],
            list(range(20000)),
        )
    ),
    "coverage": _number,
    "max_gap": _frame,
    "storyboard": lambda draw: {str(_frame(draw)): _place(draw)},
    "cuts": lambda draw: draw.choice(("auto", "none", [3], [0, 0, 3], [_frame(draw)], [[3]])),
    "objects": lambda draw: [_object(draw) for _ in range(draw.choice((1, 1, 2, 20000)))],
    "masker": _of("auto", "flowcut", "flowcut", "sam2", "none such"),
    "masker_options": _options("edge", "image_size", "allow_pickle", "text_model", "text_score"),
    "layers": _some(lambda draw: _table(LAYER, draw, ("object",))),
    "range": lambda draw: draw.choice(
        ("0:3", ":", "3:1", "-1:", "0:999999999999999999999", "00:00:00:01-00:00:00:03", f"{odd_value(draw)}"[:6000])
    ),
    "codec": _of("h264", "ffv1", "prores", "png", "none such", "libx264:evil=1"),
    "quality": _number,
}


def _written(fields: dict[str, Any], *, yaml: bool) -> bytes:
    """The fields as a document; what YAML cannot write is left to JSON, which YAML can read."""
    if yaml:
        from yaml import safe_dump

        try:
            return safe_dump(fields, allow_unicode=False).encode()
        except (ValueError, UnicodeError):
            pass
    return json.dumps(fields).encode()
