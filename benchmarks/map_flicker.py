"""How much control maps flicker along the true motion of the rendered sample, as detected and stabilised.

    python benchmarks/map_flicker.py [--frames 24] [--every 4,8,12,24] [--pose]

Depth: the true nearness (1/distance) with a scale, a shift and blotches of each frame's own stands for a network that pumps.
*flicker* is the mean difference between a map and the next one pulled back along the true motion, where both see the same
point; *error* is the mean difference from the true nearness, after one scale and shift for the whole shot (*shape*: for
each frame). Edges: Canny on the clip; *flicker* is the share of edge points that have no partner within a pixel in the next
frame, along the true motion. The stabiliser sees the clip's own estimated motion only.

``--every``: the same of keyframes alone, so many frames apart, as a job stabilises them. Detected depth is then what a network
gives that fits each picture by itself to [0, 1]: from the blotched nearness, and from the true (*exact*). Soft lines (*detail*:
mean difference of neighbouring pixels) and normals (the true ones, some degrees off; *error*: mean angle to them) are left
alone by jobs: this is what averaging would do.

``--pose``: the joints of ``square``'s walker and runner, by MediaPipe. *flicker* is the mean distance, in pixels, of a joint
from where the true motion at its place in the frame before leads; where one limb hides another, that is the front one's motion,
so that a perfect answer would not be 0. *off* is the mean distance of joints from the person's true matte.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from itertools import pairwise

from controls.maps import DETECTORS
from controls.maps.canny import Canny
from controls.maps.lineart_standard import StandardLineart
from controls.maps.normals import normal_picture, normals_from_nearness
from controls.maps.pictures import grey_picture
from controls.stabilise.consecutive import stabilise
from controls.stabilise.keyframes import stabilise_keyframes
from controls.stabilise.motion import KeyframeTracker, SlidingTracker
from controls.stabilise.values import average_map
from controls.stabilise.window import StabiliseOptions
from controls.types import ControlMap
from interp.flow.dis import DisEstimator
from interp.warp import compose, outside, warp
from samples import Truth, clip, load_truth


class Shot:
    """Some frames of a clip (``controls.types.Pictures``)."""

    def __init__(self, first: int, count: int, name: str = "harbour") -> None:
        import av

        with av.open(str(clip(name))) as file:
            every = (frame.to_ndarray(format="rgb24") for frame in file.decode(video=0))
            self._pictures = [picture for t, picture in enumerate(every) if first <= t < first + count]

    @property
    def size(self) -> tuple[int, int]:
        height, width = self._pictures[0].shape[:2]
        return width, height

    def __len__(self) -> int:
        return len(self._pictures)

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        yield from self._pictures[start:stop]


def nearness(truth: Truth, frames: range) -> list[np.ndarray]:
    """True nearness, with 1 for all but the shot's nearest half percent."""
    whole = np.stack([1 / truth.depth(t) for t in frames])
    return list((whole / np.percentile(whole, 99.5)).clip(0, 1).astype(np.float32))


def pumping(true: list[np.ndarray], seed: int = 7) -> list[np.ndarray]:
    """What a network that sees each frame by itself might make of it."""
    made = []
    for t, near in enumerate(true):
        draw = np.random.default_rng((seed, t))
        blotches = cv2.resize(draw.normal(0, 0.03, (5, 8)), near.shape[::-1], interpolation=cv2.INTER_CUBIC)
        made.append((draw.normal(1, 0.1) * near + draw.normal(0, 0.05) + blotches).astype(np.float32))
    return made


def depth_flicker(values: list[np.ndarray], truth: Truth, frames: range) -> float:
    """Mean difference along the true motion."""
    apart = []
    for t, (here, there) in zip(frames, pairwise(values), strict=False):
        flow = truth.flow_forward(t) * np.float32(truth.grid[0] / truth.size[0])
        apart.append(np.abs(warp(there, flow) - here)[truth.seen_ahead(t)].mean())
    return float(np.mean(apart))


def depth_error(values: list[np.ndarray], true: list[np.ndarray], *, each: bool = False) -> float:
    """Mean difference from the truth after the best scale and shift: one for the shot, or one for each frame."""

    def rest(x: np.ndarray, y: np.ndarray) -> float:
        x, y = x.ravel().astype(np.float64), y.ravel().astype(np.float64)
        slope, level = np.polyfit(x, y, 1)
        return float(np.abs(slope * x + level - y).mean())

    if each:
        return float(np.mean([rest(x, y) for x, y in zip(values, true, strict=True)]))
    return rest(np.stack(values), np.stack(true))


def edge_flicker(pictures: list[np.ndarray], truth: Truth, frames: range) -> float:
    """Share of edge points, of both frames of a pair, without a partner within a pixel along the true motion."""
    alone = total = 0
    for t, (here, there) in zip(frames, pairwise(pictures), strict=False):
        for a, b, one, flow in (
            (here, there, t, truth.flow_forward(t)),
            (there, here, t + 1, truth.flow_backward(t + 1)),
        ):
            seen = truth.seen_ahead(t) if one == t else _seen_behind(truth, t)
            height, width = a.shape[:2]
            big = cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR)
            sure = cv2.resize(seen.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
            away = cv2.distanceTransform((b[..., 0] == 0).astype(np.uint8), cv2.DIST_L2, 5)
            points = (a[..., 0] > 0) & sure
            alone += int((warp(away, big)[points] > 1.5).sum())
            total += int(points.sum())
    return alone / max(total, 1)


def _seen_behind(truth: Truth, t: int) -> np.ndarray:
    """Points of frame t + 1 that were seen in t: those that lie where a point of t that stays in sight went."""
    flow = truth.flow_backward(t + 1) * np.float32(truth.grid[0] / truth.size[0])
    return warp(truth.seen_ahead(t).astype(np.float32), flow) > 0.5


def true_motion(truth: Truth, here: int, there: int) -> tuple[np.ndarray, np.ndarray]:
    """Motion from one frame to a later one on the truth's grid, and the points of *here* that stay in sight all the while."""
    share = np.float32(truth.grid[0] / truth.size[0])
    flow, seen = truth.flow_forward(here) * share, truth.seen_ahead(here).astype(np.float32)
    for t in range(here + 1, there):
        seen = seen * (warp(truth.seen_ahead(t).astype(np.float32), flow) > 0.99)
        flow = compose(flow, truth.flow_forward(t) * share)
        seen[outside(flow) > 0] = 0
    return flow, seen > 0.5


def key_flicker(values: list[np.ndarray], truth: Truth, keys: list[int]) -> float:
    """Mean difference of the maps of frames ``keys`` along the true motion between neighbours; float32, of the truth's grid."""
    apart = []
    for (a, b), (here, there) in zip(pairwise(keys), pairwise(values), strict=True):
        flow, seen = true_motion(truth, a, b)
        gap = np.abs(warp(there, flow) - here)
        apart.append((gap if gap.ndim == 2 else gap.mean(axis=2))[seen].mean())
    return float(np.mean(apart))


def key_edge_flicker(pictures: list[np.ndarray], truth: Truth, keys: list[int]) -> float:
    """Share of edge points without a partner within a pixel at the next keyframe, along the true motion."""
    alone = total = 0
    for (a, b), (here, there) in zip(pairwise(keys), pairwise(pictures), strict=True):
        height, width = here.shape[:2]
        flow, seen = true_motion(truth, a, b)
        big = cv2.resize(flow, (width, height)) * np.float32(width / flow.shape[1])
        sure = cv2.resize(seen.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
        away = cv2.distanceTransform((there[..., 0] == 0).astype(np.uint8), cv2.DIST_L2, 5)
        points = (here[..., 0] > 0) & sure
        alone += int((warp(away, big)[points] > 1.5).sum())
        total += int(points.sum())
    return alone / max(total, 1)


def fitted(values: np.ndarray) -> np.ndarray:
    """As a network that knows each picture alone gives it: from 0 to 1."""
    low, high = float(values.min()), float(values.max())
    return ((values - low) / max(high - low, 1e-6)).astype(np.float32)


def show_keyframes(truth: Truth, shot: Shot, first: int, every: int) -> None:
    """What stabilising does to keyframes ``every`` frames apart."""
    keys = list(range(0, len(shot), every))
    frames = [first + key for key in keys]
    true = nearness(truth, range(first, first + len(shot)))
    blotched = pumping(true)
    print(f"keyframes {every} apart, of frames {first}-{first + len(shot) - 1}")

    def tracker() -> KeyframeTracker:
        return KeyframeTracker(shot, DisEstimator(), keys)

    def show(name: str, values: list[np.ndarray]) -> None:
        there = [true[key] for key in keys]
        print(
            f"  depth   {name:17} flicker {key_flicker(values, truth, frames):.4f}  error {depth_error(values, there):.4f}"
            f"  shape {depth_error(values, there, each=True):.4f}"
        )

    show("truth", [true[key] for key in keys])
    for name, source in (("blotched", blotched), ("exact", true)):
        raw = {key: fitted(source[key]) for key in keys}
        show(f"{name} detected", list(raw.values()))
        maps = {key: ControlMap("depth", grey_picture(raw[key]), raw[key]) for key in keys}
        done = [made for _, made in stabilise_keyframes(maps.__getitem__, keys, tracker(), method="depth")]
        show(f"{name} stabilised", [made.values for made in done if made.values is not None])
        show(f"{name} as shown", [made.picture[..., 0] / np.float32(255) for made in done])
    pictures = {key: next(shot.read(key, key + 1)) for key in keys}
    lines = {key: Canny().detect(picture) for key, picture in pictures.items()}
    kept = [made for _, made in stabilise_keyframes(lines.__getitem__, keys, tracker(), method="edges")]
    for name, edges in (("detected", [*lines.values()]), ("stabilised", kept)):
        drawn = [made.picture for made in edges]
        share = np.mean([(picture[..., 0] > 0).mean() for picture in drawn])
        print(f"  edges   {name:17} flicker {key_edge_flicker(drawn, truth, frames):.4f}  drawn {share:.4f}")
    _show_averaged(truth, keys, frames, tracker(), {key: StandardLineart().detect(pictures[key]) for key in keys})
    exact = {key: normals_from_nearness(true[key]) for key in keys}
    normals = {}
    for key in keys:
        draw = np.random.default_rng((11, key))
        noise = cv2.resize(draw.normal(0, 0.05, (23, 40, 3)), truth.grid, interpolation=cv2.INTER_CUBIC)
        found = (exact[key] + noise).astype(np.float32)
        found /= np.linalg.norm(found, axis=2, keepdims=True)
        normals[key] = ControlMap("normal", normal_picture(found), found)
    _show_averaged(truth, keys, frames, tracker(), normals, exact)


def _show_averaged(
    truth: Truth,
    keys: list[int],
    frames: list[int],
    tracker: KeyframeTracker,
    maps: dict[int, ControlMap],
    true: dict[int, np.ndarray] | None = None,
) -> None:
    """What averaging soft lines, or normals, with the two keyframes on each side does."""
    average_along_motion = {}
    for place, key in enumerate(keys):
        near = {other: maps[other] for other in keys[max(0, place - 2) : place + 3]}
        away = [abs(other - key) for other in near if other != key] or [0]
        average_along_motion[key] = average_map(key, near, tracker, max(max(away), 2 * min(away)))
    for name, made in (("detected", maps), ("average_along_motion", average_along_motion)):
        pictures = [each.picture.astype(np.float32) / 255 for each in made.values()]
        small = [cv2.resize(each, truth.grid, interpolation=cv2.INTER_AREA) for each in pictures]
        said = f"detail {np.mean([np.abs(np.diff(each[..., 0], axis=1)).mean() for each in pictures]):.4f}"
        if true is not None:
            cosines = [(made[key].values * true[key]).sum(axis=2).clip(-1, 1) for key in keys]  # type: ignore[operator]
            said = f"error {np.degrees(np.arccos(cosines)).mean():.2f}"
        kind = "normals" if true is not None else "lines"
        print(f"  {kind:7} {name:17} flicker {key_flicker(small, truth, frames):.4f}  {said}")


def joint_flicker(maps: list[ControlMap], truth: Truth, frames: range, who: str) -> tuple[float, float]:
    """Mean distance of the joints of ``who`` from where the true motion leads, and from the true matte, both in pixels."""
    share = truth.size[0] / truth.grid[0]

    def at(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        places = (
            np.rint((joints[:, :2] + 0.5) / share - 0.5).astype(int).clip(0, (truth.grid[0] - 1, truth.grid[1] - 1))
        )
        return places[:, 1], places[:, 0]

    jumps: list[float] = []
    off: list[float] = []
    before: np.ndarray | None = None
    for t, made in zip(frames, maps, strict=True):
        outside_of = (truth.matte(who, t) <= 0.5).astype(np.uint8)
        away = share * cv2.distanceTransform(outside_of, cv2.DIST_L2, 5)
        bodies = [np.array(person["body"]) for person in made.facts["people"]]
        mine = [body for body in bodies if np.median(away[at(body[body[:, 2] > 0])]) < 3]
        body = mine[0] if mine else None
        if body is not None:
            off += away[at(body[body[:, 2] > 0])].tolist()
        if body is not None and before is not None:
            both = (body[:, 2] > 0) & (before[:, 2] > 0) & (truth.matte(who, t - 1)[at(before)] > 0.5)
            led = before[:, :2] + truth.flow_forward(t - 1)[at(before)]
            jumps += np.linalg.norm(body[both, :2] - led[both], axis=1).tolist()
        before = body
    return float(np.mean(jumps)), float(np.mean(off))


def show_pose(how: StabiliseOptions) -> None:
    """The joints of the figures in ``square``."""
    truth, detector = load_truth("square"), DETECTORS.make("pose", {"storyboard": False})
    for who, frames in (("walker", range(60)), ("child", range(70, 112))):
        shot = Shot(frames[0], len(frames), "square")
        found = [detector.detect(picture) for picture in shot.read(0, len(shot))]  # type: ignore[union-attr]
        tracker = SlidingTracker(shot, DisEstimator())
        kept = [made for _, made in stabilise(found.__getitem__, range(len(shot)), tracker, method="pose", options=how)]
        print(f"{who}, frames {frames[0]}-{frames[-1]} of square")
        for name, maps in (("detected", found), ("stabilised", kept)):
            flicker, off = joint_flicker(maps, truth, frames, who)
            several = np.mean([len(made.facts["people"]) for made in maps])
            print(f"  joints {name} flicker {flicker:.2f}  off {off:.2f}  people a frame {several:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=48, help="frames of each shot")
    parser.add_argument("--radius", type=int, default=StabiliseOptions().radius)
    parser.add_argument("--every", help="keyframes alone, so many frames apart: numbers with commas")
    parser.add_argument("--pose", action="store_true", help="joints, instead of depth and edges")
    options = parser.parse_args()
    truth = load_truth()
    how = StabiliseOptions(radius=options.radius)
    if options.pose:
        show_pose(how)
        return
    for first, end in truth.shots:
        frames = range(first, min(end, first + options.frames))
        shot = Shot(first, len(frames))
        numbers = range(len(frames))
        if options.every:
            for every in options.every.split(","):
                show_keyframes(truth, shot, first, int(every))
            continue

        def run(load: Callable[[int], ControlMap], way: str) -> list[ControlMap]:
            tracker = SlidingTracker(shot, DisEstimator())  # noqa: B023
            return [made for _, made in stabilise(load, list(numbers), tracker, method=way, options=how)]  # type: ignore  # noqa: B023

        true = nearness(truth, frames)
        raw = pumping(true)
        still = [m.values for m in run(lambda t: ControlMap("depth", grey_picture(raw[t]), raw[t]), "depth")]  # noqa: B023
        print(f"frames {frames[0]}-{frames[-1]}")
        for name, values in (("truth", true), ("detected", raw), ("stabilised", still)):
            print(
                f"  depth {name:9} flicker {depth_flicker(values, truth, frames):.4f}  error {depth_error(values, true):.4f}"
                f"  shape {depth_error(values, true, each=True):.4f}"
            )
        canny = Canny()
        lines = [canny.detect(picture) for picture in shot.read(0, len(shot))]
        kept = run(lambda t: lines[t], "edges")  # noqa: B023
        for name, maps in (("detected", lines), ("stabilised", kept)):
            pictures = [made.picture for made in maps]
            share = np.mean([(picture[..., 0] > 0).mean() for picture in pictures])
            print(f"  edges {name:9} flicker {edge_flicker(pictures, truth, frames):.4f}  drawn {share:.4f}")


if __name__ == "__main__":
    main()
