"""What a batch costs beside its clips: looking at many, and two workers against one.

    python benchmarks/batch.py                 all of it (some minutes)
    python benchmarks/batch.py index --clips 10000
    python benchmarks/batch.py pool ray --clips 8
    python benchmarks/batch.py windows clip

*index*: a dry run over small clips, in a process of its own: seconds, processor seconds, and its peak of memory, against a
tenth of the clips. *pool*, *ray*: the same short clips by one worker and by two, each with one core. *windows*: what a window
costs as a task of its own, over a job of 1,000 of them that paints nothing, against the same job in one go. *clip*: one clip of
8 shots by one worker in one go, and spread over two.

Wall time tells the truth only on a machine that does nothing else, so processor time stands beside it: what two workers spend
more than one is lost, and what two could do at best follows from the processor time of each task.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).resolve().parent))
from footage import moving_clip

from restyle.batch.batch import Batch
from restyle.engines import Engine
from restyle.engines.in_process import InProcess
from restyle.engines.pool import ProcessPool
from restyle.job.job import Job
from restyle.job.order import JobOrder
from restyle.job.spread import OneJob, Spread
from restyle.job.worker import JobWorker, Spent
from restyle.recipe import Recipe

PARTS = ["index", "pool", "ray", "windows", "clip"]
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


def measure_engine(name: str, clips: int, work: Path, rounds: int) -> None:
    """Print how much two workers gain over one."""
    folder = work / "short"
    folder.mkdir(exist_ok=True)
    for number in range(clips):
        moving_clip(folder / f"{number}.mp4", frames=48 + number, width=SHORT[0], height=SHORT[1])
    best: dict[int, list[float]] = {}
    goal = {"pool": 0.9, "ray": 0.85}[name]
    for round_number in range(rounds):
        for workers in (1, 2):
            out = work / f"out-{workers}-{round_number}"
            if name == "ray":
                from restyle.engines.cluster import RayCluster

                engine: Engine = RayCluster(workers, threads=1)  # its start is none of the work
            else:
                engine = ProcessPool(workers, threads=1)
            own = time.process_time()
            began = time.perf_counter()
            results = list(Batch([folder], out, {"style": "lava"}, engine=engine).results())
            wall = time.perf_counter() - began
            assert all(result.status == "done" for result in results), [result.line for result in results]
            cpu = sum(result.facts["cpu_seconds"] for result in results) + time.process_time() - own
            print(
                f"{name}, {workers} worker{'s' if workers > 1 else ' '}: {wall:6.1f} s, {cpu:6.1f} processor s",
                flush=True,
            )
            best[workers] = [min(*pair) for pair in zip(best.get(workers, [wall, cpu]), [wall, cpu], strict=True)]
            shutil.rmtree(out)
    (wall_one, cpu_one), (wall_two, cpu_two) = best[1], best[2]
    print(
        f"{name}: efficiency of two workers on {os.cpu_count()} cores, best of {rounds}: {wall_one / wall_two / 2:.2f} by the "
        f"clock, {cpu_one / cpu_two:.2f} by processor time (at least {goal})"
    )


class MeasuredJob(OneJob):
    """One job as all the work that there is; keeps what each task took."""

    def __init__(self, order: JobOrder) -> None:
        super().__init__(Spread(order, "job", alone=0))
        self.took: dict[str, Spent] = {}

    def run(self, engine: Engine) -> None:
        for outcome in engine.run(self, JobWorker, threading.Event()):
            assert outcome.ended == "done", outcome.message
            self.took[outcome.name] = outcome.value
            self.take_end(outcome)

    @property
    def windows(self) -> list[float]:
        """Processor seconds of each window."""
        return [spent.cpu_seconds for name, spent in self.took.items() if ": window" in name]


def whole(clip: Path, work: Path, recipe: Recipe) -> tuple[float, float]:
    """Seconds and processor seconds of a job in one go."""
    began, cpu = time.perf_counter(), time.process_time()
    Job(clip, work / "whole.mkv", recipe, report=False, overwrite=True, fresh=True).run()
    return time.perf_counter() - began, time.process_time() - cpu


def order_of(clip: Path, output: Path, recipe: Recipe) -> JobOrder:
    return JobOrder(str(clip), str(output), f"{output}.job", recipe.to_text(), report=False)


def measure_windows(count: int, work: Path, rounds: int) -> None:
    """Print what a window costs as a task of its own."""
    clip = moving_clip(work / "windows.mp4", frames=2 * count, width=SMALL[0], height=SMALL[1])
    recipe = Recipe(painter="identity", cuts=tuple(range(2, 2 * count, 2)), filler="hold")
    cv2.setNumThreads(1)
    best = [float("inf")] * 3
    for number in range(rounds):
        taken = [whole(clip, work, recipe)[1]]
        for name, engine in (("here", InProcess(1)), ("pool", ProcessPool(1, threads=1))):
            job, own = MeasuredJob(order_of(clip, work / f"{name}{number}.mkv", recipe)), time.process_time()
            job.run(engine)
            assert len(job.windows) == count
            elsewhere = sum(spent.cpu_seconds for spent in job.took.values()) if name == "pool" else 0.0
            taken.append(time.process_time() - own + elsewhere)
        best = [min(pair) for pair in zip(best, taken, strict=True)]
    for name, cpu in zip(("in process", "pool"), best[1:], strict=True):
        each = (cpu - best[0]) / count * 1000
        print(f"a window as a task, {name}: {each:.2f} ms more than {best[0] / count * 1000:.2f} (at most 5 ms more)")


def measure_clip(work: Path, rounds: int) -> None:
    """Print how much one clip of 8 shots gains by two workers."""
    clip = moving_clip(work / "clip.mp4", frames=8 * 60, width=SHORT[0], height=SHORT[1])
    recipe = Recipe(style="lava", cuts=tuple(range(60, 480, 60)), painter_options={"threads": 1})
    os.environ.update(OMP_NUM_THREADS="1")
    cv2.setNumThreads(1)
    walls, speeds, one = [], [], float("inf")
    for number in range(rounds):
        single = MeasuredJob(order_of(clip, work / f"one{number}.mp4", recipe))
        began = time.perf_counter()
        single.run(ProcessPool(1, threads=1))
        wall_one = time.perf_counter() - began
        one = min(one, sum(spent.cpu_seconds for spent in single.took.values()))
        double = MeasuredJob(order_of(clip, work / f"two{number}.mp4", recipe))
        began = time.perf_counter()
        double.run(ProcessPool(2, threads=1))
        walls.append(wall_one / (time.perf_counter() - began))
        assert (work / f"one{number}.mp4").read_bytes() == (work / f"two{number}.mp4").read_bytes()
        loads = [0.0, 0.0]
        for cpu in double.windows:  # in the order in which they ended: each by who has done less
            loads[loads.index(min(loads))] += cpu
        alone = sum(double.took[f"job: {kind}"].cpu_seconds for kind in ("begin", "finish"))
        speeds.append(one / (alone + max(loads)))
        print(f"one clip of 8 shots: {wall_one:.1f} s by one worker, x {walls[-1]:.2f} by two", flush=True)
    print(
        f"one clip of 8 shots over two workers, best of {rounds}: x {max(walls):.2f} by the clock, x {max(speeds):.2f} by the "
        f"processor time of its tasks, of which {alone:.2f} s of {one:.2f} s are done by one alone (at least x 1.7)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--clips", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--folder", type=Path, help="where the clips are made, by default the system's temporary folder"
    )
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    wanted = options.what or PARTS
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        if "index" in wanted:
            measure_index(options.clips or 10_000, Path(folder))
        for name in ("pool", "ray"):
            if name in wanted:
                measure_engine(name, options.clips or 8, Path(folder), options.rounds)
        if "windows" in wanted:
            measure_windows(1000, Path(folder), options.rounds)
        if "clip" in wanted:
            measure_clip(Path(folder), options.rounds)


if __name__ == "__main__":
    main()
