"""Options that several commands share."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from clips import moving_frames, write_clip
from command import Caller

from restyle import errors
from restyle.cli.options import rate_parser


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("run", "", "-o", "a.mp4"), "INPUT"),
        (("run", "a.mp4", "-o", ""), "--output"),
        (("run", "a.mp4", "--output="), "--output"),
        (("run", "a.mp4", "-o", "b.mp4", "--recipe", ""), "--recipe"),
        (("run", "a.mp4", "-o", "b.mp4", "--job", ""), "--job"),
        (("plan", ""), "INPUT"),
        (("preview", "a.mp4", "-o", ""), "--output"),
        (("matte", "a.mp4", "-o", "", "--object", "a=point:1,1@0"), "--output"),
        (("controls", "a.mp4", "-o", ""), "--output"),
        (("controls", ""), "INPUT"),
        (("retime", "a.mp4", "-o", "", "--fps", "12"), "--output"),
        (("styles", "--sheet", "", "-o", "a.png"), "--sheet"),
        (("styles", "--sheet", "a.mp4", "-o", ""), "--output"),
        (("inspect", ""), "FOOTAGE"),
        (("measure", "", "a.mp4"), "SOURCE"),
        (("measure", "a.mp4", ""), "RESULT"),
    ],
    ids=" ".join,
)
def test_an_empty_name_is_not_the_folder_at_hand(
    words: tuple[str, ...], option: str, restyle_command: Caller, tmp_path: Path
) -> None:
    write_clip(tmp_path / "a.mp4", moving_frames(2, (32, 32)))
    line = restyle_command.fails(*words, code=2)
    assert "an empty name" in line
    assert option in line
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(
    ("text", "rate"),
    [("24", 24), ("23.976", Fraction(24000, 1001)), ("29.97", Fraction(30000, 1001)), ("59.94", Fraction(60000, 1001)),
     ("30000/1001", Fraction(30000, 1001)), ("12.5", Fraction(25, 2)), ("25", 25), ("23.5", Fraction(47, 2))],
)  # fmt: skip
def test_rates(text: str, rate: Fraction) -> None:
    assert rate_parser("--fps")(text) == rate


@pytest.mark.parametrize("text", ["0", "-24", "1/0", "nan", "inf", "1e9", ""])
def test_wrong_rates(text: str) -> None:
    with pytest.raises(errors.RecipeError, match="--fps"):
        rate_parser("--fps")(text)
