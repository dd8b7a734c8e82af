"""Moving parts on the report's page: their worst moments, and a verdict in words."""

from __future__ import annotations

from restyle.quality.lettering import image, percent, text
from restyle.quality.report_data import Moment, ReportData

__all__ = ["MOST_MOMENTS", "moments", "verdict_on_what_moves"]

MOST_MOMENTS = 10
KEPT, DAMAGED = 0.01, 0.03  # share of moving blocks that are lost up to which shape is kept, and over which it is not


def verdict_on_what_moves(data: ReportData) -> str:
    """One sentence; empty where nothing moves or nothing was measured."""
    lost = data.structure_loss().lost
    if lost is None:
        return ""
    if lost <= KEPT:
        return "What moves keeps its shape."
    if lost <= DAMAGED:
        return f"Most of what moves keeps its shape; {percent(lost)} of it does not: see the worst moments."
    return f"{percent(lost)} of what moves loses its shape: see the worst moments; more keyframes help."


def moments(data: ReportData) -> str:
    """The section's list; empty where there is nothing to show."""
    cards = "".join(_card(moment) for moment in data.moments[:MOST_MOMENTS] if moment.source and moment.result)
    return f'<ol class="sheet moments">{cards}</ol>' if cards else ""


def _card(moment: Moment) -> str:
    images = "".join(
        image(data, f"{label}, frame {moment.frame}")
        for label, data in (("Source", moment.source), ("Result", moment.result))
    )
    return (
        f'<li><div class="both">{images}</div><div class="what"><b>{moment.frame:,}</b> '
        f"<span>{text(moment.timecode)}</span><br><i>loses {min(1.0, moment.loss):.2f}</i></div></li>"
    )
