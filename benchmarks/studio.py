"""The studio's page, as somebody waits for it: ready, a first matte, a first painting; its memory while an hour is scrubbed.

    python benchmarks/studio.py [--runs 3] [--hour 86400]

Wants Debian's chromium, and the extra ``test``. The clip is the sample, enlarged to 720 lines; the hour is 86,400 small frames.
Times begin when the command is started, or the mouse is clicked, in a browser that is open already, and end when the picture is
on the page; of several runs, each of a studio of its own, the median. Memory is that of the studio's process, all that is its
own (PSS), after a hundred looks into the hour, and after a thousand.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from studio_browser import at, browser, page_of, tab  # noqa: E402

SIZE = (1280, 720)
FRAMES = 48
LOOKS = (100, 1000)


def enlarged(path: Path) -> None:
    """The sample's first frames at 720 lines."""
    with av.open(str(ROOT / "samples" / "harbour.mp4")) as source, av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=24, options={"crf": "16"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number, frame in enumerate(source.decode(video=0)):
            if number == FRAMES:
                break
            large = frame.reformat(*SIZE, format="yuv420p", interpolation="BICUBIC")
            large.pts, large.time_base = number, Fraction(1, 24)
            target.mux(stream.encode(large))
        target.mux(stream.encode(None))


def hour(path: Path, frames: int) -> None:
    """Many small frames, each a little different, with a keyframe every two seconds."""
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=24, options={"preset": "ultrafast", "g": "48"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        world = np.random.default_rng(1).integers(0, 255, (180, 640, 3), np.uint8)
        for number in range(frames):
            left = number % 320
            target.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(world[:, left : left + 320]))))
        target.mux(stream.encode(None))


@contextmanager
def started(clip: Path) -> Iterator[tuple[str, float, int]]:
    """A studio: its address, when it was started, its process."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "restyle", "studio", str(clip), "--no-open", "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), began, process.pid
    finally:
        process.terminate()
        process.wait(20)


def memory(pid: int) -> float:
    """MiB that are a process' own."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("Pss:")) / 1024


def settled(page: Page) -> None:
    page.wait_for_function("document.querySelector('.status').innerText === ''", timeout=600_000)


def one(clip: Path) -> dict[str, float]:
    """Seconds until each is there."""
    with browser() as opened, started(clip) as (address, began, _):
        listens = time.perf_counter() - began
        with page_of(opened, address) as page:
            page.wait_for_selector('canvas[data-frame="0"]')
            told = {"address printed": listens, "page ready, the first frame on it": time.perf_counter() - began}
            page.wait_for_function("document.querySelectorAll('.tile img[src]').length > 0")
            told["first look on the wall"] = time.perf_counter() - began
            settled(page)
            tab(page, "Objects")
            with page.expect_response(lambda answer: "/matte/0.png" in answer.url and answer.status == 200):
                clicked = time.perf_counter()
                page.mouse.click(*at(page, 0.73, 0.14, size=SIZE))
            told["first matte, from the click"] = time.perf_counter() - clicked
            settled(page)
            page.get_by_role("button", name="Remove object-1").click()
            tab(page, "Look")
            clicked = time.perf_counter()
            page.locator('[data-style="lava"]').click()
            page.wait_for_selector('canvas[data-right="painting"]')
            told["first painting, from the click"] = time.perf_counter() - clicked
            page.locator('[data-style="mosaic"]').click()
            settled(page)
            clicked = time.perf_counter()
            page.locator('[data-style="winter-ink"]').click()
            page.wait_for_function("document.querySelector('.status').innerText !== ''")
            settled(page)
            told["the next painting"] = time.perf_counter() - clicked
    return told


def scrubbed(clip: Path, frames: int) -> tuple[float, float]:
    """MiB after the few looks, and after the many."""
    draw = random.Random(1)
    found = []
    with browser() as opened, started(clip) as (address, _, pid), page_of(opened, address) as page:
        page.wait_for_selector('canvas[data-frame="0"]')
        settled(page)
        box = page.locator("canvas.timeline").bounding_box()
        assert box is not None
        for number in range(1, max(LOOKS) + 1):
            page.mouse.click(box["x"] + draw.random() * (box["width"] - 1), box["y"] + box["height"] / 2)
            page.wait_for_function("document.querySelector('.stage canvas').dataset.frame !== '-1'")
            if number in LOOKS:
                found.append(memory(pid))
    return found[0], found[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--hour", type=int, default=86_400, help="frames of the long clip")
    given = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        enlarged(Path(folder) / "clip.mp4")
        runs = []
        for number in range(given.runs + 1):
            own = Path(folder) / f"{number}"
            own.mkdir()
            (own / "clip.mp4").write_bytes((Path(folder) / "clip.mp4").read_bytes())
            runs.append(one(own / "clip.mp4"))
        for what in runs[0]:
            later = [run[what] for run in runs[1:]]
            print(f"{what:36} {statistics.median(later):6.2f} s   (the first time {runs[0][what]:.2f})")
        hour(Path(folder) / "hour.mp4", given.hour)
        few, many = scrubbed(Path(folder) / "hour.mp4", given.hour)
        print(f"memory after {LOOKS[0]} looks {few:.0f} MiB, after {LOOKS[1]} {many:.0f} MiB: {many / few:.2f}")


if __name__ == "__main__":
    main()
