"""Source and result on the report's page, playing in step: one clip that holds both, drawn with a wipe between them.

The clip lies inside the page, so that the page can be moved and sent. Without scripts it plays as it is, the source above the
result.
"""

from __future__ import annotations

import base64

from restyle.quality.report_data import ReportData

__all__ = ["player", "player_note"]

KEYS = "space plays and pauses, the left and right arrow keys step by one frame"


def player(data: ReportData) -> str:
    """The section's player; empty without a clip."""
    pair = data.moving_pair
    if pair is None:
        return ""
    width, height = pair.size
    clip = base64.b64encode(pair.data).decode()
    return (
        f'<div class="player" role="group" aria-label="Source and result in step: {KEYS}" data-first="{pair.first}" '
        f'data-frames="{pair.frames}" data-rate="{float(data.rate):.6f}" style="--ratio:{width / height:.4f}">'
        f'<div class="stage"><video muted playsinline loop controls preload="none" width="{width}" height="{2 * height}" '
        f'aria-label="Source above result" src="data:video/mp4;base64,{clip}"></video>'
        f'<canvas width="{width}" height="{height}" tabindex="0" role="img" '
        f'aria-label="Left of the split the source, right of it the result; {KEYS}"></canvas>'
        '<span class="left">Source</span><span class="right">Result</span></div>'
        '<div class="bar"><button type="button" class="back" aria-label="One frame back">\u2039</button>'
        '<button type="button" class="play" aria-label="Play">Play</button>'
        '<button type="button" class="on" aria-label="One frame on">\u203a</button>'
        f'<label><span>Time</span><input type="range" class="at" min="0" max="{pair.frames - 1}" value="0"></label>'
        '<label><span>Split</span><input type="range" class="wipe" min="0" max="100" value="50"></label>'
        '<output aria-live="off"></output></div></div>'
    )


def player_note(data: ReportData) -> str:
    """Say in words which part of the result the clip shows, and for what it is good."""
    pair = data.moving_pair
    if pair is None:
        return ""
    seconds = pair.frames / data.rate
    what = "The whole result" if pair.whole else f"The first {float(seconds):.3g} seconds"
    return (
        f"{what}, small and compressed: for looking at motion; judge fine detail in the result itself. "
        '<span class="hint">Drag the picture to move the split. Space plays, the arrow keys step.</span>'
    )
