"""What is boxed once is followed through the rendered samples, whose mattes are known."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import av
import cv2
import numpy as np
import pytest

from controls.masks import MASKERS
from controls.types import Box, Prompted
from samples import clip, load_truth


class Part:
    """Consecutive frames of a sample."""

    def __init__(self, name: str, first: int, end: int) -> None:
        with av.open(str(clip(name))) as file:
            some = itertools.islice(file.decode(video=0), first, end)
            self.frames = [frame.to_ndarray(format="rgb24") for frame in some]
        self.size = (self.frames[0].shape[1], self.frames[0].shape[0])

    def __len__(self) -> int:
        return len(self.frames)

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        yield from self.frames[start:stop]


@pytest.mark.parametrize(
    ("name", "thing", "first", "end", "boxed", "least"),
    [
        ("square", "ball", 2, 30, 5, 0.8),  # it moves by half its width a frame, and bounces
        ("square", "child", 88, 108, 104, 0.7),  # limbs; before a van that drives the same way
        ("square", "walker", 2, 28, 10, 0.6),  # behind a lamp post
        ("harbour", "boat", 2, 26, 8, 0.75),  # before houses, which the camera passes
        ("harbour", "balloon", 108, 131, 126, 0.75),  # it comes from behind the lighthouse
    ],
)
def test_a_thing_boxed_once_is_followed(name: str, thing: str, first: int, end: int, boxed: int, least: float) -> None:
    truth = load_truth(name)
    y, x = np.nonzero(truth.matte(thing, boxed))
    places = truth.positions[y, x]
    (left, top), (right, bottom) = places.min(axis=0) - 1, places.max(axis=0) + 1
    box = Box(max(0.0, float(left)), max(0.0, float(top)), min(639.0, float(right)), min(359.0, float(bottom)))
    found = []
    for masked in MASKERS.make("flowcut").follow(Part(name, first, end), [Prompted(thing, boxed - first, box)]):
        inside = cv2.resize(masked.mattes[thing], truth.grid, interpolation=cv2.INTER_AREA) > 0.5
        right_one = truth.matte(thing, first + masked.frame) > 0.5
        union = (inside | right_one).sum()
        found.append((inside & right_one).sum() / union if union else 1.0)
    assert len(found) == end - first
    assert np.mean(found) > least, np.round(found, 2)
