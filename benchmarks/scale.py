"""What saturates first when many machines restyle very much footage: a simulation, with the costs that were measured.

    python benchmarks/scale.py                                      100 machines, 10,000 hours
    python benchmarks/scale.py --machines 400 --driver 0.004        four times as many, under a dearer driver
    python benchmarks/scale.py --bandwidth 1e9 --gpu-seconds 6      slow storage, and a painter on a GPU

Each window of each clip is a task: the driver hands it out (one after the other), a worker reads its frames from the shared
storage (one pipe for all), renders, and writes. Each clip is begun and joined by one worker, which reads it, or its windows,
once more. Windows of a shot are painted in order, shots are free. Simulated is a share of the footage that keeps all workers
busy for long; the rest is as that. The costs are arguments, whose defaults are what benchmarks/batch.py and docs/scale.md say.
"""

from __future__ import annotations

import argparse
import heapq
import random
from collections import deque
from dataclasses import dataclass, field

RATE = 25  # frames a second
WINDOW = 48  # frames


@dataclass
class Server:
    """Something that does one thing after the other."""

    free: float = 0.0
    busy: float = 0.0

    def serve(self, when: float, takes: float) -> float:
        """Time at which a request that comes at ``when`` is done."""
        self.free = max(self.free, when) + takes
        self.busy += takes
        return self.free


@dataclass
class Clip:
    shots: list[int]
    """Windows of each shot that are not handed out yet."""
    windows: int
    left: int
    """Windows that are not finished."""
    chained: bool
    waiting: list[int] = field(default_factory=list)
    """Shots whose next window can be painted."""


def clips_of(hours: float, options: argparse.Namespace) -> deque[Clip]:
    """Clips of some hours of footage, with shots of about 4 seconds."""
    random.seed(1)
    clips: deque[Clip] = deque()
    left = hours * 3600
    while left > 0:
        seconds = min(left, options.clip_minutes * 60 * random.uniform(0.5, 1.5))
        shots, of_clip = [], seconds
        while of_clip > 0:
            shot = random.expovariate(1 / options.shot_seconds) + 0.5
            shots.append(max(1, round(shot * RATE / WINDOW)))
            of_clip -= shot
        clips.append(Clip(shots, sum(shots), sum(shots), options.painter != "identity"))
        left -= seconds
    return clips


def simulate(workers: int, hours: float, options: argparse.Namespace) -> dict[str, float]:
    """Hours of footage in an hour, and how busy each part is."""
    driver, storage = Server(), Server()
    waiting, begun = clips_of(hours, options), []
    tasks = rendered = 0
    events = [(0.0, number, "idle", -1, -1) for number in range(workers)]  # when, worker, what ends, clip, shot
    heapq.heapify(events)
    idle: list[int] = []
    work = loads = end = 0.0
    loaded: set[int] = set()

    def hand_out(now: float, worker: int) -> bool:
        nonlocal work, loads, tasks
        place = next((n for n, clip in enumerate(begun) if clip.waiting or clip.left == 0), None)  # the oldest first
        if place is not None and (begun[place].left == 0 or len(begun) >= workers or not waiting):
            clip = begun[place]
            if clip.left == 0:
                frames = clip.windows * WINDOW
                kind, shot, moved, cpu = "finish", -1, frames * 2 * options.out_bytes, frames * options.join_seconds
                begun.pop(place)
            else:
                shot = clip.waiting.pop()
                clip.shots[shot] -= 1
                frames = WINDOW
                kind, moved, cpu = (
                    "window",
                    frames * (options.in_bytes + options.out_bytes),
                    frames * options.frame_seconds,
                )
                cpu += options.gpu_seconds + options.window_seconds
                if worker not in loaded:
                    loaded.add(worker)
                    moved, cpu, loads = moved + options.model_bytes, cpu + options.load_seconds, loads + 1
        elif waiting:
            clip = waiting.popleft()
            frames = clip.left * WINDOW
            kind, shot, moved, cpu = "begin", -1, frames * options.in_bytes, frames * options.look_seconds
        else:
            return False
        tasks += 1
        start = storage.serve(driver.serve(now, options.driver), moved / options.bandwidth)
        work += cpu
        key = id(clip)
        alive[key] = clip
        heapq.heappush(events, (start + cpu, worker, kind, key, shot))
        if kind == "window" and clip.chained and clip.shots[shot]:
            heapq.heappush(events, (start + cpu * options.painting, -1, "painted", key, shot))
        return True

    alive: dict[int, Clip] = {}
    while events:
        now, worker, kind, key, shot = heapq.heappop(events)
        end = max(end, now)
        clip = alive.get(key)
        if clip is not None and kind == "begin":
            clip.waiting = [n for n, count in enumerate(clip.shots) for _ in range(1 if clip.chained else count)]
            begun.append(clip)
        elif clip is not None and kind == "painted":
            clip.waiting.append(shot)
        elif clip is not None and kind == "window":
            clip.left -= 1
            rendered += WINDOW
        if worker >= 0:
            idle.append(worker)
        while idle and hand_out(now, idle[-1]):
            idle.pop()
    made = rendered / RATE / 3600
    return {
        "speed": made / (end / 3600),
        "workers": work / workers / end,
        "driver": driver.busy / end,
        "storage": storage.busy / end,
        "loads": loads * options.load_seconds / workers / end,
        "tasks": tasks / end,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, nargs="*", default=[1, 10, 100, 400, 1600])
    parser.add_argument("--each", type=int, default=8, help="workers of a machine")
    parser.add_argument("--hours", type=float, default=10_000, help="of footage, in all")
    parser.add_argument("--painter", choices=["identity", "neural-style", "diffusion"], default="neural-style")
    parser.add_argument("--clip-minutes", type=float, default=5)
    parser.add_argument("--shot-seconds", type=float, default=4)
    parser.add_argument("--driver", type=float, default=0.003, help="seconds of the driver for a task")
    parser.add_argument("--bandwidth", type=float, default=5e9, help="bytes a second of the shared storage")
    parser.add_argument(
        "--in-bytes", type=float, default=50e3, help="bytes of a frame of footage (10 Mbit/s at 25 frames/s)"
    )
    parser.add_argument(
        "--out-bytes", type=float, default=60e3, help="bytes of a frame of a window, its paintings aside"
    )
    parser.add_argument("--look-seconds", type=float, default=0.012, help="of a worker, to analyse a frame")
    parser.add_argument("--frame-seconds", type=float, default=0.5, help="of a worker, to render a frame")
    parser.add_argument("--join-seconds", type=float, default=0.002, help="of a worker, to join a frame, and report")
    parser.add_argument("--window-seconds", type=float, default=0.005, help="of a worker, for a task beside its frames")
    parser.add_argument("--gpu-seconds", type=float, default=0.0, help="for a window's paintings on a GPU")
    parser.add_argument(
        "--painting", type=float, default=0.5, help="share of a window's time after which it is painted"
    )
    parser.add_argument("--model-bytes", type=float, default=5e6)
    parser.add_argument("--load-seconds", type=float, default=3.0, help="of a worker, to start and load models")
    options = parser.parse_args()
    print(
        "machines  workers  footage h/h  days for all   workers  driver  storage  model loads  tasks/s   first to saturate"
    )
    for machines in options.machines:
        workers = machines * options.each
        hours = workers * 0.05 + 2 * options.clip_minutes / 60 * workers / 8
        made = simulate(workers, hours, options)
        days = options.hours / made["speed"] / 24
        first = max(("workers", "driver", "storage"), key=lambda name: made[name])
        print(
            f"{machines:8}  {workers:7}  {made['speed']:11.1f}  {days:12.1f}   {made['workers']:7.0%}  {made['driver']:6.0%}  "
            f"{made['storage']:7.0%}  {made['loads']:11.1%}  {made['tasks']:7.1f}   {first}",
            flush=True,
        )


if __name__ == "__main__":
    main()
