"""Efforts, hold and keyframes: what moves is right, what is steady, and what it costs.

    python benchmarks/effort.py [CLIP ...] [--frames 60] [--style NAME ...] [--size 480] [--json FILE]

Of each clip (by default our own samples) the first frames are restyled at every setting, without loss, and judged by the same
look with every frame painted by itself (``restyle measure --painted``):

- *lost*, *worst*: structure that what moves lost, see docs/quality.md;
- *warp error* over that of painting each frame by itself, along motion on which two unlike estimators
  agree;
- *painted*: whole frames, as a share of all;
- *CPU*: processor time over that of painting each frame by itself, both by ``restyle run`` on one thread.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from restyle import Recipe, restyle  # noqa: E402
from restyle.quality.compare import compare  # noqa: E402

ALONE: dict[str, Any] = {"keyframes": "every:1", "painter_options": {"hold": 0}}
SETTINGS: dict[str, dict[str, Any]] = {
    "draft": {"effort": "draft"},
    "normal": {},
    "best": {"effort": "best"},
    "normal, hold 0.4": {"painter_options": {"hold": 0.4}},
    "every 8th": {"keyframes": "every:8"},
    "every 3rd": {"keyframes": "every:3"},
    "every frame": {"keyframes": "every:1"},
}


def make(clip: Path, out: Path, style: str, frames: int, fields: dict[str, Any]) -> tuple[float, int]:
    """Restyle; gives processor seconds and the number of painted frames."""
    options = {"threads": 1} | fields.get("painter_options", {})
    recipe = Recipe.build(
        **fields | {"style": style, "range": f"0:{frames}", "codec": "ffv1", "painter_options": options}
    )
    began = time.process_time()
    result = restyle(clip, out, recipe=recipe, report=False)
    return time.process_time() - began, result.painted


def rows(clip: Path, style: str, options: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    source = folder / "source.mkv"
    restyle(
        clip, source, painter="identity", keyframes="every:1", codec="ffv1", range=f"0:{options.frames}", report=False
    )
    alone = folder / "alone.mkv"
    alone_cpu, _ = make(clip, alone, style, options.frames, ALONE)
    found = []
    for name, fields in SETTINGS.items():
        out = folder / f"{name}.mkv"
        cpu, painted = make(clip, out, style, options.frames, fields)
        figures = compare(source, out, painted_path=alone, size=options.size).summary()
        found.append(
            {
                "clip": clip.stem,
                "style": style,
                "setting": name,
                "lost": figures["moving_lost"],
                "worst": figures["moving_worst"],
                "warp_error_over_painted": figures["warp_error_over_painted"],
                "painted": painted / options.frames,
                "cpu_over_painted": cpu / alone_cpu,
            }
        )
        print(_line(found[-1]), flush=True)
    return found


def _line(row: dict[str, Any]) -> str:
    figures = [f"{name} {value:.3f}" for name, value in row.items() if isinstance(value, float)]
    return f"{row['clip']:12s} {row['style']:14s} {row['setting']:18s} " + "  ".join(figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    samples = [ROOT / "samples" / name for name in ("harbour.mp4", "square.mp4")]
    parser.add_argument("clips", nargs="*", type=Path, default=samples)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--style", nargs="+", default=["starry-swirl"])
    parser.add_argument("--size", type=int, default=480)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = []
    for clip in options.clips:
        for style in options.style:
            with tempfile.TemporaryDirectory() as folder:
                found += rows(clip, style, options, Path(folder))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
