"""Ctrl-C and SIGTERM, for real."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from clips import moving_frames, write_clip
from command import start

ROOT = Path(__file__).parents[3]
WORK = ("run", "in.mp4", "-o", "out.mp4", "--style", "mosaic", "--keyframes", "every:4", "-v")


def long_clip(folder: Path) -> Path:
    """Work of some seconds, in several windows."""
    return write_clip(folder / "in.mp4", moving_frames(200, (160, 96)), audio=True)


def stop_in_the_middle(process: subprocess.Popen[str], *, signal_number: int, frames: int) -> tuple[str, str, float]:
    """Wait until so many frames are done, send the signal; gives stdout, the rest of stderr, and seconds until the end."""
    assert process.stderr is not None
    for line in process.stderr:
        done = line.partition("restyling")[2].partition("/")[0].split()
        if done and int(done[-1]) >= frames:
            break
    else:
        pytest.fail("ended before it could be stopped")
    process.send_signal(signal_number)
    began = time.monotonic()
    out, err = process.communicate(timeout=60)
    return out, err, time.monotonic() - began


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_goes_on_to_the_same_bytes(number: int, code: int, tmp_path: Path) -> None:
    long_clip(tmp_path)
    whole = start(*WORK, "--fresh", "--json", cwd=tmp_path)
    first = json.loads(whole.communicate(timeout=120)[0])
    wanted = (tmp_path / "out.mp4").read_bytes()
    (tmp_path / "out.mp4").unlink()
    shutil.rmtree(tmp_path / "out.mp4.restyle")

    process = start(*WORK, "--fresh", cwd=tmp_path)
    out, err, took = stop_in_the_middle(process, signal_number=number, frames=first["frames"] // 2)
    assert process.returncode == code
    assert out == ""
    assert "Traceback (most recent call last)" in err  # -v
    assert took < 10  # about one second on a quiet machine
    assert not (tmp_path / "out.mp4").exists()
    last = err.splitlines()[-1]
    assert last.startswith("restyle: stopped; what is finished is kept. To go on: ")
    typed = last.partition("To go on: ")[2]
    assert "--fresh" not in typed
    again = subprocess.run(f"{typed} --json", shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert 0 < json.loads(again.stdout)["reused"] < first["frames"]
    assert (tmp_path / "out.mp4").read_bytes() == wanted


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    process = _deaf(tmp_path)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130


def test_what_does_not_look_up_is_stopped_all_the_same(tmp_path: Path) -> None:
    process = _deaf(tmp_path)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 143
    assert 0.5 < time.monotonic() - began < 10
    assert err.splitlines()[-1] == "restyle: stopped"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_while_everything_is_imported(number: int, code: int, tmp_path: Path) -> None:
    wait = "import time\nprint('ready', flush=True)\nfor _ in range(6000): time.sleep(0.01)\n"
    (tmp_path / "pydantic.py").write_text(wait)  # what takes most of the time
    process = start("run", "a.mp4", "-o", "b.mp4", cwd=tmp_path, env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"})
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert err.strip().splitlines() == ["restyle: stopping (once more to stop at once)", "restyle: stopped"]


def test_a_stop_that_somebody_swallows_comes_again(tmp_path: Path) -> None:
    """In a destructor whatever is raised is dropped; a broad handler takes it for damage."""
    work = (
        "    class Deaf:\n"
        "        def __del__(self): print('ready', flush=True); sleep()\n"
        "    Deaf()\n"
        "    try: sleep()\n"
        "    except Exception: sleep()\n"
    )
    process = _deaf(tmp_path, work)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 143
    assert err.splitlines()[-1] == "restyle: stopped"


def _deaf(folder: Path, work: str = "    print('ready', flush=True)\n    sleep()\n") -> subprocess.Popen[str]:
    """A command that never looks at the event: ``doctor``, made to sleep."""
    code = (
        "import sys, time, restyle.cli.doctor as d, restyle.cli\n"
        "def sleep():\n    for _ in range(6000): time.sleep(0.01)\n"
        f"def work():\n{work}"
        "d.examine = work\n"
        "sys.exit(restyle.cli.main(['doctor']))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=os.environ,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process
