"""Sweep ``media``: mutated footage gives all its frames, or a note, or one line that names the file; never anything else."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from attacks.footage import FRAMES, KINDS, pictures_in, write_kind
from attacks.judging import Finding, Place, judge_end
from attacks.mutations import FILE_MUTATIONS, FOLDER_MUTATIONS, IMPOSTORS
from attacks.product import Ended, call
from attacks.sweep import Outcome, shown

__all__ = ["MutatedMedia"]

HARMLESS = {"another extension", "noise behind it"}
"""Those that leave every picture as it is."""
QUICK = ("--painter", "identity", "--keyframes", "every:4", "--no-report", "--overwrite")
CODES = (0, 3)
SURE = {"cut short", "cut in half", "its end cut off", "zeros", "its end is zeros"}
"""Mutations that take pictures away: fewer of them need a note, whoever else finds no more."""


@dataclass(frozen=True)
class Wanted:
    """What a medium has to give, unless there is an error or a note."""

    frames: int = 0
    """At least."""
    pictures: list[bytes] | None = None
    """Exactly, where that is known."""


class MutatedMedia:
    """Sound media of every kind, mutated, and files that only bear a medium's name."""

    name = "media"
    trials = 330

    def __init__(self) -> None:
        self._sound = Path()
        self._refused: dict[str, str] = {}
        """Kinds that are not read even when they are sound, and what is said of them."""
        self._pictures: dict[str, list[bytes] | None] = {}
        """What comes out of the sound ones."""

    def prepare(self, folder: Path, numbers: Sequence[int]) -> None:
        folder.mkdir(parents=True)
        self._sound = folder
        for kind in sorted({KINDS[number % len(KINDS)] for number in numbers}):
            write_kind(folder, kind)
            place = Place(folder / f"{kind}-alone")
            ended = call(_words("run", folder / kind), cwd=place.here, temp=place.temp)
            if ended.code or ended.document.get("frames") != FRAMES:
                self._refused[kind] = ended.err.strip() or f"{ended.document.get('frames')} frames"
            self._pictures[kind] = pictures_in(place.here / "out.mkv")

    def trial(self, draw: random.Random, number: int, place: Place, outcome: Outcome) -> None:
        if number % 12 == 11:
            name, suffix, data = draw.choice(IMPOSTORS)
            medium = place.here / f"clip{suffix}"
            medium.write_bytes(data)
            outcome.what = f"{name} named {medium.name}"
            wanted = Wanted()
        else:
            medium, wanted = self._mutated(draw, KINDS[number % len(KINDS)], place, outcome)
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
            outcome.found += _judge_pictures(pictures_in(place.here / "out.mkv") or [], ended, wanted)

    def _mutated(self, draw: random.Random, kind: str, place: Place, outcome: Outcome) -> tuple[Path, Wanted]:
        """A mutated medium, and what it has to give."""
        medium = place.here / kind
        if (self._sound / kind).is_dir():
            shutil.copytree(self._sound / kind, medium)
            name = draw.choice(sorted(FOLDER_MUTATIONS))
            FOLDER_MUTATIONS[name](medium, place.here, draw)
            outcome.what = f"{kind}: {name}"
            return medium, Wanted(0 if name in ("two sequences", "its last pictures missing") else FRAMES)
        shutil.copy2(self._sound / kind, medium)
        if kind in self._refused:
            outcome.found.append(Finding("wrong", f"refused though sound: {self._refused[kind]}"))
        name = draw.choice(sorted(FILE_MUTATIONS))
        medium = FILE_MUTATIONS[name](medium, draw) or medium
        outcome.what = f"{kind}: {name} ({medium.name})"
        if name in HARMLESS:
            return medium, Wanted(FRAMES, self._pictures[kind])
        return medium, Wanted(FRAMES if name in SURE else len(pictures_in(medium) or []))


def _words(command: str, source: Path | str) -> list[str]:
    options = {
        "run": ("-o", "out.mkv", "--codec", "ffv1", *QUICK),
        "retime": ("-o", "out.mkv", "--fps", "30", "--overwrite"),
    }
    return [command, str(source), *options.get(command, ()), "--json", "-q"]


def _judge_pictures(made: list[bytes], ended: Ended, wanted: Wanted) -> Iterator[Finding]:
    """What is wrong with a result that came without an error."""
    told = ended.document.get("frames")
    if len(made) != told:
        yield Finding("wrong", f"the result has {len(made)} frames; {told} were said")
    elif len(made) < wanted.frames and not ended.notes:
        yield Finding("unsaid", f"{len(made)} frames of {wanted.frames}, without a note")
    elif wanted.pictures is not None and made != wanted.pictures and not ended.notes:
        yield Finding("wrong", "other pictures than the sound one's, without a note")
