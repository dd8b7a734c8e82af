"""The verdict in words follows the figures."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from restyle.quality.page import page_of
from restyle.quality.report import FrameRow, Moment, ReportData
from restyle.quality.verdict import verdict_of


def judged(blocks: int, *losses: float) -> ReportData:
    """Two frames in which ``blocks`` moved, some with those losses."""
    lost = tuple((0, number, loss) for number, loss in enumerate(losses))
    rows = [FrameRow(0, 0, painted=True), FrameRow(1, 0, moving_blocks=blocks, block_losses=lost)]
    return ReportData(title="x", rate=Fraction(25), frames=rows)


@pytest.mark.parametrize(
    ("data", "level", "says"),
    [
        (judged(100), "good", "Good. What moves keeps its shape."),
        (judged(100, 0.5), "good", "Good."),
        (judged(100, 0.9, 0.5), "look", "Look at it. Most of what moves keeps its shape; 2 % of it does not."),
        (judged(1000, *[0.34] * 50), "look", "less than 1 % of it does not"),
        (judged(100, 0.9, 0.5, 0.5, 0.5), "bad", "Bad. 4 % of what moves has lost its shape."),
        (judged(100, 0.9, 0.9, 0.3, 0.3, 0.3), "bad", "Bad. 2 % of what moves has lost its shape."),
        (judged(0), "still", "Not judged. Nothing moves here"),
    ],
)
def test_the_level_is_by_what_moves(data: ReportData, level: str, says: str) -> None:
    verdict = verdict_of(data)
    assert verdict.level == level
    assert says in verdict.text
    assert "2 frames in 1 shot, 1 of them painted." in verdict.text


def test_the_page_leads_to_the_worst_frames() -> None:
    moments = [Moment(frame, "0", 0.9, (0, 0, 8, 8), b"x", b"x") for frame in (41, 7, 12, 30)]
    bad = replace(judged(100, 0.9, 0.9, 0.9, 0.9), moments=moments)
    html = page_of(bad)
    assert '<b class="bad">Bad.</b>' in html
    links = [f'<a href="#moment-{n}">frame {frame}</a>' for n, frame in ((1, 41), (2, 7), (3, 12))]
    assert f"Worst moments: {', '.join(links)}." in html
    assert "Worst moments: " in page_of(replace(judged(100, 0.5), moments=moments)), "a hand may be one per cent"
    assert "Worst moments: " not in page_of(judged(100))
