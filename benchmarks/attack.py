"""Attacks the command line, from a seed: nothing may be lost, wrong, hang or end in an internal error.

    python benchmarks/attack.py [--sweep kills,job,media,recipes] [--seed N] [--trials N] [--only N] [--jobs N] [--keep DIR]

Four sweeps: ``kills`` (a run killed at any instant and started again), ``job`` (every file of a job folder damaged, one after
another), ``media`` (sound footage of every kind, mutated) and ``recipes`` (odd ones). A trial is decided by the seed and its
number alone: ``--sweep job --only 17`` repeats it, and keeps its folder. Prints what went wrong, and last the counts; ends with
1 if any but the first is above 0. ``attacks/judging.py`` says what is counted.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing as mp
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

sys.path.insert(
    0, str(Path(__file__).resolve().parents[1])
)  # attacked is the code beside this file, not an installed one
sys.path.insert(0, str(Path(__file__).resolve().parent))
from attacks import product
from attacks.damage import DamagedJobs
from attacks.judging import HUGE, KINDS, Finding
from attacks.kills import Kills
from attacks.media import MutatedMedia
from attacks.recipes import OddRecipes
from attacks.sweep import Outcome, Sweep, attempt

SWEEPS: dict[str, type[Sweep]] = {"kills": Kills, "job": DamagedJobs, "media": MutatedMedia, "recipes": OddRecipes}
KEPT = 40  # folders of failed trials


def run(sweep: Sweep, numbers: Sequence[int], *, seed: int, folder: Path, jobs: int) -> Iterator[tuple[int, Outcome]]:
    """Make the trials, in ``jobs`` processes; gives number and outcome of each, as they end."""
    context = mp.get_context("fork")  # trials fork from processes that have imported everything and run nothing
    with context.Pool(jobs, _begin, (sweep, seed, folder)) as pool:
        yield from pool.imap_unordered(_attempt, numbers)
        pool.close()
        pool.join()


def _begin(sweep: Sweep, seed: int, folder: Path) -> None:
    global _running
    _running = (sweep, seed, folder)


_running: tuple[Sweep, int, Path]


def _attempt(number: int) -> tuple[int, Outcome]:
    sweep, seed, folder = _running
    try:
        return number, attempt(sweep, seed, number, folder / f"{number:05d}")
    except Exception as error:  # the sweep's own fault; the others go on
        return number, Outcome(what=f"the trial itself failed: {error!r}", found=[Finding("crash", repr(error))])


def attack(name: str, numbers: Sequence[int] | None, *, seed: int, jobs: int, keep: Path) -> Counter[str]:
    """One sweep: prints what it finds, and gives its counts by kind, and ``"trials"``."""
    import shutil

    sweep = SWEEPS[name]()
    counts: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="attack-") as aside:
        folder = Path(aside)
        wanted = range(sweep.trials) if numbers is None else numbers
        sweep.prepare(folder / "prepared", wanted)
        for number, outcome in run(sweep, wanted, seed=seed, folder=folder, jobs=jobs):
            counts["trials"] += 1
            counts.update({finding.kind for finding in outcome.found})
            ends.update(outcome.ends)
            place = folder / f"{number:05d}"
            if outcome.found or len(wanted) == 1:
                shown = keep / f"{name}-{seed}-{number:05d}"
                _tell(name, seed, number, outcome)
                if sum(1 for _ in keep.glob("*")) < KEPT or len(wanted) == 1:
                    shutil.rmtree(shown, ignore_errors=True)
                    shutil.copytree(place, shown, symlinks=True, ignore=_special)
                    (shown / "trial.json").write_text(json.dumps(asdict(outcome), indent=1, ensure_ascii=True))
            shutil.rmtree(place, ignore_errors=True)
    summary = ", ".join(f"{count} {end}" for end, count in ends.most_common())
    print(f"{name}: {counts['trials']} trials in {time.monotonic() - began:.0f} s; calls: {summary}", flush=True)
    return counts


def _special(folder: str, names: list[str]) -> list[str]:
    """What ``copytree`` would wait for, or fill the disk with."""
    paths = {name: Path(folder, name) for name in names}
    return [
        name
        for name, path in paths.items()
        if not path.is_symlink() and not path.is_dir() and not (path.is_file() and path.stat().st_size < HUGE)
    ]


def _tell(name: str, seed: int, number: int, outcome: Outcome) -> None:
    print(f"{name} {number} (--seed {seed} --sweep {name} --only {number}): {outcome.what}")
    for finding in outcome.found:
        print(f"    {finding.kind}: {finding.what}")
    for line in dict.fromkeys(outcome.lines):
        print(f"    $ {line}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sweep", default=",".join(SWEEPS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trials", type=int, help="of each sweep; by default as many as it has for a full run")
    parser.add_argument("--only", type=int, help="repeat the trial of this number")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, default=Path("out/attack"), help="where failed trials are kept")
    options = parser.parse_args()
    if unknown := set(options.sweep.split(",")) - set(SWEEPS):
        parser.error(f"no such sweep: {', '.join(sorted(unknown))}; there are: {', '.join(SWEEPS)}")
    product.preload()
    numbers = None if options.trials is None else range(options.trials)
    if options.only is not None:
        numbers = [options.only]
    options.keep.mkdir(parents=True, exist_ok=True)
    found = {
        name: attack(name, numbers, seed=options.seed, jobs=options.jobs, keep=options.keep.resolve())
        for name in options.sweep.split(",")
    }
    print("\n" + "".join(f"{column:>9}" for column in ("", "trials", *KINDS)))
    for name, counts in found.items():
        print(f"{name:>9}" + "".join(f"{counts[column]:9d}" for column in ("trials", *KINDS)))
    sys.exit(any(counts[kind] for counts in found.values() for kind in KINDS))


if __name__ == "__main__":
    main()
