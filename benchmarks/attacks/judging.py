"""What may not happen in any trial, and how it is seen."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from attacks.product import UNCAUGHT, Ended

__all__ = ["HUGE", "KINDS", "Finding", "Place", "judge_end", "marks", "same_result"]

Kind = Literal["lost", "wrong", "internal", "hang", "crash", "code", "noise", "stray", "unsaid"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""``lost``: something that the command did not make was changed or removed, or something finished was made again. ``wrong``:
the result is not what it has to be. ``internal``: exit 70. ``hang``: longer than the limit. ``crash``: ended by a signal, or a
traceback. ``code``: an exit code that the documentation does not name for this. ``noise``: other than one line on stderr where
it failed, anything where it did not. ``stray``: something left where nothing should be. ``unsaid``: what is not as it was
is not noted, or the line does not name the file."""

HUGE = 100 << 20
"""Bytes from which on files, holes that they are, are known by their size."""
LETTER = "Not made by restyle: nobody may touch it.\n"


@dataclass(frozen=True)
class Finding:
    """One thing that went wrong in a trial."""

    kind: Kind
    what: str


class Place:
    """Where a trial happens: ``here``, in which the command runs, and ``temp``, its temporary folder. In both lie things that
    are nobody's business but ours, and what a trial puts there before ``seal`` joins them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.here = folder / "here"
        self.temp = folder / "temp"
        for home in (self.here, self.temp):
            for path in ("restyle-letter.txt", "restyle-mine/letter.txt", "restyle-mine/lock", ".letter.part"):
                (home / path).parent.mkdir(parents=True, exist_ok=True)
                (home / path).write_text(LETTER)
        (self.here / "beside").mkdir()
        for path in ("letter.txt", "clip.mp4", "lock", "job.json", "windows"):
            (self.here / "beside" / path).write_text(LETTER)
        self._sealed: dict[str, str] = {}

    def seal(self) -> None:
        """Remember all that lies here."""
        self._sealed = dict(self._all())

    def changes(self, ours: Iterable[str], *, left: bool = True) -> Iterator[Finding]:
        """What happened since to anything but ``ours``: paths relative to the place, each with all that lies below it.

        ``left``: also say what is new; not so where the call was killed, and could not clean up."""
        known = tuple(ours)
        now = dict(self._all())
        told: list[str] = []
        for path in sorted(now.keys() | self._sealed.keys()):
            if _below(path, known) or _below(path, told):
                continue
            if path not in now:
                yield Finding("lost", f"{path} is gone")
            elif path not in self._sealed:
                told.append(path)
                if left and not self._unsure(path):
                    yield Finding("stray", f"{path} was left")
            elif now[path] != self._sealed[path]:
                yield Finding("lost", f"{path} was changed")

    def _unsure(self, path: str) -> bool:
        """A temporary folder with no more than an empty file in it: it might be one that is just being made, so no run removes
        it."""
        folder = self.folder / path
        if folder.parent != self.temp or not folder.is_dir():
            return False
        return all(stat.S_ISREG(item.lstat().st_mode) and not item.lstat().st_size for item in folder.iterdir())

    def _all(self) -> Iterator[tuple[str, str]]:
        for home in (self.here, self.temp):
            for path in home.rglob("*"):
                yield str(path.relative_to(self.folder)), _mark(path)


def _below(path: str, places: Iterable[str]) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in places)


def _mark(path: Path) -> str:
    """What a thing is, as one word."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return f"link {os.readlink(path)}"
    if not stat.S_ISREG(mode):
        return f"kind {stat.S_IFMT(mode)}"
    if path.stat().st_size > HUGE:
        return f"file of {path.stat().st_size} bytes"
    return f"file {hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()}"


def judge_end(ended: Ended, codes: Collection[int]) -> Iterator[Finding]:
    """What is wrong with how a quiet call with ``--json`` ended. ``codes``: those that it may end with."""
    lines = [line for line in ended.err.splitlines() if line.strip()]
    said = " | ".join(lines)[-300:]
    if ended.code is None:
        yield Finding("hang", f"after {ended.seconds:.0f} s: {said}")
        return
    if ended.code == UNCAUGHT or "Traceback (most recent call last)" in ended.err:
        yield Finding("crash", said)
        return
    if ended.code < 0:
        yield Finding("crash", f"signal {-ended.code}: {said}")
        return
    if ended.code == 70:
        yield Finding("internal", said)
        return
    if ended.code not in codes:
        yield Finding("code", f"exit {ended.code}: {said}")
    if len(lines) != (ended.code != 0) or (ended.code and not lines[0].startswith("restyle: ")):
        yield Finding("noise", f"exit {ended.code}: {said}")
    if not ended.document:
        yield Finding("noise", f"exit {ended.code}, on stdout: {ended.out[-200:]!r}")
    elif ended.code and ended.document.get("error", {}).get("exit_code") != ended.code:
        yield Finding("noise", f"exit {ended.code}, but stdout says {json.dumps(ended.document)[:200]}")


def same_result(place: Path, wanted: Mapping[str, str]) -> Iterator[Finding]:
    """Whether a result, a file or a folder, is byte for byte ``wanted``."""
    found = marks(place)
    for name in sorted(found.keys() | wanted.keys()):
        if name not in found:
            yield Finding("wrong", f"{place.name}/{name} is missing" if name else f"{place.name} is missing")
        elif found[name] != wanted.get(name):
            yield Finding("wrong", f"{place.name}/{name} differs" if name else f"{place.name} differs")


def marks(place: Path) -> dict[str, str]:
    """Name -> what each thing of a result is; a single file has no name."""
    if place.is_dir() and not place.is_symlink():
        return {str(path.relative_to(place)): _mark(path) for path in place.rglob("*")}
    return {"": _mark(place)} if os.path.lexists(place) else {}
