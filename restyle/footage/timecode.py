"""Timecode and spans of frames. Pure arithmetic: no footage is opened here."""

from __future__ import annotations

import re
from fractions import Fraction

from restyle.errors import RecipeError

__all__ = ["advanced_timecode", "format_timecode", "label_rate", "parse_span", "parse_timecode"]

_USUAL = tuple(
    Fraction(rate)
    for rate in (
        "24000/1001",
        "24",
        "25",
        "30000/1001",
        "30",
        "48000/1001",
        "48",
        "50",
        "60000/1001",
        "60",
        "100",
        "120",
    )
)
"""Rates at which cameras count, ascending."""

_CLOCK = re.compile(r"(\d{1,4}):([0-5]\d):([0-5]\d)(?:([:;])(\d{1,3})|\.(\d{1,9}))?")
_NUMBER = re.compile(r"\d{1,18}")


def parse_span(text: str, rate: Fraction, frames: int) -> range:
    """Read the frames that ``IN:OUT`` names: from IN up to, not including, OUT.

    Either side may be empty (the start, the end). Both are frame numbers from 0 (``10:50``, ``:50``, ``10:``) or both are
    times since the footage's first frame: ``HH:MM:SS:FF``, ``HH:MM:SS;FF`` (drop-frame), ``HH:MM:SS.mmm`` or
    ``HH:MM:SS``, as in ``00:00:01:00:00:00:03:00``; a hyphen may stand between two times. ``rate`` is frames a second,
    ``frames`` the footage's length.
    Raises ``RecipeError``, in one line with the footage's length, if the span is malformed, empty or out of range.
    """
    length = f"the footage has {frames} frame{'s' if frames != 1 else ''}, {format_timecode(frames, rate)} long"
    sides = _split(text.strip())
    if sides is None:
        raise RecipeError(
            f"cannot read the range {text[:80]!r}: give IN:OUT as frames (10:50, :50, 10:) "
            f"or as times (00:00:01:00:00:00:03:00, 00:00:01.0-00:00:03.5); {length}"
        )
    first, last = sides
    start = _frame_of(first, rate, text) if first else 0
    stop = _frame_of(last, rate, text) if last else frames
    if start >= frames or stop > frames:
        raise RecipeError(f"the range {text!r} ends outside of the footage: {length}")
    if start >= stop:
        raise RecipeError(f"the range {text!r} is empty: IN must lie before OUT; {length}")
    return range(start, stop)


def _split(text: str) -> tuple[str, str] | None:
    """Split a span at its middle; ``None`` if it is none."""
    plain = re.fullmatch(r"(\d{0,18}):(\d{0,18})", text)
    if plain:
        return plain[1], plain[2]
    for join in re.finditer(r"[:-]", text):
        first, last = text[: join.start()], text[join.end() :]
        if all(not side or _CLOCK.fullmatch(side) for side in (first, last)) and (first or last):
            # "00:00:01:00:00:02" may be read in several ways only if the sides differ in form; take the first that fits.
            if first and last and _form(first) != _form(last):
                continue
            return first, last
    return None


def _form(clock: str) -> str:
    match = _CLOCK.fullmatch(clock)
    assert match is not None
    return "frames" if match[5] else "seconds"


def _frame_of(text: str, rate: Fraction, whole: str) -> int:
    if _NUMBER.fullmatch(text):
        return int(text)
    try:
        return parse_timecode(text, rate)
    except ValueError as error:
        raise RecipeError(f"cannot read the range {whole!r}: {error}") from None


def parse_timecode(text: str, rate: Fraction) -> int:
    """Find the frame that shows at a timecode (``HH:MM:SS:FF``, drop-frame with ``;``) or a time (``HH:MM:SS.mmm``).

    Timecode counts frames by the nominal rate (24 for 23.976); a time is real seconds, and gives the frame nearest to it.
    Raises ``ValueError`` for what is no timecode, and for a frame label that cannot be at this rate.
    """
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no timecode (HH:MM:SS:FF) and no time (HH:MM:SS.mmm)")
    hours, minutes, seconds = int(match[1]), int(match[2]), int(match[3])
    whole = (hours * 60 + minutes) * 60 + seconds
    if match[5] is None:
        fraction = Fraction(int(match[6]), 10 ** len(match[6])) if match[6] else Fraction(0)
        exact = (whole + fraction) * rate
        return int(exact + Fraction(1, 2))
    nominal = _nominal(rate)
    label = int(match[5])
    if label >= nominal:
        raise ValueError(
            f"{text!r} has frame {label}, but at {_show_rate(rate)} frames a second they count to {nominal - 1}"
        )
    number = whole * nominal + label
    if match[4] == ";":
        dropped = _dropped_a_minute(rate)
        if not dropped:
            raise ValueError(
                f"{text!r} is drop-frame timecode, which exists at 29.97 and 59.94 only, not at {_show_rate(rate)}"
            )
        if minutes % 10 and seconds == 0 and label < dropped:
            raise ValueError(f"{text!r} is a label that drop-frame timecode leaves out")
        total = hours * 60 + minutes
        number -= dropped * (total - total // 10)
    return number


def format_timecode(frame: int, rate: Fraction, drop: bool = False) -> str:
    """Write a frame number as ``HH:MM:SS:FF`` (``HH:MM:SS;FF`` for drop-frame, SMPTE ST 12-1).

    Raises ``ValueError`` for a negative frame, or for drop-frame at another rate than 29.97 and 59.94.
    """
    if frame < 0:
        raise ValueError(f"a frame number is not negative, got {frame}")
    nominal = _nominal(rate)
    if drop:
        dropped = _dropped_a_minute(rate)
        if not dropped:
            raise ValueError(f"drop-frame timecode exists at 29.97 and 59.94 only, not at {_show_rate(rate)}")
        a_minute = 60 * nominal - dropped
        ten_minutes = 10 * a_minute + dropped
        tens, rest = divmod(frame, ten_minutes)
        # The first minute of every ten keeps all of its labels.
        minutes = 0 if rest < 60 * nominal else 1 + (rest - 60 * nominal) // a_minute
        frame += dropped * (9 * tens + minutes)
    seconds, label = divmod(frame, nominal)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if drop else ':'}{label:02d}"


def label_rate(timecode: str, rate: Fraction, *, variable: bool = False) -> Fraction | None:
    """Find the rate at which a timecode counts: the footage's own. Where that varies, ``rate`` is but an average, below what
    the camera counts by, and the next usual rate is meant. ``None`` for what is no timecode, and for drop-frame labels at a
    rate that has none.
    """
    drop = ";" in timecode
    rates = [rate]
    if variable:
        slack = Fraction(999, 1000)
        rates = [usual for usual in _USUAL if usual >= rate * slack and (not drop or _dropped_a_minute(usual))][:1]
    for candidate in rates:
        try:
            parse_timecode(timecode, candidate)
        except ValueError:
            continue
        return candidate
    return None


def advanced_timecode(timecode: str, frames: int, rate: Fraction) -> str:
    """Move a timecode on by some frames at the rate of its labels; wraps at 24 hours. Raises ``ValueError`` if it is none."""
    first = parse_timecode(timecode, rate)
    drop = ";" in timecode
    day = parse_timecode("23:59:59" + (";" if drop else ":") + f"{_nominal(rate) - 1:02d}", rate) + 1
    return format_timecode((first + frames) % day, rate, drop)


def _nominal(rate: Fraction) -> int:
    return max(1, int(rate + Fraction(1, 2)))


def _dropped_a_minute(rate: Fraction) -> int:
    """Frame labels that drop-frame timecode leaves out at each minute but every tenth: 2 at 29.97, 4 at 59.94."""
    nominal = _nominal(rate)
    close = abs(rate - Fraction(nominal * 1000, 1001)) < Fraction(1, 100)
    return nominal // 15 if nominal in (30, 60) and close and rate != nominal else 0


def _show_rate(rate: Fraction) -> str:
    return f"{float(rate):.6g}"
