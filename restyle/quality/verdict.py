"""The verdict on a result in words, from what was measured of it: good, to be looked at, or bad, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from restyle.quality.lettering import count, figure, percent
from restyle.quality.report_data import ReportData

__all__ = ["Level", "Verdict", "verdict_of"]

Level = Literal["good", "look", "bad", "still"]

# Shares of what moves that are lost, and mean losses of the worst twentieth, up to which a result is good, and beyond which it
# is bad. Between lie results whose damage one may or may not mind: one has to look.
GOOD = (0.01, 0.25)
BAD = (0.03, 0.45)
WORDS = {"good": "Good.", "look": "Look at it.", "bad": "Bad.", "still": "Not judged."}


@dataclass(frozen=True)
class Verdict:
    """The verdict on one result."""

    level: Level
    """``still``: nothing moved that could be judged."""
    reason: str
    """One sentence: why."""
    figures: str
    """Further sentences: how much was painted, and how steady it is."""

    @property
    def word(self) -> str:
        """The level as it is said in one or three words."""
        return WORDS[self.level]

    @property
    def text(self) -> str:
        """All of it in one line."""
        return f"{self.word} {self.reason} {self.figures}"


def verdict_of(data: ReportData) -> Verdict:
    """Judge a result by its figures: first by whether what moves keeps its shape."""
    level, reason = _shapes(data)
    return Verdict(level, reason, _figures(data))


def _shapes(data: ReportData) -> tuple[Level, str]:
    loss = data.structure_loss()
    if loss.lost is None or loss.worst is None:
        return "still", "Nothing moves here that has a shape to judge by."
    if loss.lost <= GOOD[0] and loss.worst <= GOOD[1]:
        return "good", "What moves keeps its shape."
    lost = percent(loss.lost) if loss.lost >= 0.005 else "less than 1 %"
    if loss.lost > BAD[0] or loss.worst > BAD[1]:
        return (
            "bad",
            f"{lost} of what moves has lost its shape. More painting helps: --effort best, or --keyframes every:2.",
        )
    return "look", f"Most of what moves keeps its shape; {lost} of it does not."


def _figures(data: ReportData) -> str:
    summary = data.summary()
    frames, painted, repaired = (int(summary[name] or 0) for name in ("frames", "painted", "repaired"))
    sentences = f"{count(frames, 'frame')} in {count(int(summary['shots'] or 1), 'shot')}, "
    sentences += "painted." if frames == 1 else f"{'all' if painted == frames else f'{painted:,}'} of them painted."
    ratio = summary["warp_error_over_source"]
    if ratio is not None and ratio <= 1.05:
        sentences += " From frame to frame the result is as steady as the footage itself."
    elif ratio is not None:
        sentences += f" From frame to frame the result changes {figure(ratio)} times as much as the footage itself."
    if repaired:
        sentences += f" {count(repaired, 'frame')} had to be painted anew, because no neighbour explained enough of "
        sentences += "it." if repaired == 1 else "them."
    if data.notes:
        sentences += f" {count(len(data.notes), 'note')} below." if frames > 1 else ""
    return sentences
