from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from restyle.retiming.conversion import FrameRateConverter, Timeline
from restyle.types import Frame


class Halfway:
    """Gives the mean of both frames, and remembers the times that it was asked for."""

    name = "halfway"

    def __init__(self) -> None:
        self.times: list[float] = []

    def interpolate(self, a: np.ndarray, b: np.ndarray, times: Sequence[float]) -> Iterator[np.ndarray]:
        self.times += times
        return ((a // 2 + b // 2) for _ in times)


def greys(count: int, *, alpha: bool = False) -> list[Frame]:
    """Frame n in the grey of 20 n; its alpha is 255 less that."""
    return [
        Frame(
            n,
            n,
            np.full((4, 6, 3), 20 * n, np.uint8),
            np.full((4, 6), 255 - 20 * n, np.uint8) if alpha else None,
        )
        for n in range(count)
    ]


def convert(
    frames: list[Frame], rate: int, *, cuts: frozenset[int] = frozenset(), slow: Fraction = Fraction(1)
) -> tuple[FrameRateConverter, list[tuple[int, int | None]], list[float]]:
    times = [Fraction(frame.index, 10) for frame in frames]
    interpolator = Halfway()
    timeline = Timeline(times, 0, Fraction(len(frames), 10), cuts, Fraction(rate), slow)
    converter = FrameRateConverter(timeline, interpolator)
    made = [
        (int(picture[0, 0, 0]), None if alpha is None else int(alpha[0, 0]))
        for picture, alpha in converter.convert(iter(frames))
    ]
    return converter, made, interpolator.times


def test_frames_that_fall_on_an_instant_are_kept_and_the_others_interpolated() -> None:
    converter, made, times = convert(greys(3), 20)
    assert [grey for grey, _ in made] == [0, 10, 20, 30, 40, 40]
    assert times == [0.5, 0.5]
    assert (converter.taken, converter.kept, converter.held) == (3, 3, 1)


def test_nothing_is_interpolated_across_a_cut_or_between_equal_frames() -> None:
    frames = greys(2)
    frames.append(Frame(2, 2, frames[1].picture))
    converter, made, times = convert(frames, 20, cuts=frozenset({1}))
    assert [grey for grey, _ in made] == [0, 0, 20, 20, 20, 20]
    assert times == []
    assert converter.held == 3


def test_alpha_moves_with_its_picture() -> None:
    _, made, _ = convert(greys(2, alpha=True), 10, slow=Fraction(2))
    assert made[:2] == [(0, 255), (10, 127 + 117)]


def test_fewer_frames_than_there_were() -> None:
    converter, made, _ = convert(greys(4), 5)
    assert [grey for grey, _ in made] == [0, 40]
    assert (converter.taken, converter.kept) == (4, 2)
