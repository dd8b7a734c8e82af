"""The batch's index: one page that shows what became of every clip, and leads to each report."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from urllib.parse import quote

from restyle.batch.records import BatchFolder
from restyle.batch.results import ClipResult
from restyle.errors import JobError, OutputError, show_path, why
from restyle.files.remote import Url
from restyle.files.writing import write_file
from restyle.footage.staging import is_remote_pattern
from restyle.quality.stored_report import StoredReport, read_report

__all__ = ["NAME", "write_index"]

NAME = "index.html"
PAGE = "report.html"  # of each job
MOST = 5_000  # clips on the page; failed ones come first


def write_index(folder: BatchFolder, results: Iterable[ClipResult]) -> Path:
    """Write the page into the batch's own folder, in one step, and give its path. Same results, same bytes.

    Of each clip: a poster, before and after, the worst moment and the verdict, as its report has them. Pictures stay in the
    job folders; what has been cleaned away is left out. Raises ``OutputError``.
    """
    ordered = sorted(results, key=lambda result: (result.status != "failed", str(result.output)))
    counts = Counter(result.status for result in ordered)
    head = ", ".join(f"{counts[status]} {status}" for status in ("done", "skipped", "failed") if counts[status])
    more = f"<p>and {len(ordered) - MOST:,} more: see log.jsonl</p>" if len(ordered) > MOST else ""
    template = files("restyle.batch").joinpath(NAME).read_text(encoding="utf-8")
    page = Template(template).substitute(
        title=escape(str(folder.output.name or folder.output)),
        counts=escape(head),
        clips="\n".join(_card(folder, result) for result in ordered[:MOST]),
        more=more,
    )
    path = folder.path / NAME
    try:
        write_file(path, page.encode(errors="backslashreplace"))
    except OSError as error:
        raise OutputError(f"cannot write {show_path(path)}: {why(error)}") from error
    return path


def _card(folder: BatchFolder, result: ClipResult) -> str:
    if result.status == "failed":
        return f'<li class="failed"><h2>{escape(result.source.name)}</h2><p>{escape(result.line)}</p></li>'
    name = "/".join(result.output.parts[len(folder.output.parts) :])
    report = _report_of(folder, name, result)
    parts = [*_pictures(folder, report)] if report is not None else []
    verdict = f'<p class="{escape(report.level)}">{escape(report.verdict)}</p>' if report is not None else ""
    links = [f'<a href="{escape(quote(f"../{name}"))}">result</a>'] if _is_file(result.output) else []
    if report is not None:
        links.append(f'<a href="{escape(quote(f"jobs/{name}/{PAGE}"))}">report</a>')
    frames = result.facts.get("frames")
    facts = f"{result.status}: {result.reason}" + (f"; {frames} frames" if frames is not None else "")
    return (
        f'<li class="{result.status}"><h2>{escape(name)}</h2>{"".join(parts)}{verdict}'
        f"<p>{escape(facts)}</p><p>{' · '.join(links)}</p></li>"
    )


def _is_file(output: Path | Url) -> bool:
    """Tell whether a result is one file that is there. Elsewhere, those that were done are."""
    return not is_remote_pattern(output) if isinstance(output, Url) else output.is_file()


def _report_of(folder: BatchFolder, name: str, result: ClipResult) -> StoredReport | None:
    try:
        return read_report(folder.report_folder(name, result.facts))
    except JobError:  # it was not wanted, or cleaned away
        return None


def _pictures(folder: BatchFolder, report: StoredReport) -> Iterator[str]:
    if report.poster is not None:
        yield f'<img src="{_link(folder, report.poster)}" alt="half footage, half result" loading="lazy">'
    yield from _pair(folder, report.before, report.after, "before and after")
    if report.moments:
        worst = report.moments[0]
        yield from _pair(folder, worst.source, worst.result, f"worst moment, frame {worst.frame}")


def _pair(folder: BatchFolder, left: Path | None, right: Path | None, about: str) -> Iterator[str]:
    if left is None or right is None:
        return
    images = "".join(
        f'<img src="{_link(folder, path)}" alt="{side}" loading="lazy">'
        for path, side in ((left, "footage"), (right, "result"))
    )
    yield f'<figure><div class="both">{images}</div><figcaption>{escape(about)}</figcaption></figure>'


def _link(folder: BatchFolder, path: Path) -> str:
    """A path as the page, which lies in the batch's own folder, leads to it."""
    return escape(quote(os.path.relpath(path, folder.path)))
