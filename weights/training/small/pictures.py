"""The training set of the small diffusion model: photographs and frames of our samples, in the looks of the style networks.

    python weights/training/small/pictures.py FOLDER PHOTOGRAPHS       about 20 minutes on 2 cores; begun again, it goes on

A *pair* is two views of one photograph (crops, turned and seen from aside, lighter or darker), or two frames of a clip, painted
in one look: what two keyframes of a shot are to each other. Most looks have no name: they are blends of two or three of the 26.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from restyle.footage import open_footage
from restyle.painters.neural_style.networks import StyleNetworks
from restyle.painters.neural_style.styles import STYLES
from samples import CLIPS, clip

SIDE = 256  # pixels of a view
LOOKS = 3  # pairs of each photograph: one in a look that has a name, the others in blends
HELD_OUT = 20  # photographs, the last ones
EVERY = 6  # frames of a clip between the first of one pair and that of the next
APART = 12  # frames at most between a pair's two


@dataclass(frozen=True)
class Pair:
    """Two views, and how they are painted."""

    views: tuple[np.ndarray, np.ndarray]
    blend: list[float]
    name: str
    """Of the look; empty for a blend."""
    palette: np.ndarray
    """3 x 3, what becomes of the painting's colours."""
    held_out: bool


def pairs(photographs: list[Path]) -> Iterator[Pair]:
    """All pairs, always the same."""
    rng = np.random.default_rng(0)
    for number, path in enumerate(photographs):
        photo = cv2.imread(str(path))
        if photo is None:
            raise SystemExit(f"{path} is no picture")
        photo = cv2.cvtColor(photo, cv2.COLOR_BGR2RGB)
        for look in range(LOOKS):
            yield Pair(
                (_view(photo, rng), _view(photo, rng)),
                *_look(rng, named=look == 0),
                number >= len(photographs) - HELD_OUT,
            )
    for name in CLIPS:
        with open_footage(clip(name)) as footage:
            frames = [_framed(frame.picture) for frame in footage.frames()]
        for first in range(0, len(frames) - APART, EVERY):
            second = first + int(rng.integers(1, APART + 1))
            for look in range(LOOKS):
                yield Pair((frames[first], frames[second]), *_look(rng, named=look == 0), False)


def _look(rng: np.random.Generator, *, named: bool) -> tuple[list[float], str, np.ndarray]:
    """A blend of the 26 styles, its name if it is one of them, and a palette, which is its own if it has a name."""
    blend = np.zeros(len(STYLES))
    if named:
        chosen = int(rng.integers(len(blend)))
        blend[chosen] = 1
        return blend.tolist(), STYLES[chosen].name.replace("-", " "), np.eye(3)
    chosen_few = rng.choice(len(blend), int(rng.integers(2, 4)), replace=False)
    blend[chosen_few] = rng.dirichlet(np.full(len(chosen_few), 2.0))
    return blend.tolist(), "", _palette(rng) if rng.random() < 0.6 else np.eye(3)


def _palette(rng: np.random.Generator) -> np.ndarray:
    """Colours turned about the axis of greys, more or less saturated."""
    angle, saturation = rng.uniform(-np.pi, np.pi), rng.uniform(0.5, 1.2)
    turn = np.diag([1.0, saturation, saturation])
    turn[1:, 1:] @= np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    planes = np.array(
        [[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]]
    )  # luma, and NTSC's I and Q
    return np.linalg.inv(planes) @ turn @ planes


def _view(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A view of a photograph: part of it, turned a little and seen from aside, in another light."""
    height, width = photo.shape[:2]
    edge = min(height, width) * rng.uniform(0.72, 0.98)
    left, top = rng.uniform(0, width - edge), rng.uniform(0, height - edge)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    aside = rng.uniform(-0.05, 0.05, (4, 2))
    angle = np.radians(rng.uniform(-6, 6))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    seen = ((corners - 0.5 + aside) @ turn.T + 0.5) * edge + (left, top)
    matrix = cv2.getPerspectiveTransform(seen.astype(np.float32), corners * (SIDE - 1))
    view = cv2.warpPerspective(photo, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    light = (view / 255.0) ** rng.uniform(0.8, 1.25)
    return (light * 255 + 0.5).astype(np.uint8)


def _framed(picture: np.ndarray) -> np.ndarray:
    """The middle of a frame."""
    height, width = picture.shape[:2]
    left = (width - height) // 2
    return cv2.resize(picture[:, left : left + height], (SIDE, SIDE), interpolation=cv2.INTER_AREA)


class PaintedPairs:
    """The set on disk: ``sources`` and ``paintings`` uint8 N x 2 x SIDE x SIDE x 3 (mapped, not read), ``names`` of the looks,
    ``held_out``: bool N."""

    def __init__(self, folder: Path) -> None:
        facts = json.loads((folder / "pairs.json").read_text())
        self.names: list[str] = facts["names"]
        self.held_out = np.array(facts["held_out"])
        shape = (len(self.names), 2, SIDE, SIDE, 3)
        self.sources = np.memmap(folder / "sources.u8", np.uint8, "r", shape=shape)
        self.paintings = np.memmap(folder / "paintings.u8", np.uint8, "r", shape=shape)


def make(folder: Path, photographs: list[Path]) -> None:
    """Paint the set into ``folder``, from where an earlier run stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    networks = StyleNetworks()
    facts: dict[str, list[object]] = {"names": [], "held_out": []}
    size = 2 * SIDE * SIDE * 3
    done = (folder / "paintings.u8").stat().st_size // size if (folder / "paintings.u8").exists() else 0
    for path in (folder / "sources.u8", folder / "paintings.u8"):
        with path.open("ab") as file:
            file.truncate(done * size)
    with (folder / "sources.u8").open("ab") as sources, (folder / "paintings.u8").open("ab") as paintings:
        for number, pair in enumerate(pairs(photographs)):
            facts["names"].append(pair.name)
            facts["held_out"].append(pair.held_out)
            if number < done:
                continue
            painted = [networks.paint_builtin(view, pair.blend) @ pair.palette.T for view in pair.views]
            sources.write(np.stack(pair.views).tobytes())
            paintings.write((np.stack(painted) * 255 + 0.5).clip(0, 255).astype(np.uint8).tobytes())
            if number % 100 == 99:
                print(f"{number + 1} pairs", flush=True)
    (folder / "pairs.json").write_text(json.dumps(facts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("photographs", type=Path, help="a folder of JPEG files")
    args = parser.parse_args()
    make(args.folder, sorted(args.photographs.glob("*.jpg")))


if __name__ == "__main__":
    main()
