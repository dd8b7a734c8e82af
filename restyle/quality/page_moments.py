"""The worst moments of what moves on the report's page: the source, the result, and what a painting there would be."""

from __future__ import annotations

from restyle.quality.lettering import image, text
from restyle.quality.report_data import Moment, ReportData

__all__ = ["EXPLANATION", "MOST_MOMENTS", "link", "moments"]

MOST_MOMENTS = 10
EXPLANATION = (
    "Where something that moves follows the footage’s shapes least, enlarged. The loss says how much is missing to what a "
    "painting keeps there: 0 nothing, 1 everything; from 0.35 on a place counts as lost."
)


def link(number: int, words: str) -> str:
    """A link to a moment, the first being 1."""
    return f'<a href="#moment-{number}">{text(words)}</a>'


def moments(data: ReportData) -> str:
    """The section's list; empty where there is nothing to show."""
    cards = "".join(
        _card(number, moment)
        for number, moment in enumerate(data.moments[:MOST_MOMENTS], 1)
        if moment.source and moment.result
    )
    if not cards:
        return ""
    note = f'<p class="soft small">{text(data.moments_note)}</p>' if data.moments_note else ""
    return f'{note}<ol class="sheet moments">{cards}</ol>'


def _card(number: int, moment: Moment) -> str:
    figures = "".join(
        f"<figure>{image(data, f'{label}, frame {moment.frame}')}<figcaption>{label}</figcaption></figure>"
        for label, data in (
            ("Source", moment.source),
            ("Result", moment.result),
            ("Painted by itself", moment.painting),
        )
        if data
    )
    return (
        f'<li id="moment-{number}"><div class="three">{figures}</div><div class="what"><b>Frame {moment.frame:,}</b> '
        f"<span>{text(moment.timecode)}</span> · <i>loss {min(1.0, moment.loss):.2f}</i></div></li>"
    )
