"""How soon the studio shows something, and what it holds while a clip of an hour is scrubbed.

    python benchmarks/studio.py                        times: wants a machine that does nothing else
    python benchmarks/studio.py --hour [--steps 600]   memory: takes some minutes
    python benchmarks/studio.py --clip FILE            another clip than one made on the spot

Needs Debian's chromium and the extra ``test``. Times begin with the process, or with the click, and end when the browser,
which is open already, shows what was asked for: the first frame, a matte, a painting; each in a studio of its own that has
just been opened, and while it paints its wall of looks. The floor is a page of NiceGUI with one label, started and looked at
likewise. The hour is a minute whose packets are repeated; the time line is dragged to and fro over it. Prints a line each and,
last, all as JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import av
from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "benchmarks"))
from footage import moving_clip  # noqa: E402
from studio_browser import at, browser, page_of, tab  # noqa: E402

LIMIT = 2.0  # seconds
GROWTH = 1.15  # of memory, from the scrub's first third to its end
FLOOR = """
from nicegui import ui
@ui.page("/")
def index():
    ui.label("here")
ui.run(host="127.0.0.1", port=PORT, show=False, reload=False, show_welcome_message=False, tailwind=False)
"""


@contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process, ended with the block."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


@contextmanager
def studio_of(clip: Path) -> Iterator[tuple[int, str]]:
    """A studio's process and address."""
    with started([sys.executable, "-m", "restyle", "studio", str(clip), "--no-open"]) as process:
        assert process.stdout is not None
        yield process.pid, process.stdout.readline().strip()


def seen(page: Page) -> None:
    page.wait_for_selector('canvas[data-frame="0"]')


def ready(opened: Browser, clip: Path) -> float:
    """Seconds from the start to the first frame."""
    began = time.perf_counter()
    with studio_of(clip) as (_, address), page_of(opened, address) as page:
        seen(page)
        return time.perf_counter() - began


def floor(opened: Browser) -> float:
    """Seconds from the start of a page with one label to the label."""
    port = 18_431
    began = time.perf_counter()
    with started([sys.executable, "-c", FLOOR.replace("PORT", str(port))]):
        context = opened.new_context()
        page = context.new_page()
        while True:
            try:
                page.goto(f"http://127.0.0.1:{port}/")
                break
            except Exception:
                time.sleep(0.02)
        page.get_by_text("here").wait_for()
        took = time.perf_counter() - began
        context.close()
        return took


def clicked(opened: Browser, clip: Path, click: Callable[[Page], None], shown: str) -> tuple[float, float]:
    """Seconds from a click to what it shows: at once after the page is there, and again ten frames on."""
    with studio_of(clip) as (_, address), page_of(opened, address) as page:
        seen(page)
        took = []
        for frame in (0, 10):
            began = time.perf_counter()
            click(page)
            page.wait_for_selector(f'canvas[data-frame="{frame}"]{shown}')
            took.append(time.perf_counter() - began)
            page.keyboard.press("Escape")
            page.locator(".stage canvas").focus()
            page.get_by_role("button", name="Footage", exact=True).click()
            page.keyboard.press("Shift+ArrowRight")
            page.wait_for_selector(f'canvas[data-frame="{frame + 10}"]')
            page.wait_for_timeout(500)
        return took[0], took[1]


def matte(opened: Browser, clip: Path, size: tuple[int, int]) -> tuple[float, float]:
    def click(page: Page) -> None:
        if page.locator("canvas.marking").count() == 0:
            tab(page, "Objects")
        page.mouse.click(*at(page, 0.3, 0.5, size=size))

    return clicked(opened, clip, click, ':not([data-overlay="-1"])')


def painting(opened: Browser, clip: Path) -> tuple[float, float]:
    looks = iter(("lava", "mosaic"))
    return clicked(
        opened, clip, lambda page: page.locator(f'[data-style="{next(looks)}"]').click(), '[data-right="painting"]'
    )


def hour(minute: Path, path: Path) -> int:
    """Write a clip of an hour: the minute's packets, sixty times; gives its number of frames."""
    with av.open(str(minute)) as read:
        stream = read.streams.video[0]
        packets = [(bytes(p), p.pts, p.dts, p.is_keyframe) for p in read.demux(stream) if p.pts is not None]
        base, length = stream.time_base, stream.duration or 0
        assert base is not None
        with av.open(str(path), "w") as write:
            outward = write.add_stream_from_template(stream)
            for turn in range(60):
                for data, pts, dts, key in packets:
                    packet = av.Packet(data)
                    packet.pts, packet.dts = (pts or 0) + turn * length, (dts or 0) + turn * length
                    packet.time_base = base
                    packet.is_keyframe, packet.stream = key, outward
                    write.mux(packet)
    return 60 * len(packets)


def resident(pid: int) -> float:
    """Memory of a process, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


@dataclass
class Scrubbed:
    """What came of dragging over a time line."""

    frames: int
    first_frame: float
    """Seconds from the start to the first frame."""
    wait: float
    """Seconds until a place's frame was shown, the median."""
    memory: dict[int, float]
    """Places -> MiB of the studio's process then."""

    @property
    def growth(self) -> float:
        """Memory at the end over that after a third."""
        last = max(self.memory)
        return self.memory[last] / self.memory[min(step for step in self.memory if step >= last / 3)]


def scrubbed(opened: Browser, clip: Path, frames: int, steps: int) -> Scrubbed:
    """Drag over the time line, to places all over the clip."""
    began = time.perf_counter()
    with studio_of(clip) as (pid, address), page_of(opened, address) as page:
        seen(page)
        found = Scrubbed(frames, time.perf_counter() - began, 0.0, {})
        page.wait_for_function(f"document.querySelector('.at').innerText.includes('{frames - 1:,}')")
        page.wait_for_function("document.querySelectorAll('.tile img[src]').length === 26", timeout=300_000)
        box = page.locator("canvas.timeline").bounding_box()
        assert box is not None
        waits = []
        page.mouse.move(box["x"] + 1, box["y"] + 20)
        page.mouse.down()
        for step in range(1, steps + 1):
            moved = time.perf_counter()
            page.mouse.move(box["x"] + box["width"] * ((step * 0.618034) % 1), box["y"] + 20)
            page.wait_for_function(
                "document.querySelector('.stage canvas').dataset.frame === "
                "document.querySelector('.timeline').getAttribute('aria-valuenow')"
            )
            waits.append(time.perf_counter() - moved)
            if step % 50 == 0:
                found.memory[step] = resident(pid)
                print(f"  after {step:5d} places: {found.memory[step]:7.1f} MiB", flush=True)
        page.mouse.up()
        found.wait = statistics.median(waits)
    return found


def times(opened: Browser, clip: Path, size: tuple[int, int], count: int) -> dict[str, float]:
    """Seconds, the medians of several."""
    ready(opened, clip)  # what is read from disk once is read
    told = {
        "ready": statistics.median(ready(opened, clip) for _ in range(count)),
        "floor": statistics.median(floor(opened) for _ in range(count)),
    }
    told["ready over floor"] = told["ready"] / told["floor"]
    for what, measure in (("matte", partial(matte, opened, clip, size)), ("painting", partial(painting, opened, clip))):
        firsts, others = zip(*(measure() for _ in range(count)), strict=True)
        told |= {f"first {what}": statistics.median(firsts), f"next {what}": statistics.median(others)}
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--hour", action="store_true")
    parser.add_argument("--steps", type=int, default=600)
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    with tempfile.TemporaryDirectory() as name, browser() as opened:
        folder = Path(name)
        if options.hour:
            minute = moving_clip(folder / "minute.mp4", frames=1440, width=width, height=height)
            found = scrubbed(opened, folder / "hour.mp4", hour(minute, folder / "hour.mp4"), options.steps)
            print(f"{found.frames:,} frames: the first after {found.first_frame:.2f} s, a place {found.wait:.2f} s")
            print(f"memory at the end over that after a third: {found.growth:.3f} (at most {GROWTH})")
            told, wrong = asdict(found) | {"growth": found.growth}, found.growth > GROWTH
        else:
            clip = options.clip or moving_clip(folder / "clip.mp4", frames=120, width=width, height=height)
            measured = times(opened, clip, (width, height), options.times)
            for key, value in measured.items():
                print(f"{key:>16}: {value:.2f}{' s' if 'over' not in key else ''}")
            told = dict(measured)
            wrong = any(measured[key] > LIMIT for key in ("ready", "first matte", "first painting"))
    print(json.dumps({"size": options.size, **told}))
    sys.exit(wrong)


if __name__ == "__main__":
    main()
