"""Sweep ``media``: mutated footage gives all its frames, or a note, or one line that names the file; never anything else."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from attacks.footage import FRAMES, KINDS, frames_in, write_kind
from attacks.judging import Finding, Place, judge_end
from attacks.mutations import FILE_MUTATIONS, FOLDER_MUTATIONS, IMPOSTORS
from attacks.product import call
from attacks.sweep import Outcome, shown

__all__ = ["MutatedMedia"]

QUICK = ("--painter", "identity", "--keyframes", "every:4", "--no-report", "--overwrite")
CODES = (0, 3)
SURE = {"cut short", "cut in half", "its end cut off", "zeros", "its end is zeros"}
"""Mutations that take pictures away: fewer of them need a note, whoever else finds no more."""


class MutatedMedia:
    """Sound media of every kind, mutated, and files that only bear a medium's name."""

    name = "media"
    trials = 330

    def __init__(self) -> None:
        self._sound = Path()
        self._refused: dict[str, str] = {}
        """Kinds that are not read even when they are sound, and what is said of them."""

    def prepare(self, folder: Path, numbers: Sequence[int]) -> None:
        folder.mkdir(parents=True)
        self._sound = folder
        for kind in sorted({KINDS[number % len(KINDS)] for number in numbers}):
            write_kind(folder, kind)
            place = Place(folder / f"{kind}-alone")
            ended = call(_words("run", folder / kind), cwd=place.here, temp=place.temp)
            if ended.code or ended.document.get("frames") != FRAMES:
                self._refused[kind] = ended.err.strip() or f"{ended.document.get('frames')} frames"

    def trial(self, draw: random.Random, number: int, place: Place, outcome: Outcome) -> None:
        if number % 12 == 11:
            name, suffix, data = draw.choice(IMPOSTORS)
            medium = place.here / f"clip{suffix}"
            medium.write_bytes(data)
            outcome.what = f"{name} named {medium.name}"
            least: int | None = None
        else:
            medium, least = self._mutated(draw, KINDS[number % len(KINDS)], place, outcome)
        place.seal()
        command = draw.choice(("run", "run", "run", "retime", "inspect", "plan"))
        words = _words(command, medium.name)
        outcome.lines.append(shown(words))
        ended = call(words, cwd=place.here, temp=place.temp)
        outcome.ends.append(f"exit {ended.code}")
        outcome.found += judge_end(ended, CODES)
        outcome.found += place.changes(("here/out.mkv", "here/out.mkv.restyle"), left=ended.code is not None)
        if ended.code and medium.name not in ended.err and ended.code > 0:
            outcome.found.append(Finding("unsaid", f"the line does not name {medium.name}: {ended.err.strip()[-200:]}"))
        if ended.code == 0 and command == "run":
            outcome.found += _frames(place.here / "out.mkv", ended.document.get("frames"), least, bool(ended.notes))

    def _mutated(self, draw: random.Random, kind: str, place: Place, outcome: Outcome) -> tuple[Path, int | None]:
        """A mutated medium, and how many frames it has to give without a note (``None``: not known)."""
        medium = place.here / kind
        if (self._sound / kind).is_dir():
            shutil.copytree(self._sound / kind, medium)
            name = draw.choice(sorted(FOLDER_MUTATIONS))
            FOLDER_MUTATIONS[name](medium, place.here, draw)
            outcome.what = f"{kind}: {name}"
            return medium, None if name in ("two sequences", "its last pictures missing") else FRAMES
        shutil.copy2(self._sound / kind, medium)
        if kind in self._refused:
            outcome.found.append(Finding("wrong", f"refused though sound: {self._refused[kind]}"))
        name = draw.choice(sorted(FILE_MUTATIONS))
        medium = FILE_MUTATIONS[name](medium, draw) or medium
        outcome.what = f"{kind}: {name} ({medium.name})"
        return medium, FRAMES if name in SURE else frames_in(medium)


def _words(command: str, source: Path | str) -> list[str]:
    options = {
        "run": ("-o", "out.mkv", "--codec", "ffv1", *QUICK),
        "retime": ("-o", "out.mkv", "--fps", "30", "--overwrite"),
    }
    return [command, str(source), *options.get(command, ()), "--json", "-q"]


def _frames(result: Path, told: int | None, least: int | None, noted: bool) -> Iterator[Finding]:
    made = frames_in(result)
    if made != told:
        yield Finding("wrong", f"the result has {made} frames; {told} were said")
    elif least is not None and made is not None and made < least and not noted:
        yield Finding("unsaid", f"{made} frames of {least}, without a note")
