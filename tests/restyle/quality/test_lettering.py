from __future__ import annotations

from restyle.quality.lettering import duration, figure, percent, ranges, spread, text


def test_text_is_safe_in_attributes_too() -> None:
    assert text("a\"b'c<d>&\n\x07") == "a&quot;b&#x27;c&lt;d&gt;&amp;\\n\\x07"


def test_figures_in_words() -> None:
    assert [figure(v) for v in (None, float("nan"), 0, 0.5, 12.345, 4567, 3.2e-5)] == [
        "–", "–", "0", "0.5", "12.3", "4,567", "3.20×10⁻⁵",
    ]  # fmt: skip
    assert [percent(v) for v in (0.5, 0.9996, 1)] == ["50 %", "99.9 %", "100 %"]
    assert [duration(v) for v in (3.21, 63, 3725)] == ["3.2 s", "1 min 03 s", "1 h 02 min"]
    assert ranges([1, 2, 3, 7, 9, 10]) == "1–3, 7, 9–10"
    assert spread(range(100), 4) == [0, 33, 66, 99]
    assert spread([1, 2], 4) == [1, 2]
