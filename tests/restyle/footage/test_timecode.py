from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restyle.errors import RecipeError
from restyle.footage import format_timecode, parse_span, parse_timecode
from restyle.footage.timecode import advanced_timecode, label_rate

NTSC = Fraction(30000, 1001)
RATES = [
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    NTSC,
    Fraction(30),
    Fraction(50),
    Fraction(60000, 1001),
    Fraction(60),
]


@given(frame=st.integers(0, 10_000_000), rate=st.sampled_from(RATES))
def test_a_timecode_leads_back_to_its_frame(frame: int, rate: Fraction) -> None:
    assert parse_timecode(format_timecode(frame, rate), rate) == frame


@given(frame=st.integers(0, 10_000_000), rate=st.sampled_from([NTSC, Fraction(60000, 1001)]))
def test_a_drop_frame_timecode_leads_back_to_its_frame_and_keeps_time(frame: int, rate: Fraction) -> None:
    text = format_timecode(frame, rate, drop=True)
    assert parse_timecode(text, rate) == frame
    hours, minutes, rest = text.split(":")
    seconds, label = rest.split(";")
    shown = (int(hours) * 60 + int(minutes)) * 60 + int(seconds) + Fraction(int(label), round(rate))
    # Drop-frame timecode follows the clock to within 0.1 s in the first day, and by 2 frames within each ten minutes.
    assert abs(shown - frame / rate) < Fraction(15, 100) + frame / rate / 800_000


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (1799, "00:00:59;29"),
        (1800, "00:01:00;02"),
        (17981, "00:09:59;29"),
        (17982, "00:10:00;00"),
        (107892, "01:00:00;00"),
    ],
)
def test_drop_frame_labels_of_smpte_st_12(frame: int, text: str) -> None:
    assert format_timecode(frame, NTSC, drop=True) == text


@given(frame=st.integers(0, 1_000_000), rate=st.sampled_from(RATES))
def test_a_time_in_milliseconds_finds_the_nearest_frame(frame: int, rate: Fraction) -> None:
    milliseconds = round(frame / rate * 1000)
    seconds, part = divmod(milliseconds, 1000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{part:03d}"
    assert parse_timecode(text, rate) == frame


@given(data=st.data(), frames=st.integers(1, 500_000), rate=st.sampled_from(RATES))
def test_spans_in_frames_and_in_timecode_agree(data: st.DataObject, frames: int, rate: Fraction) -> None:
    start = data.draw(st.integers(0, frames - 1))
    stop = data.draw(st.integers(start + 1, frames))
    assert parse_span(f"{start}:{stop}", rate, frames) == range(start, stop)
    assert parse_span(f"{start}:", rate, frames) == range(start, frames)
    assert parse_span(f":{stop}", rate, frames) == range(stop)
    clock = f"{format_timecode(start, rate)}:{format_timecode(stop, rate)}"
    assert parse_span(clock, rate, frames) == range(start, stop)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10:50", range(10, 50)),
        (":50", range(50)),
        ("10:", range(10, 100)),
        (":", range(100)),
        ("00:00:01:00:00:00:03:00", range(25, 75)),
        ("00:00:01.0:00:00:03.5", range(25, 88)),
        ("00:00:01.000-00:00:02.000", range(25, 50)),
        ("00:00:01:00:", range(25, 100)),
        (":00:00:02:00", range(50)),
    ],
)
def test_forms_of_a_span(text: str, expected: range) -> None:
    assert parse_span(text, Fraction(25), 100) == expected


def test_drop_frame_on_both_sides() -> None:
    assert parse_span("00:00:59;29:00:01:00;02", NTSC, 4000) == range(1799, 1800)


@pytest.mark.parametrize(
    "text",
    ["", "10", "50:10", "10:10", "100:", ":101", "-5:10", "a:b", "1:2:3", "00:00:01:25:00:00:02:00", "00:00:01;00:00:00:02;00",
     "00:61:00:00:00:62:00:00", "1.5:3", "99999999999999999999:", "10:\n20"],
)  # fmt: skip
def test_a_span_that_cannot_be_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_span(text, Fraction(25), 100)
    assert "\n" not in str(caught.value)
    assert "range" in str(caught.value)


def test_the_refusal_tells_the_length() -> None:
    with pytest.raises(RecipeError, match=r"100 frames, 00:00:04:00 long"):
        parse_span("20:400", Fraction(25), 100)


@given(text=st.text(alphabet="0123456789:;.- ", max_size=30))
def test_any_text_gives_a_span_or_a_refusal(text: str) -> None:
    try:
        span = parse_span(text, NTSC, 1000)
    except RecipeError:
        return
    assert 0 <= span.start < span.stop <= 1000


def test_a_label_that_drop_frame_leaves_out_is_refused() -> None:
    with pytest.raises(ValueError, match="leaves out"):
        parse_timecode("00:01:00;00", NTSC)
    with pytest.raises(ValueError, match=r"29\.97"):
        format_timecode(1, Fraction(25), drop=True)
    with pytest.raises(ValueError, match="not negative"):
        format_timecode(-1, Fraction(25))


@pytest.mark.parametrize(
    ("timecode", "rate", "variable", "counted"),
    [
        ("01:00:00:00", Fraction(25), False, Fraction(25)),
        ("01:00:00;00", NTSC, False, NTSC),
        ("01:00:00;00", Fraction(25), False, None),
        ("01:00:00;00", Fraction(2797, 100), True, NTSC),
        ("01:00:00:00", Fraction(2797, 100), True, NTSC),
        ("01:00:00;00", Fraction(31), True, Fraction(60000, 1001)),
        ("01:00:00:00", Fraction(500), True, None),
        ("noon", Fraction(25), False, None),
    ],
)
def test_the_rate_of_labels(timecode: str, rate: Fraction, variable: bool, counted: Fraction | None) -> None:
    assert label_rate(timecode, rate, variable=variable) == counted


def test_a_timecode_moves_on_and_wraps_at_midnight() -> None:
    assert advanced_timecode("23:59:59:24", 2, Fraction(25)) == "00:00:00:01"
    assert advanced_timecode("23:59:59;29", 1, NTSC) == "00:00:00;00"
