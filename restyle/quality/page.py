"""The report's HTML."""

from __future__ import annotations

from html import escape

from restyle.quality.report_data import ReportData

__all__ = ["page_of"]


def page_of(data: ReportData) -> str:
    """The whole page."""
    return f"<!doctype html><meta charset=utf-8><title>{escape(data.title)}</title>"
