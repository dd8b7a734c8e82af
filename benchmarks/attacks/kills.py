"""Sweep ``kills``: killed at any instant and started again, a command ends with the bytes of one that was never killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from shutil import copy2, rmtree

from attacks.judging import Finding, Place, judge_end, marks, same_result
from attacks.product import LIMIT, Ended, call, start
from attacks.settings import OTHERS, RUNS, SETTINGS, Setting, write_source
from attacks.sweep import Outcome, shown

__all__ = ["Kills"]

KINDS = ("analysis", "mattes", "plates", "maps", "paintings", "windows")


class Kills:
    """Each command at a random instant or exact call that touches the disk; once, twice, or beside another of its kind."""

    name = "kills"
    trials = 160

    def __init__(self) -> None:
        self._clip = Path()
        self._wanted: dict[str, dict[str, str]] = {}
        self._calls: dict[str, int] = {}
        self._seconds: dict[str, float] = {}

    def prepare(self, folder: Path, numbers: Sequence[int]) -> None:
        for setting in SETTINGS.values():
            place = Place(folder / setting.name)
            self._clip = write_source(place.here)
            began = time.monotonic()
            ended = finish(start(setting.words, cwd=place.here, temp=place.temp), setting.words)
            self._seconds[setting.name] = time.monotonic() - began
            if ended.code:
                raise SystemExit(f"{shown(setting.words)} failed: {ended.err}")
            self._calls[setting.name] = int(ended.err.split()[-1])
            self._wanted[setting.name] = marks(place.here / setting.output)

    def trial(self, draw: random.Random, number: int, place: Place, outcome: Outcome) -> None:
        setting = draw.choice(RUNS if number % 3 else OTHERS)
        copy2(self._clip, place.here / "clip.mp4")
        place.seal()
        words = [*setting.words, "--overwrite"]
        if number % 8 == 7:
            self._race(draw, setting, words, place, outcome)
        else:
            kills = draw.choice((1, 1, 2))
            outcome.what = f"{setting.name}, killed"
            for _ in range(kills):
                self._kill(draw, setting, words, place, outcome)
        ours = [f"here/{item}" for item in (setting.output, setting.job) if item]
        outcome.found += place.changes(ours, left=False)
        before = finished(place.here, setting)
        outcome.lines.append(shown(words))
        ended = call(words, cwd=place.here, temp=place.temp)
        outcome.found += judge_end(ended, (0,))
        outcome.found += place.changes(ours, left=ended.code is not None)
        if ended.code == 0:
            outcome.found += same_result(place.here / setting.output, self._wanted[setting.name])
            after = finished(place.here, setting)
            again = sorted(name for name, node in before.items() if after.get(name) != node)
            outcome.found += [Finding("lost", f"made again, though it was finished: {name}") for name in again]
            outcome.found += [
                Finding("unsaid", f"nothing is damaged: {note}") for note in ended.notes if "damaged" in note
            ]

    def _kill(self, draw: random.Random, setting: Setting, words: list[str], place: Place, outcome: Outcome) -> None:
        exact = draw.random() < 0.6
        at = draw.randint(1, self._calls[setting.name]) if exact else None
        wait = draw.uniform(0.2, 1.0) * self._seconds[setting.name]
        outcome.what += f" at call {at}" if exact else f" after {wait:.2f} s"
        process = start(words, cwd=place.here, temp=place.temp, at=at)
        if not exact:
            with suppress(subprocess.TimeoutExpired):
                process.wait(wait)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        ended = finish(process, words)
        outcome.ends.append("killed" if ended.code == -signal.SIGKILL else f"exit {ended.code}")
        if ended.code != -signal.SIGKILL:
            outcome.found += judge_end(_uncounted(ended), (0,))
        else:
            outcome.found += self._final(place, setting)

    def _final(self, place: Place, setting: Setting) -> Iterator[Finding]:
        """Nothing half-made bears the final name."""
        target = place.here / setting.output
        if target.is_file():
            yield from same_result(target, self._wanted[setting.name])

    def _race(self, draw: random.Random, setting: Setting, words: list[str], place: Place, outcome: Outcome) -> None:
        """Two at once on one output; at times, one of them is killed."""
        apart = setting.job is not None and draw.random() < 0.5
        others = [*words, "--job", f"{setting.job}-2"] if apart else words
        outcome.what = f"{setting.name}, two at once{', each in a job folder of its own' if apart else ''}"
        first = start(words, cwd=place.here, temp=place.temp)
        time.sleep(draw.uniform(0, 1) * self._seconds[setting.name])
        second = start(others, cwd=place.here, temp=place.temp)
        killed = draw.random() < 0.4
        if killed:
            time.sleep(draw.uniform(0.3, 1) * self._seconds[setting.name])
            victim = draw.choice((first, second))
            outcome.what += ", one of them killed"
            with suppress(ProcessLookupError):
                os.killpg(victim.pid, signal.SIGKILL)
        ends = [finish(first, words), finish(second, others)]
        outcome.lines += [shown(words), shown(others)]
        for ended in ends:
            outcome.ends.append("killed" if ended.code == -signal.SIGKILL else f"exit {ended.code}")
            if ended.code != -signal.SIGKILL:
                outcome.found += judge_end(_uncounted(ended), (0, 4, 5))
        if any(ended.code == 0 for ended in ends):
            outcome.found += same_result(place.here / setting.output, self._wanted[setting.name])
        elif not killed:
            outcome.found.append(Finding("wrong", "both failed"))
        if apart:
            rmtree(place.here / f"{setting.job}-2", ignore_errors=True)


def finish(process: subprocess.Popen[str], words: list[str]) -> Ended:
    """Wait for a call, at most the limit."""
    began = time.monotonic()
    try:
        out, err = process.communicate(timeout=LIMIT)
        code: int | None = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        code = None
    return Ended(tuple(words), code, out, err, time.monotonic() - began)


def _uncounted(ended: Ended) -> Ended:
    """Without the last line of ``killed.py``."""
    lines = ended.err.splitlines()
    return replace(ended, err="\n".join(lines[:-1])) if lines and lines[-1].isdigit() else ended


def finished(here: Path, setting: Setting) -> dict[str, int]:
    """Finished things of the job, with the identity of each on the disk."""
    if setting.job is None:
        return {}
    places = [here / setting.job / kind for kind in KINDS]
    return {
        f"{kind.name}/{item.name}": item.stat().st_ino for kind in places if kind.is_dir() for item in kind.iterdir()
    }
