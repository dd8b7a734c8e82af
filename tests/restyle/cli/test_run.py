"""``restyle run`` and its kin, for real: footage in, footage out."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from clips import moving_frames, number_of, numbered_frames, psnr, read_pictures, write_clip, write_pictures
from command import Caller, start

ROOT = Path(__file__).parents[3]
SIZE = (64, 48)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two dozen frames with sound."""
    return write_clip(tmp_path / "in.mp4", moving_frames(24, SIZE), audio=True)


def test_run_restyles_a_clip_and_says_so(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    said = restyle_command("run", "in.mp4", "-o", "out.mp4", "--style", "mosaic")
    before, after = read_pictures(clip), read_pictures(tmp_path / "out.mp4")
    assert len(after) == 24
    assert after[0].shape == before[0].shape
    assert psnr(before[10], after[10]) < 25  # it has been painted
    for fact in ("'out.mp4'", "24 in 1 shot", "painted", "'out.mp4.restyle'", "report.html"):
        assert fact in said.out
    assert "restyling 100 %: 24/24 frames" in said.err
    page = (tmp_path / "out.mp4.restyle" / "report.html").read_text()
    assert "mosaic" in page


def test_run_again_repeats_nothing_and_changes_nothing(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    first = restyle_command("run", "in.mp4", "-o", "out.mp4", "--painter", "identity", "--json").json
    assert (first["output"], first["frames"], first["reused"]) == ("out.mp4", 24, 0)
    data = (tmp_path / "out.mp4").read_bytes()
    line = restyle_command.fails("run", "in.mp4", "-o", "out.mp4", "--painter", "identity", code=4)
    assert "'out.mp4'" in line
    assert "--overwrite" in line
    words = ("run", "in.mp4", "-o", "out.mp4", "--painter", "identity", "--json", "--overwrite")
    assert restyle_command(*words).json["reused"] == 24
    assert restyle_command(*words, "--resume").json["reused"] == 24
    assert restyle_command(*words, "--fresh").json["reused"] == 0
    assert (tmp_path / "out.mp4").read_bytes() == data


def test_quiet_says_nothing(clip: Path, restyle_command: Caller) -> None:
    said = restyle_command("run", "in.mp4", "-o", "out.mp4", "--painter", "identity", "--no-report", "-q")
    assert said.out == ""
    assert said.err == ""
    assert restyle_command.fails("run", "in.mp4", "-o", "out.mp4", "-q", code=4)


def test_json_is_one_document_and_nothing_else(clip: Path, restyle_command: Caller) -> None:
    said = restyle_command("run", "in.mp4", "-o", "out.mp4", "--painter", "identity", "--json", "-v")
    assert Path(said.json["report"]).is_file()
    assert "restyling" in said.err


def test_options_reach_the_job(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    (tmp_path / "look.json").write_text(json.dumps({"style": "lava", "strength": 0.5, "seed": 3}))
    restyle_command(
        "run", "in.mp4", "-o", "out.mkv", "--recipe", "look.json", "--style", "mosaic", "--keep-color", "--keyframes",
        "every:6", "--filler", "along-motion", "--range", "4:16", "--codec", "ffv1", "--quality", "90", "--job", "work here",
        "--no-report", "--coverage", "0.5", "--max-gap", "9", "--cuts", "10", "--offline",
        "--painter-option", "hold=0.25", "--filler-option", "detail=0.9", "--masker-option", "edge=4",
    )  # fmt: skip
    recipe = json.loads((tmp_path / "work here" / "recipe.json").read_text())
    assert recipe == {
        "version": 1, "style": "mosaic", "prompt": None, "negative_prompt": None, "prompts": [], "controls": [],
        "painter": "neural-style", "painter_options": {"hold": 0.25},
        "filler": "along-motion", "filler_options": {"detail": 0.9}, "strength": 0.5, "keep_colour": True, "seed": 3,
        "keyframes": "every:6", "coverage": 0.5,
        "max_gap": 9, "storyboard": {}, "cuts": [10], "deinterlace": False,
        "objects": [], "masker": "auto", "masker_options": {"edge": 4},
        "layers": [], "range": "4:16", "codec": "ffv1", "quality": 90,
    }  # fmt: skip
    plan = json.loads((tmp_path / "work here" / "plan.json").read_text())
    assert [(shot["start"], shot["stop"]) for shot in plan["shots"]] == [(4, 10), (10, 16)]
    assert len(read_pictures(tmp_path / "out.mkv")) == 12
    assert not (tmp_path / "work here" / "report.html").exists()
    assert not (tmp_path / "out.mkv.restyle").exists()


def test_a_sequence_of_pictures(restyle_command: Caller, tmp_path: Path) -> None:
    write_pictures(tmp_path / "shot", numbered_frames(9, SIZE), first=11)
    said = restyle_command(
        "run", "shot/frame.%04d.png", "-o", "painted/frame.%04d.png", "--painter", "identity", "--keyframes", "every:1",
        "--fps", "12", "--json",
    ).json  # fmt: skip
    assert said["frames"] == 9
    assert (tmp_path / "painted.restyle").is_dir()
    names = sorted(path.name for path in (tmp_path / "painted").glob("[!.]*"))
    assert names == [f"frame.{number:04d}.png" for number in range(11, 20)]
    assert [number_of(picture) for picture in read_pictures(tmp_path / "painted")] == list(range(9))


def test_a_picture_as_the_style_and_a_keyframe_by_hand(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    hand = np.full((48, 64, 3), (200, 40, 40), np.uint8)
    write_pictures(tmp_path, [hand, moving_frames(1, SIZE, seed=9)[0]], "art%d.png", first=1)
    restyle_command(
        "run", "in.mp4", "-o", "out.mkv", "--codec", "ffv1", "--style", "art2.png", "--keyframe-image", "8=art1.png"
    )
    made = read_pictures(tmp_path / "out.mkv")
    assert np.array_equal(made[8], hand)
    assert not np.array_equal(made[0], hand)


@pytest.mark.parametrize(
    ("words", "code", "hints"),
    [
        (("--style", "mosiac"), 2, ("'mosiac'", "did you mean 'mosaic'")),
        (("--painter", "identify"), 2, ("'identify'", "did you mean 'identity'")),
        (("--filler", "along"), 2, ("'along'", "along-motion")),
        (("--style", "none.png"), 2, ("'none.png'",)),
        (("--recipe", "future.json"), 2, ("'future.json'", "version 99")),
        (("--recipe", "odd.json"), 2, ("'odd.json'", "'styel'", "did you mean 'style'")),
        (("--recipe", "filler.json"), 2, ("'along-motion'", "detail")),
        (("--range", "90:95"), 2, ("'90:95'", "24 frames")),
        (("--codec", "mp3"), 4, ("'mp3'", "h264")),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    words: tuple[str, ...], code: int, hints: tuple[str, ...], clip: Path, restyle_command: Caller, tmp_path: Path
) -> None:
    (tmp_path / "future.json").write_text('{"version": 99}')
    (tmp_path / "odd.json").write_text('{"styel": "oil"}')
    (tmp_path / "filler.json").write_text('{"filler_options": {"detail": 5}}')
    line = restyle_command.fails("run", "in.mp4", "-o", "out.mp4", *words, code=code)
    for hint in hints:
        assert hint in line
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    "name", ["two words", "it's", 'say "so"', "100%", "[bold]x", "line\nbreak", "-dash", "映画", "#;&|*"]
)
def test_hostile_names_all_the_way(name: str, restyle_command: Caller, tmp_path: Path) -> None:
    write_clip(tmp_path / f"{name}.mp4", moving_frames(4, (32, 32)))
    words = ("run", "-o", f"{name} out.mp4", "--painter", "identity", "--json", "--", f"{name}.mp4")
    assert restyle_command(*words).json["output"] == f"{name} out.mp4"
    assert len(read_pictures(tmp_path / f"{name} out.mp4")) == 4


def test_plan(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    said = restyle_command("plan", "in.mp4", "--keyframes", "0,10", "--cuts", "10").out
    assert "0:10" in said
    assert "10:24" in said
    assert "24 frames, 2 shots, 2 windows, 2 keyframes to paint" in said
    found = restyle_command("plan", "in.mp4", "--keyframes", "every:12", "--json").json
    assert [key["frame"] for key in found["keyframes"]] == [0, 12]
    assert found["frames"] == 24
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4"]  # nothing was written


def test_preview(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    found = restyle_command("preview", "in.mp4", "-o", "sheet.png", "--style", "lava", "--cuts", "12", "--json").json
    assert found == {
        "sheet": "sheet.png",
        "shots": [{"shot": 0, "frame": 0, "reason": "start"}, {"shot": 1, "frame": 12, "reason": "start"}],
    }
    sheet = read_pictures_of(tmp_path / "sheet.png")
    assert sheet.shape[0] > 48
    assert sheet.shape[1] > 128
    assert "--overwrite" in restyle_command.fails("preview", "in.mp4", "-o", "sheet.png", code=4)
    assert "'sheet.txt'" in restyle_command.fails("preview", "in.mp4", "-o", "sheet.txt", code=4)
    assert "no folder" in restyle_command.fails("preview", "in.mp4", "-o", "none/sheet.png", code=4)
    assert restyle_command("preview", "in.mp4", "-o", "sheet.png", "--overwrite", "--painter", "identity").code == 0


def test_styles(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    listed = restyle_command("styles", "--json").json["styles"]
    assert len(listed) == 26
    said = restyle_command("styles").out
    for style in listed:
        assert style["name"] in said
        assert style["description"] in said
    assert "--sheet" in restyle_command.fails("styles", "-o", "sheet.jpg", code=2)
    found = restyle_command("styles", "--sheet", "in.mp4", "-o", "sheet.jpg", "--json").json
    assert found["sheet"] == "sheet.jpg"
    assert read_pictures_of(tmp_path / "sheet.jpg").shape[0] > 48


def test_measure(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    restyle_command("run", "in.mp4", "-o", "out.mp4", "--style", "mosaic", "--no-report")
    found = restyle_command("measure", "in.mp4", "out.mp4", "--json").json
    assert found["source_frames"] == found["result_frames"] == 24
    assert found["findings"] == []
    assert found["summary"]["warp_error"] > 0
    said = restyle_command("measure", "in.mp4", "out.mp4", "--size", "32").out
    assert "warp error" in said
    write_clip(tmp_path / "short.mp4", moving_frames(20, SIZE))
    assert "20 frames" in restyle_command("measure", "in.mp4", "short.mp4").out


def test_doctor(restyle_command: Caller) -> None:
    said = restyle_command("doctor")
    assert "restyle works here." in said.out
    found = restyle_command("doctor", "--json").json
    assert found["ok"] is True
    assert {"numpy", "multistyle26.onnx", "h264", "yaml"} <= {check["name"] for check in found["checks"]}


# Stopping


def long_clip(folder: Path) -> Path:
    """Work of some seconds, in several windows."""
    return write_clip(folder / "in.mp4", moving_frames(200, (160, 96)), audio=True)


WORK = ("run", "in.mp4", "-o", "out.mp4", "--style", "mosaic", "--keyframes", "every:4", "-v")


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


def read_pictures_of(path: Path) -> np.ndarray:
    from clips import read_picture

    return read_picture(path)
