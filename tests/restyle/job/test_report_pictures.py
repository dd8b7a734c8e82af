"""The report's pictures in the job folder: what is made, when it is made anew, and that the result does not depend on it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import av
import numpy as np
import pytest
from clips import moving_frames, write_clip
from PIL import Image

import restyle
from restyle import Job, Recipe
from restyle.files.owned import LIST_NAME, OwnFiles
from restyle.job import job_report
from restyle.quality.stored_report import read_report

SIZE = (160, 120)


def footage() -> list[np.ndarray]:
    """A texture that moves, and leaps in a part, so that something is lost there."""
    frames = moving_frames(30, SIZE, shift=(3, 1))
    patches = moving_frames(30, (64, 56), shift=(7, -5), seed=3)
    for number, frame in enumerate(frames):
        frame[30:86, 40:104] = patches[number * 7 % 30]
    return frames


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("footage") / "in.mp4", footage())


RECIPE = Recipe(style="mosaic", keyframes=(0, 15), filler="hold")


def run(clip: Path, folder: Path, recipe: Recipe = RECIPE, **options) -> restyle.Result:
    return Job(clip, folder / "out.mp4", recipe, overwrite=True, **options).run()


def files(folder: Path) -> dict[str, int]:
    """Files of the report's pictures, and their inodes."""
    return {str(path.relative_to(folder)): path.stat().st_ino for path in (folder / "pictures").rglob("*.*")}


def test_pictures_are_made_once_and_change_nothing(clip: Path, tmp_path: Path) -> None:
    result = run(clip, tmp_path, paint_moments=False)
    out, job = tmp_path / "out.mp4", result.folder
    pixels = out.read_bytes()
    plain = read_report(job)
    assert plain.moments
    assert all(moment.source and moment.result and moment.painting is None for moment in plain.moments)
    assert plain.clip is not None
    assert plain.poster is not None
    page = (job / "report.html").read_text()
    assert "--paint-moments" in page, "the page says how to ask for paintings"
    assert "Painted by itself" not in page

    run(clip, tmp_path)
    painted = read_report(job)
    assert [moment.frame for moment in painted.moments] == [moment.frame for moment in plain.moments]
    assert all(moment.painting for moment in painted.moments), "the embedded painter takes little"
    assert out.read_bytes() == pixels
    page = (job / "report.html").read_text()
    assert page.count("Painted by itself, frame") == len(painted.moments)
    assert "--paint-moments" not in page

    made = files(job)
    assert len({name.split("/")[1] for name in made}) == 1, "those of before are removed"
    run(clip, tmp_path)
    assert files(job) == made, "what is there is not made again"
    run(clip, tmp_path, report=False)
    assert not files(job)


def test_a_painting_is_nearer_to_the_look_than_what_was_lost(clip: Path, tmp_path: Path) -> None:
    job = run(clip, tmp_path).folder
    (tmp_path / "alone").mkdir()
    alone = run(clip, tmp_path / "alone", Recipe(style="mosaic", keyframes="every:1", painter_options={"hold": 0}))
    moment = read_report(job).moments[0]
    left, top, right, bottom = moment.box
    with av.open(str(alone.output)) as container:
        frame = list(container.decode(video=0))[moment.frame].to_ndarray(format="rgb24")
    truth = frame[top:bottom, left:right].astype(int)
    assert moment.painting is not None
    assert moment.result is not None
    painting, result = (np.asarray(Image.open(path)).astype(int) for path in (moment.painting, moment.result))
    assert painting.shape == truth.shape
    assert np.abs(painting - truth).mean() < 0.6 * np.abs(result - truth).mean()


def test_the_clip_is_the_result_s_first_seconds(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restyle.job.window_report.PREVIEW_FRAMES", 20)
    job = run(clip, tmp_path, Recipe(painter="identity", keyframes="every:1", range="3:30")).folder
    plain = json.loads((job / "report.json").read_text())
    assert plain["moving_pair"] == {"first": 3, "frames": 20, "size": [160, 120], "whole": False}
    shown = read_report(job).clip
    assert shown is not None
    with av.open(io.BytesIO(shown.read_bytes())) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == 20
    frames = footage()
    for number, picture in enumerate(pictures):
        for half in (picture[:120].astype(int), picture[120:].astype(int)):  # identity: both are the footage
            near = [np.abs(half - frames[3 + number + by]).mean() for by in (-1, 0, 1)]
            assert near[1] == min(near), number
            assert near[1] < 12, number


def test_a_dear_painter_is_not_asked_for_paintings_by_itself(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_report, "CHEAP", 10.0)
    job = run(clip, tmp_path).folder
    assert all(moment.painting is None for moment in read_report(job).moments)
    assert "With neural-style that takes long" in (job / "report.html").read_text()
    run(clip, tmp_path, paint_moments=True)
    assert all(moment.painting for moment in read_report(job).moments)


def test_windows_that_keep_no_preview_give_a_report_without_a_clip(clip: Path, tmp_path: Path) -> None:
    job = run(clip, tmp_path, Recipe(painter="identity", keyframes="every:10")).folder
    for folder in (job / "windows").iterdir():
        (folder / "preview.h264").unlink()
        (folder / LIST_NAME).write_text(OwnFiles.of_folder(folder, f"windows/{folder.name}").to_text())
    (path,) = (job / "pictures").iterdir()
    (path / "clip.mp4").write_bytes(b"damaged")
    run(clip, tmp_path, Recipe(painter="identity", keyframes="every:10"))
    assert read_report(job).clip is None
    assert "<video" not in (job / "report.html").read_text()
