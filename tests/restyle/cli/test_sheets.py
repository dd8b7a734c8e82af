"""``restyle sheets``, for real."""

from __future__ import annotations

from pathlib import Path

import cv2
from command import Caller
from object_store import Bucket


def test_sheets_of_a_job(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    restyle_command("run", "in.mp4", "-o", "out.mp4", "--style", "mosaic", "--range", "4:24", "--keyframes", "6,18")
    said = restyle_command("sheets", "in.mp4", "out.mp4", "-o", "looked-at", "--json").json
    names = [Path(name).name for name in said["sheets"]]
    assert {"painted-00000006.png", "painted-00000018.png"} <= set(names)
    assert sorted(path.name for path in (tmp_path / "looked-at").glob("*.png")) == names
    whole = cv2.imread("looked-at/painted-00000006.png")
    assert whole.shape == (12 + 2 * (48 + 4) + 24, 24 + 5 * (64 + 4) - 4, 3)
    above, below = whole[12:60, 12:76], whole[64:112, 12:76]
    assert cv2.absdiff(above, below).mean() > 5, "the footage above its painting"

    assert "is there already" in restyle_command.fails("sheets", "in.mp4", "out.mp4", "-o", "looked-at", code=4)
    words = (
        "in.mp4",
        "out.mp4",
        "-o",
        "looked-at",
        "--overwrite",
        "--painted",
        "out.mp4",
        "--around",
        "1",
        "--most",
        "1",
    )
    said = restyle_command("sheets", *words)
    assert "1 of" in said.out
    assert "--most" in said.out
    assert len(list((tmp_path / "looked-at").glob("painted-*.png"))) == 1
    tall = cv2.imread(str(next((tmp_path / "looked-at").glob("painted-*.png"))))
    assert tall.shape[0] == 12 + 3 * (48 + 4) + 24


def test_sheets_of_any_two_clips(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    (tmp_path / "other.mp4").write_bytes(clip.read_bytes())
    restyle_command("sheets", "in.mp4", "other.mp4", "-o", "some", "--frames", "7, 3")
    assert sorted(path.name for path in (tmp_path / "some").glob("*.png")) == [
        "frame-00000003.png",
        "frame-00000007.png",
    ]
    words = ("sheets", "in.mp4", "other.mp4", "-o", "more")
    assert "--job" in restyle_command.fails(*words, code=5)
    assert "--frames is a list" in restyle_command.fails(*words, "--frames", "a", code=2)
    assert "no frame 99" in restyle_command.fails(*words, "--frames", "99", code=3)
    assert not (tmp_path / "more").exists()


def test_what_lies_elsewhere_is_looked_at_and_measured_as_what_lies_here(
    clip: Path, restyle_command: Caller, bucket: Bucket, tmp_path: Path
) -> None:
    source, result = bucket.put(clip, "in.mp4"), f"{bucket.url}/out.mp4"
    words = ("--painter", "identity", "--keyframes", "6,18", "--range", "0:20")
    restyle_command("run", source, "-o", result, *words)
    bucket.files.get_file(f"{bucket.name}/out.mp4", "out.mp4")
    bucket.files.get(f"{bucket.name}/out.mp4.restyle", "out.mp4.restyle", recursive=True)
    restyle_command("sheets", source, result, "-o", "there", "--painted", result, "--most", "1")
    restyle_command("sheets", "in.mp4", "out.mp4", "-o", "here", "--painted", "out.mp4", "--most", "1")
    sheets = {path.name: path.read_bytes() for path in (tmp_path / "here").iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "there").iterdir()} == sheets
    assert len(sheets) > 1
    there = restyle_command("measure", source, result, "--size", "32", "--json").json
    assert (there.pop("source"), there.pop("result")) == (source, result)
    here = restyle_command("measure", "in.mp4", "out.mp4", "--size", "32", "--json").json
    assert (here.pop("source"), here.pop("result")) == ("in.mp4", "out.mp4")
    assert there == here
    line = restyle_command.fails("sheets", source, result, "-o", "other", "--job", f"{bucket.url}/none", code=5)
    assert line.startswith(f"there is no report.json in '{bucket.url}/none': run the job again")
    assert "there is no file or folder" in restyle_command.fails("measure", source, f"{bucket.url}/no.mp4", code=3)
