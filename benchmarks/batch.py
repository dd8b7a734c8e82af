"""What a batch costs beside its clips: looking at many, and two workers against one.

    python benchmarks/batch.py                 all of it (some minutes)
    python benchmarks/batch.py index --clips 10000
    python benchmarks/batch.py pool --clips 8

*index*: a dry run over small clips, in a process of its own: seconds, processor seconds, and its peak of memory, against a
tenth of the clips. *pool*: the same short clips by one worker and by two, each with one core. Wall time tells the truth only
on a machine that does nothing else, so the processor time of all workers stands beside it: what two spend more is lost.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from footage import moving_clip

from restyle.batch.batch import Batch
from restyle.batch.engines.pool import ProcessPool

SMALL = (64, 48)
SHORT = (320, 180)


def dry_run(folder: Path, out: Path) -> tuple[float, float, float]:
    """Seconds, processor seconds and megabytes at the peak of a dry run in a process of its own."""
    code = (
        "import resource, sys; from restyle.cli import main; main(sys.argv[1:]); "
        "peak = int(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0]) / 1024; "
        "used = resource.getrusage(resource.RUSAGE_SELF); print(used.ru_utime + used.ru_stime, peak, file=sys.stderr)"
    )
    began = time.perf_counter()
    command = ["batch", str(folder), "-o", str(out), "--dry-run"]
    said = subprocess.run([sys.executable, "-c", code, *command], check=True, capture_output=True, text=True)
    wall = time.perf_counter() - began
    cpu, peak = map(float, said.stderr.split()[-2:])
    return wall, cpu, peak


def measure_index(clips: int, work: Path) -> None:
    """Print what a dry run of many clips takes."""
    folder = work / "many"
    sample = moving_clip(work / "sample.mp4", frames=4, width=SMALL[0], height=SMALL[1])
    peaks = []
    for count in (clips // 10, clips):
        for number in range(count):
            place = folder / f"{number // 100:04d}" / f"{number:06d}.mp4"
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(sample, place)
        wall, cpu, peak = dry_run(folder, work / "out")
        peaks.append(peak)
        print(f"dry run of {count:>6,} clips: {wall:6.1f} s, {cpu:6.1f} processor s, peak {peak:.0f} MB")
    print(f"peak of ten times the clips: x {peaks[1] / peaks[0]:.2f}")


def measure_pool(clips: int, work: Path, rounds: int) -> None:
    """Print how much two workers gain over one."""
    folder = work / "short"
    folder.mkdir()
    for number in range(clips):
        moving_clip(folder / f"{number}.mp4", frames=48 + number, width=SHORT[0], height=SHORT[1])
    best: dict[int, list[float]] = {}
    for round_number in range(rounds):
        for workers in (1, 2):
            out = work / f"out-{workers}-{round_number}"
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            began = time.perf_counter()
            engine = ProcessPool(workers, threads=1)
            results = list(Batch([folder], out, {"style": "lava"}, engine=engine).results())
            wall = time.perf_counter() - began
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            assert all(result.status == "done" for result in results)
            print(f"{workers} worker{'s' if workers > 1 else ' '}: {wall:6.1f} s, {cpu:6.1f} processor s")
            best[workers] = [min(*pair) for pair in zip(best.get(workers, [wall, cpu]), [wall, cpu], strict=True)]
            shutil.rmtree(out)
    (wall_one, cpu_one), (wall_two, cpu_two) = best[1], best[2]
    print(
        f"efficiency of two workers on {os.cpu_count()} cores, best of {rounds}: {wall_one / wall_two / 2:.2f} by the clock, "
        f"{cpu_one / cpu_two:.2f} by processor time (at least 0.9)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=["index", "pool", []], default=[])
    parser.add_argument("--clips", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        if not options.what or "index" in options.what:
            measure_index(options.clips or 10_000, Path(folder))
        if not options.what or "pool" in options.what:
            measure_pool(options.clips or 8, Path(folder), options.rounds)


if __name__ == "__main__":
    main()
