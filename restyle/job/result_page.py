"""A result as a notebook shows it: the verdict, and one frame before and after, one wiped over the other."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from restyle.errors import JobError
from restyle.job.remote_store import local_folder
from restyle.quality.stored_report import read_report

if TYPE_CHECKING:
    from restyle.job.result import Result

__all__ = ["result_html"]

# Without a script, for notebooks run none that they do not trust: the upper picture's box is drawn wider and narrower by its
# corner.
WIPE = (
    '<div style="position:relative;display:inline-block;line-height:0">'
    '<img src="{after}" alt="after" style="max-width:100%">'
    '<div style="position:absolute;inset:0 auto 0 0;width:50%;max-width:100%;overflow:hidden;resize:horizontal;'
    'border-right:2px solid #fff">'
    '<img src="{before}" alt="before" style="height:100%;max-width:none"></div></div>'
    "<p>before over after: draw the lower right corner of the upper picture</p>"
)


def result_html(result: Result) -> str:
    """Give a result as HTML that needs nothing besides: its pictures are in it."""
    facts = f"{result.output} · {result.frames} frames, {result.painted} painted · {result.seconds:.0f} s"
    lines = [f"<p><b>{escape(facts)}</b></p>", *(f"<p>{escape(note)}</p>" for note in result.notes)]
    if result.verdict:
        lines.insert(1, f"<p>{escape(result.verdict)}</p>")
    pair = _pictures(result)
    if pair is not None:
        lines.append(WIPE.format(before=_inline(pair[0]), after=_inline(pair[1])))
    return "".join(lines)


def _pictures(result: Result) -> tuple[Path, Path] | None:
    if result.report is None:
        return None
    try:
        report = read_report(local_folder(result.folder))
    except JobError:  # the job folder was removed since
        return None
    return (report.before, report.after) if report.before and report.after else None


def _inline(path: Path) -> str:
    return f"data:image/jpeg;base64,{b64encode(path.read_bytes()).decode()}"
