"""What must fail well, through the command line: one clear line that names the file and the remedy, an exit code that is not
zero, no traceback, nothing lost, nothing half-made under the output's name."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from clips import moving_frames, write_clip, write_pictures
from command import Caller

from restyle.footage import probe

PLAIN = ("--painter", "identity", "--filler", "hold")


def prints(folder: Path) -> dict[str, str]:
    """Every file below the folder with the digest of its content, job folders aside."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".restyle" not in str(path.relative_to(folder))
    }


def fails(call: Caller, folder: Path, source: str, *words: str, code: int, says: str, output: str = "out.mp4") -> str:
    before = prints(folder)
    line = call.fails("run", "-o", output, *PLAIN, *words, "--", source, code=code)
    assert says in line
    assert prints(folder) == before
    return line


@pytest.fixture
def good(tmp_path: Path) -> bytes:
    path = write_clip(tmp_path / "good.mp4", moving_frames(30, (64, 48)), rate=24, audio=True)
    content = path.read_bytes()
    path.unlink()
    return content


def test_truncated(restyle_command: Caller, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "cut.mkv", moving_frames(60, (160, 96)), rate=24, options={"g": "10"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    line = fails(restyle_command, tmp_path, "cut.mkv", code=3, says="'cut.mkv'")
    assert "damaged" in line
    assert "--range" in line


def test_an_index_that_was_never_written(good: bytes, restyle_command: Caller, tmp_path: Path) -> None:
    (tmp_path / "half.mp4").write_bytes(good[: len(good) // 2])
    fails(restyle_command, tmp_path, "half.mp4", code=3, says="'half.mp4'")


@pytest.mark.parametrize(
    ("content", "name"), [(b"", "empty.mp4"), (b"Dear diary,\n" * 99, "text.mp4"), (b"", "empty.png")]
)
def test_no_film_at_all(restyle_command: Caller, tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    fails(restyle_command, tmp_path, name, code=3, says=f"'{name}'")


def test_sound_only(restyle_command: Caller, tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "song.m4a"), "w") as out:
        stream = out.add_stream("aac", rate=48000)
        stream.layout = "mono"
        for _ in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate = 48000
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    fails(restyle_command, tmp_path, "song.m4a", code=3, says="'song.m4a'")


@pytest.mark.parametrize("name", ["nowhere.mp4", "nowhere/frame.%04d.png", "nowhere"])
def test_missing(restyle_command: Caller, tmp_path: Path, name: str) -> None:
    fails(restyle_command, tmp_path, name, code=3, says="nowhere")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable(good: bytes, restyle_command: Caller, tmp_path: Path) -> None:
    (tmp_path / "secret.mp4").write_bytes(good)
    (tmp_path / "secret.mp4").chmod(0)
    line = restyle_command.fails("run", "-o", "out.mp4", *PLAIN, "secret.mp4", code=3)
    assert "'secret.mp4'" in line
    assert "permission denied" in line


def test_a_gap_in_a_sequence(restyle_command: Caller, tmp_path: Path) -> None:
    write_pictures(tmp_path / "shot", moving_frames(8, (64, 48)))
    sorted((tmp_path / "shot").iterdir())[4].unlink()
    before = prints(tmp_path)
    for source in ("shot", "shot/frame.%04d.png"):
        line = restyle_command.fails("run", "-o", "out.mp4", *PLAIN, source, code=3)
        assert "missing" in line
    assert prints(tmp_path) == before


def test_pictures_of_two_sizes(restyle_command: Caller, tmp_path: Path) -> None:
    write_pictures(tmp_path / "shot", [*moving_frames(4, (64, 48)), *moving_frames(1, (48, 64))])
    fails(restyle_command, tmp_path, "shot", code=3, says="64")


def test_output_equal_to_input(good: bytes, restyle_command: Caller, tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_bytes(good)
    (tmp_path / "link.mp4").symlink_to("in.mp4")
    os.link(tmp_path / "in.mp4", tmp_path / "hard.mp4")
    for output in ("in.mp4", "./in.mp4", "link.mp4", "hard.mp4"):
        fails(restyle_command, tmp_path, "in.mp4", "--overwrite", code=4, says="is the footage itself", output=output)


def test_output_exists(good: bytes, restyle_command: Caller, tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_bytes(good)
    (tmp_path / "out.mp4").write_bytes(b"precious")
    line = fails(restyle_command, tmp_path, "in.mp4", code=4, says="'out.mp4'")
    assert "--overwrite" in line
    restyle_command("run", "in.mp4", "-o", "out.mp4", *PLAIN, "--overwrite", "-q")
    assert probe(tmp_path / "out.mp4").frames == 30


def test_no_folder_to_write_into(good: bytes, restyle_command: Caller, tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_bytes(good)
    fails(restyle_command, tmp_path, "in.mp4", code=4, says="'no'", output="no/out.mp4")


def test_a_storyboard_picture_that_is_corrupt(good: bytes, restyle_command: Caller, tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_bytes(good)
    (tmp_path / "hand.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    fails(restyle_command, tmp_path, "in.mp4", "--keyframe-image", "3=hand.png", code=3, says="'hand.png'")


def test_a_style_picture_that_is_corrupt(good: bytes, restyle_command: Caller, tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_bytes(good)
    (tmp_path / "look.jpg").write_bytes(b"\xff\xd8\xff and no more")
    line = restyle_command.fails("run", "in.mp4", "-o", "out.mp4", "--style", "look.jpg", code=2)
    assert "'look.jpg'" in line


def test_a_job_folder_that_is_in_use(good: bytes, restyle_command: Caller, tmp_path: Path) -> None:
    from restyle.job.store import JobStore

    (tmp_path / "in.mp4").write_bytes(good)
    with JobStore(tmp_path / "work"):
        line = fails(restyle_command, tmp_path, "in.mp4", "--job", "work", code=5, says="'work'")
    assert str(os.getpid()) in line


FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from restyle.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("share", [0.001, 0.1, 0.6, 0.9])
def test_a_disk_that_fills_up(restyle_command: Caller, tmp_path: Path, share: float) -> None:
    """No file may outgrow a share of the result's size: as a full disk, at different stages of the job."""
    noise = np.random.default_rng(1).integers(0, 255, (30, 96, 160, 3), np.uint8)
    write_clip(tmp_path / "in.mp4", list(noise), rate=24)
    words = ["run", "in.mp4", *PLAIN, "--keyframes", "every:3", "--cuts", "10,20", "--quality", "95"]
    restyle_command(*words, "-o", "whole.mp4", "-q")
    before = prints(tmp_path)
    limit = str(int((tmp_path / "whole.mp4").stat().st_size * share))
    done = subprocess.run(
        [sys.executable, "-c", FULL, limit, *words, "-o", "out.mp4"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("restyle: ")
    assert "out.mp4" in last
    assert "Traceback" not in done.stderr
    assert prints(tmp_path) == before
    restyle_command(*words, "-o", "out.mp4", "-q")  # with room again, it goes on
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (65, 49)])
def test_small_and_odd_footage_simply_works(
    restyle_command: Caller, tmp_path: Path, count: int, size: tuple[int, int]
) -> None:
    write_pictures(tmp_path / "shot", moving_frames(count, size))
    (tmp_path / "out").mkdir()
    restyle_command("run", "shot", "-o", "out/f.%04d.png", "--style", "lava", "-q")
    made = probe(tmp_path / "out" / "f.%04d.png")
    assert (made.frames, made.width, made.height) == (count, *size)


def test_an_8k_still_simply_works(restyle_command: Caller, tmp_path: Path) -> None:
    import cv2

    (tmp_path / "still").mkdir()
    big = cv2.resize(moving_frames(1, (96, 54))[0], (7680, 4320), interpolation=cv2.INTER_LINEAR)
    cv2.imwrite(str(tmp_path / "still" / "f.0001.jpg"), big[:, :, ::-1])
    (tmp_path / "out").mkdir()
    restyle_command("run", "still", "-o", "out/f.%04d.jpg", *PLAIN, "-q")
    assert (probe(tmp_path / "out" / "f.%04d.jpg").width, probe(tmp_path / "out" / "f.%04d.jpg").height) == (7680, 4320)
