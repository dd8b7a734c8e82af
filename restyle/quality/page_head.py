"""The head of the report's page: the verdict in words, with links to the worst moments, and the figures."""

from __future__ import annotations

from restyle.quality.lettering import figure, percent, text
from restyle.quality.page_moments import link
from restyle.quality.report_data import ReportData
from restyle.quality.verdict import verdict_of

__all__ = ["header"]

MOST_LINKS = 3


def header(data: ReportData) -> str:
    """The page's head."""
    long = ' class="long"' if len(data.title) > 60 else ""
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in _figures(data))
    return (
        f'<header><p class="eyebrow">Restyle report</p><h1{long}>{text(data.title)}</h1>'
        f'<p class="verdict">{_verdict(data)}</p><dl class="figures">{cells}</dl></header>'
    )


def _verdict(data: ReportData) -> str:
    if data.verdict:
        return text(data.verdict)
    verdict = verdict_of(data)
    where = ""
    if data.moments:  # of a good result, too: one per cent of what moves may be a hand
        shown = list(enumerate(data.moments, 1))[:MOST_LINKS]
        listed = ", ".join(link(number, f"frame {moment.frame:,}") for number, moment in shown)
        where = f" Worst moments: {listed}."
    return (
        f'<b class="{verdict.level}">{verdict.word}</b> {text(verdict.reason)}{where}'
        f'<span class="figures-said">{text(verdict.figures)}</span>'
    )


def _figures(data: ReportData) -> list[tuple[str, str]]:
    summary = data.summary()
    figures = [
        ("frame" if summary["frames"] == 1 else "frames", f"{summary['frames']:,}"),
        ("shot" if summary["shots"] == 1 else "shots", f"{summary['shots']:,}"),
        (
            "painted" if summary["painted"] == summary["frames"] else "painted, the others filled",
            f"{summary['painted']:,}",
        ),
    ]
    if (lost := summary["moving_lost"]) is not None:
        figures.append(("of what moves has lost its shape", percent(lost)))
    if (ratio := summary["warp_error_over_source"]) is not None:
        figures.append(("the footage’s own change from frame to frame", f"{figure(ratio)}×"))
    if (coverage := summary["coverage"]) is not None:
        figures.append(("of the frames between paintings explained by them", percent(coverage)))
    if (speed := summary["frames_per_second"]) is not None:
        figures.append(("frames a second in all", figure(speed)))
    return figures
