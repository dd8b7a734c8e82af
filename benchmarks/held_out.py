"""In-betweens against what was really there: every second frame is held out, drawn anew, and compared.

    python benchmarks/held_out.py [CLIP ...] [--frames 41] [--without rife,hybrid] [--painted] [--json FILE]

Interpolators side by side, with FFmpeg's ``minterpolate`` (motion-compensated, bidirectional, overlapped blocks of variable
size: its best setting) in the same run. PSNR and SSIM are of the in-betweens alone; the warp error (Lai et al.) is of the whole
series along the full footage's own motion, beside the footage's own. Milliseconds a megapixel drawn are wall-clock, reading and
writing left out on both sides; minterpolate's frames go in and come out as 4:4:4, which it needs, and the conversion counts.
RIFE runs if its weights are there, on the CPU if there is no other device.

``--painted``: the fillers instead, between keyframes painted every 8 frames by the default painter: warp error along the
footage's motion (as a ratio to painting every frame), and sharpness of the in-betweens over that of the keyframes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from interp.errors import InterpError
from interp.flow.dis import DisEstimator
from interp.interpolate import INTERPOLATORS
from interp.pixels.sizes import motion_size
from interp.tracks import MotionTrack
from interp.types import Gap
from restyle.footage import open_footage
from restyle.job.job import Job
from restyle.painters.base import PaintRequest
from restyle.painters.neural_style.painter import NeuralStylePainter
from restyle.quality import measures
from restyle.quality.motion import estimate_flow, occlusion
from restyle.recipe import Recipe
from restyle.registry import make_filler

RIVAL = "minterpolate"
OPTIONS = "mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1"
STEP = 8  # frames from one painted keyframe to the next


def minterpolate(kept: list[np.ndarray]) -> list[np.ndarray]:
    """FFmpeg's in-betweens of frames: one between each two."""
    height, width = kept[0].shape[:2]
    graph = av.filter.Graph()
    source = graph.add_buffer(width=width, height=height, format="yuv444p", time_base=Fraction(1, 25))
    filtered, sink = graph.add("minterpolate", f"fps=50:{OPTIONS}"), graph.add("buffersink")
    source.link_to(filtered)
    filtered.link_to(sink)
    graph.configure()
    made: dict[int, np.ndarray] = {}

    def pull() -> None:
        while True:
            try:
                frame = graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            made[round(frame.pts * frame.time_base * 50)] = frame.to_ndarray(format="rgb24")

    # It holds back the last few frames for good: repeats of the last one push the others out.
    for number, picture in enumerate([*kept, kept[-1], kept[-1], kept[-1]]):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv444p")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        graph.push(frame)
        pull()
    graph.push(None)
    pull()
    return [made[2 * place + 1] for place in range(len(kept) - 1)]


def drawn_by(name: str) -> Callable[[list[np.ndarray]], list[np.ndarray]]:
    if name == RIVAL:
        return minterpolate
    interpolator = INTERPOLATORS.make(name)
    return lambda kept: [next(iter(interpolator.interpolate(a, b, [0.5]))) for a, b in pairwise(kept)]


def motion_of(frames: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Flow and what is visible, from each frame to the next."""
    found = []
    for a, b in pairwise(frames):
        there, back = estimate_flow(a, b), estimate_flow(b, a)
        found.append((there, ~occlusion(there, back)))
    return found


def along(frames: list[np.ndarray], motion: list[tuple[np.ndarray, np.ndarray]]) -> float:
    return float(np.mean([measures.warp_error(a, b, *m) for (a, b), m in zip(pairwise(frames), motion, strict=True)]))


def held_out(name: str, frames: list[np.ndarray], motion: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    kept, truth = frames[::2], frames[1::2]
    draw = drawn_by(name)
    draw(kept[:2])
    began = time.perf_counter()
    made = draw(kept)
    spent = time.perf_counter() - began
    series = [made[t // 2] if t % 2 else frames[t] for t in range(len(frames))]
    return {
        "psnr": float(np.mean([measures.psnr(a, b) for a, b in zip(truth, made, strict=True)])),
        "ssim": float(np.mean([measures.structure(a, b) for a, b in zip(truth, made, strict=True)])),
        "warp_error": along(series, motion),
        "ms_a_megapixel": spent * 1e3 / (len(made) * frames[0].shape[0] * frames[0].shape[1] / 1e6),
    }


def painted(name: str, frames: list[np.ndarray], motion: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Fill between painted keyframes."""
    track = MotionTrack(DisEstimator(), working=motion_size(*frames[0].shape[1::-1]))
    for frame in frames:
        track.add(frame)
    numbers = list(range(0, len(frames), STEP))
    painter = NeuralStylePainter()
    keys, _ = painter.paint(_work(frames, numbers, track), None)
    each = [painter.paint(_work(frames, [number], track), None)[0][0] for number in range(len(frames))]
    painter.close()
    filler = make_filler(name, {})
    series: dict[int, np.ndarray] = dict(zip(numbers, keys, strict=True))
    began = time.perf_counter()
    for (left, one), (right, other) in pairwise(list(series.items())):
        gap = Gap(frames[left : right + 1], left, track, one, other)
        series |= {left + place: made.picture for place, made in zip(gap.inner, filler.propagate(gap), strict=True)}
    spent = time.perf_counter() - began
    shown = [series[number] for number in sorted(series)]
    sharp = [measures.sharpness(picture) for picture in shown]
    interpolate = [value for number, value in enumerate(sharp) if number % STEP]
    return {
        "warp_error_over_each_frame_painted": along(shown, motion) / along(each, motion),
        "sharpness_over_keyframes": float(np.mean(interpolate) / np.mean(sharp[::STEP])),
        "ms_a_megapixel": spent * 1e3 / (len(interpolate) * frames[0].shape[0] * frames[0].shape[1] / 1e6),
    }


def _work(frames: list[np.ndarray], numbers: list[int], track: MotionTrack) -> PaintRequest:
    return PaintRequest(
        shot=0,
        frames=tuple(numbers),
        pictures=tuple(frames[number] for number in numbers),
        seeds=(0,) * len(numbers),
        tracker=track,
        positions=tuple(numbers),
        fixed={},
        tick=lambda doing: None,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, help="footage (default: our sample)")
    parser.add_argument(
        "--frames", type=int, default=41, help="of each clip, from its start; of these, the longest shot"
    )
    parser.add_argument("--without", default="", help="names that are left out")
    parser.add_argument("--painted", action="store_true", help="fillers between painted keyframes")
    parser.add_argument("--json", type=Path, help="keep the figures in this file")
    options = parser.parse_args()
    clips = options.clips
    if not clips:
        import samples

        clips = [samples.clip()]
    names = ["hold", "along-motion", "rife", "hybrid"] if options.painted else ["hold", "cross-fade", RIVAL]
    names += [] if options.painted else [name for name in INTERPOLATORS.names() if name not in names]
    names = [name for name in names if name not in options.without.split(",")]
    step = STEP if options.painted else 2
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for clip in clips:
        found = Job(clip, None, Recipe(range=f"0:{options.frames}")).analyse()
        shot = max(pairwise([found.start, *found.cuts, found.stop]), key=lambda ends: ends[1] - ends[0])
        with open_footage(clip) as footage:
            frames = [frame.picture for frame in footage.frames(*shot)]
        frames = frames[: (len(frames) - 1) // step * step + 1]
        motion = motion_of(frames)
        rows[clip.stem] = {}
        print(f"{clip.stem}: {len(frames)} frames of {frames[0].shape[1]}x{frames[0].shape[0]}", flush=True)
        if not options.painted:
            print(f"  {'the footage itself':20} warp error {along(frames, motion):.2e}")
        for name in names:
            try:
                figures = (painted if options.painted else held_out)(name, frames, motion)
            except (InterpError, ImportError) as error:
                print(f"  {name:20} left out: {error}")
                continue
            rows[clip.stem][name] = figures
            print(f"  {name:20} " + "  ".join(f"{key} {value:.4g}" for key, value in figures.items()), flush=True)
    shared = [name for name in names if all(name in row for row in rows.values())]
    print("over all clips:")
    for name in shared:
        mean = {
            key: float(np.mean([row[name][key] for row in rows.values()])) for key in next(iter(rows.values()))[name]
        }
        print(f"  {name:20} " + "  ".join(f"{key} {value:.4g}" for key, value in mean.items()))
    if not options.painted and {RIVAL, "along-motion"} <= set(shared):
        faster = [row[RIVAL]["ms_a_megapixel"] / row["along-motion"]["ms_a_megapixel"] for row in rows.values()]
        better = [row["along-motion"]["psnr"] - row[RIVAL]["psnr"] for row in rows.values()]
        print(
            f"along-motion against {RIVAL}: {np.exp(np.mean(np.log(faster))):.2f} times as fast, "
            f"{np.mean(better):+.2f} dB PSNR (clip by clip {', '.join(f'{value:+.2f}' for value in better)})"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
