"""The arithmetic of retiming: exact for any rates, any lengths."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restyle.errors import RecipeError
from restyle.retiming.clock import count, drawings, instants, parse_rate, parse_slow

RATES = st.one_of(
    st.sampled_from([Fraction(24), Fraction(25), Fraction(60), Fraction(24000, 1001), Fraction(30000, 1001)]),
    st.fractions(min_value=Fraction(1, 2), max_value=240, max_denominator=1001),
)
SLOW = st.fractions(min_value=Fraction(1, 8), max_value=16, max_denominator=9)


def walked(times: list[Fraction], end: Fraction, rate: Fraction, slow: Fraction) -> list[tuple[int, int, Fraction]]:
    """(output frame, frame before it, place between) of a whole footage."""
    made: list[tuple[int, int, Fraction]] = []
    for frame, (begin, until) in enumerate(zip(times, [*times[1:], end], strict=True)):
        made += [(number, frame, place) for number, place in instants(len(made), begin, until, rate, slow)]
    return made


@settings(deadline=None)
@given(n=st.integers(1, 60), source=RATES, rate=RATES, slow=SLOW)
def test_every_output_frame_once_at_its_instant(n: int, source: Fraction, rate: Fraction, slow: Fraction) -> None:
    times, end = [k / source for k in range(n)], n / source
    made = walked(times, end, rate, slow)
    assert [number for number, _, _ in made] == list(range(count(end * slow, rate)))
    for number, frame, place in made:
        assert 0 <= place < 1
        assert (frame + place) / source == Fraction(number) / (rate * slow)
    assert 0 <= Fraction(len(made)) / rate - end * slow < 1 / rate


@settings(deadline=None)
@given(
    gaps=st.lists(
        st.fractions(min_value=Fraction(1, 1000), max_value=1, max_denominator=1000), min_size=1, max_size=30
    ),
    rate=RATES,
)
def test_a_variable_rate_is_walked_by_its_own_stamps(gaps: list[Fraction], rate: Fraction) -> None:
    times = [sum(gaps[:k], Fraction(0)) for k in range(len(gaps))]
    end = times[-1] + gaps[-1]
    made = walked(times, end, rate, Fraction(1))
    assert len(made) == count(end, rate)
    for number, frame, place in made:
        assert times[frame] + place * gaps[frame] == number / rate


@settings(deadline=None)
@given(n=st.integers(1, 60), times=st.integers(1, 8))
def test_whole_multiples_keep_every_frame(n: int, times: int) -> None:
    rate = Fraction(24000, 1001)
    made = walked([k / rate for k in range(n)], n / rate, rate * times, Fraction(1))
    assert [frame for _, frame, place in made if place == 0] == list(range(n))
    assert len(made) == n * times


def test_the_usual_conversions() -> None:
    ntsc = Fraction(24000, 1001)
    assert count(240 / ntsc, Fraction(24)) == 241  # 10.01 s
    assert count(Fraction(10), ntsc) == 240
    assert count(48 / Fraction(24) * 4, Fraction(24)) == 192
    assert count(Fraction(1, 100), Fraction(24)) == 1


@settings(deadline=None)
@given(n=st.integers(1, 40), repeats=st.integers(1, 4))
def test_drawings_on_twos_threes_and_fours(n: int, repeats: int) -> None:
    """n drawings, each shown ``repeats`` times: each is taken once."""
    rate = Fraction(24)
    times = [k / rate for k in range(n * repeats)]
    assert drawings(times, n * repeats / rate, rate / repeats) == [k * repeats for k in range(n)]


def test_rates_and_factors_as_people_write_them() -> None:
    assert parse_rate("23.976", "--fps") == Fraction(24000, 1001)
    assert parse_rate(29.97, "fps") == Fraction(30000, 1001)
    assert parse_rate("30000/1001", "--fps") == Fraction(30000, 1001)
    assert parse_rate("12.5", "--fps") == Fraction(25, 2)
    assert parse_slow("4x") == parse_slow(4) == parse_slow(" 4 X") == 4
    assert parse_slow("2.5x") == Fraction(5, 2)
    assert parse_slow("1/3") == Fraction(1, 3)
    for wrong in ("fast", "0x", "-2x", "1/0", "100000x"):
        with pytest.raises(RecipeError, match="slow motion is"):
            parse_slow(wrong)
    for wrong in ("0", "-3", "nan", "x", "2000"):
        with pytest.raises(RecipeError, match="--fps is a number"):
            parse_rate(wrong, "--fps")
