"""Peak memory of a whole job must not grow with the clip: 1,200 frames against 120.

    python benchmarks/memory.py [--size 640x360] [--frames 120,1200]

Each job runs in a process of its own; the peak is the one that the kernel counted for it. Prints one line a job and, last, the
ratio, which must be at most 1.15.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from footage import moving_clip

LIMIT = 1.15


def peak(source: Path, folder: Path) -> float:
    """Peak memory, in MiB, of ``restyle run`` on ``source``, without the report's."""
    code = (
        "import resource, sys; from restyle.cli import main\n"
        "sys.argv = ['restyle', *sys.argv[1:]]\n"
        "try: main()\n"
        "finally: print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", code, "run", str(source), "-o", str(folder / f"{source.stem}-out.mp4"), "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return int(done.stderr.split("peak ")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--frames", default="120,1200")
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    few, many = (int(count) for count in options.frames.split(","))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peaks = {}
        for count in (few, many):
            clip = moving_clip(folder / f"clip{count}.mp4", frames=count, width=width, height=height)
            peaks[count] = peak(clip, folder)
            print(f"{count:6d} frames of {options.size}: peak {peaks[count]:7.1f} MiB", flush=True)
    ratio = peaks[many] / peaks[few]
    print(f"ratio {ratio:.3f} (at most {LIMIT})")
    print(json.dumps({"size": options.size, "peaks_mib": peaks, "ratio": round(ratio, 4), "limit": LIMIT}))
    sys.exit(ratio > LIMIT)


if __name__ == "__main__":
    main()
