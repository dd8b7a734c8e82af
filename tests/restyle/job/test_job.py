from __future__ import annotations

import inspect
import json
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import moving_frames, read_pictures, write_clip
from PIL import Image

import restyle
from restyle import Cancelled, Job, JobLockedError, Progress, Recipe, RecipeError
from restyle.footage import open_footage, probe
from restyle.job.call import CallFields

PLAIN = {"painter": "identity", "filler": "hold"}


def lossless(path: Path, frames: list[np.ndarray], **options) -> Path:
    return write_clip(path, frames, codec="ffv1", pixel_format="bgr0", **options)


def pictures(path: Path) -> list[np.ndarray]:
    with open_footage(path) as footage:
        return [frame.picture for frame in footage.frames()]


def inodes(folder: Path, kind: str) -> dict[str, int]:
    return {item.name: item.stat().st_ino for item in (folder / kind).iterdir()}


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_what_is_not_repainted_comes_back_bit_for_bit(tmp_path: Path, dtype: str) -> None:
    """Identity on every frame, through the whole job, lossless on both sides."""
    frames = moving_frames(14, (46, 35), dtype=dtype, cuts=(7,))
    pixel_format = "bgr0" if dtype == "uint8" else "gbrp16le"
    source = write_clip(tmp_path / "in.mkv", frames, codec="ffv1", pixel_format=pixel_format)
    restyle.restyle(source, tmp_path / "out.mkv", codec="ffv1", keyframes="every:1", **PLAIN)
    made = pictures(tmp_path / "out.mkv")
    assert len(made) == 14
    assert all(np.array_equal(a, b) for a, b in zip(made, frames, strict=True))


def test_count_rate_times_and_sound_are_the_footages(tmp_path: Path) -> None:
    rate = Fraction(30000, 1001)
    source = write_clip(tmp_path / "in.mp4", moving_frames(20, (64, 48)), rate=rate, audio=True)
    result = restyle.restyle(source, tmp_path / "out.mp4", **PLAIN)
    made, was = probe(tmp_path / "out.mp4"), probe(source)
    assert (made.frames, made.rate, made.audio_streams) == (20, rate, 1)
    assert (made.width, made.height) == (was.width, was.height)
    assert (result.frames, result.shots) == (20, 1)


def test_a_filler_never_looks_across_a_cut(tmp_path: Path) -> None:
    red, blue = np.full((48, 64, 3), (200, 10, 10), np.uint8), np.full((48, 64, 3), (10, 10, 200), np.uint8)
    source = lossless(tmp_path / "in.mkv", [red] * 9 + [blue] * 9)
    restyle.restyle(source, tmp_path / "out.mkv", codec="ffv1", painter="identity", cuts=[9])
    for number, picture in enumerate(pictures(tmp_path / "out.mkv")):
        assert np.array_equal(picture, red if number < 9 else blue), number


def test_frames_one_by_one_are_the_files_frames(tmp_path: Path) -> None:
    source = lossless(tmp_path / "in.mkv", moving_frames(16, (64, 48), cuts=(9,)))
    recipe = Recipe(style="lava", codec="ffv1", keyframes="every:5")
    Job(source, tmp_path / "out.mkv", recipe).run()
    streamed = [made.result.picture for made in Job(source, recipe=recipe).frames()]
    assert all(np.array_equal(a, b) for a, b in zip(streamed, pictures(tmp_path / "out.mkv"), strict=True))


def test_a_change_redoes_only_what_it_touches(tmp_path: Path) -> None:
    source = lossless(tmp_path / "in.mkv", moving_frames(40, (64, 48), cuts=(20,)))
    base = {"style": "lava", "codec": "ffv1", "keyframes": "every:6", "cuts": [20], "overwrite": True}
    out, folder = tmp_path / "out.mkv", tmp_path / "out.mkv.restyle"

    def run(**changes) -> tuple[dict[str, int], dict[str, int], restyle.Result]:
        result = restyle.restyle(source, out, **(base | changes))
        return inodes(folder, "paintings"), inodes(folder, "windows"), result

    paintings, windows, first = run()
    assert first.reused == 0
    again = run()
    assert again[:2] == (paintings, windows)
    assert again[2].reused == 40
    stronger = run(mix=0.5)
    assert stronger[0] == paintings  # another mix is composited anew, not painted
    assert not set(stronger[1].values()) & set(windows.values())
    run()
    Image.fromarray(np.full((48, 64, 3), 90, np.uint8)).save(tmp_path / "hand.png")
    before = inodes(folder, "paintings")
    by_hand = run(storyboard={26: str(tmp_path / "hand.png")})
    assert len(set(by_hand[0].values()) & set(before.values())) == 1  # the other shot's
    assert by_hand[2].reused == 20
    other = run(style="mosaic")
    assert not set(other[0].values()) & set(by_hand[0].values())


def test_fresh_forgets_what_was_done(tmp_path: Path) -> None:
    source = lossless(tmp_path / "in.mkv", moving_frames(8, (64, 48)))
    restyle.restyle(source, tmp_path / "out.mkv", **PLAIN)
    bytes_then = (tmp_path / "out.mkv").read_bytes()
    assert restyle.restyle(source, tmp_path / "out.mkv", overwrite=True, fresh=True, **PLAIN).reused == 0
    assert (tmp_path / "out.mkv").read_bytes() == bytes_then


def test_a_range_in_frames(tmp_path: Path) -> None:
    frames = moving_frames(30, (64, 48))
    source = lossless(tmp_path / "in.mkv", frames)
    result = restyle.restyle(source, tmp_path / "out.mkv", codec="ffv1", range="11:19", keyframes="every:1", **PLAIN)
    assert result.frames == 8
    assert all(np.array_equal(a, b) for a, b in zip(pictures(tmp_path / "out.mkv"), frames[11:19], strict=True))


def test_a_sequence_in_and_out(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    frames = moving_frames(6, (64, 48), dtype="uint16")
    import cv2

    for number, frame in enumerate(frames, 101):
        cv2.imwrite(str(tmp_path / "in" / f"f.{number}.png"), frame[:, :, ::-1])
    (tmp_path / "out").mkdir()
    restyle.restyle(
        tmp_path / "in" / "f.%d.png", tmp_path / "out" / "g.%04d.png", rate=Fraction(25), keyframes="every:1", **PLAIN
    )
    made = sorted((tmp_path / "out").glob("[!.]*"))
    assert [path.name for path in made] == [f"g.{number:04d}.png" for number in range(101, 107)]
    assert all(np.array_equal(a, b) for a, b in zip(read_pictures(tmp_path / "out"), frames, strict=True))


def test_the_report_tells_of_every_frame(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in <b>.mp4", moving_frames(26, (64, 48), cuts=(13,)), rate=24)
    result = restyle.restyle(source, tmp_path / "out <b>.mp4", style="lava", keyframes="every:6", cuts=[13])
    assert result.report is not None
    told = json.loads(result.report.with_suffix(".json").read_text())
    assert [row["frame"] for row in told["frames"]] == list(range(26))
    assert sum(row["painted"] for row in told["frames"]) == result.painted == 6
    assert [row["frame"] for row in told["frames"] if row["warp_error"] is None] == [
        0,
        13,
    ]  # a shot's first has no pair
    assert told["recipe"]["style"] == "lava"
    assert told["versions"]["restyle"] == restyle.__version__
    page = result.report.read_text()
    assert "out <b>" not in page
    assert "out &lt;b&gt;" in page


def test_no_report_when_none_is_wanted(tmp_path: Path) -> None:
    source = lossless(tmp_path / "in.mkv", moving_frames(4, (64, 48)))
    assert restyle.restyle(source, tmp_path / "out.mkv", report=False, **PLAIN).report is None
    assert not list((tmp_path / "out.mkv.restyle").glob("report*"))


def test_progress_counts_every_frame_and_cancel_stops(tmp_path: Path) -> None:
    source = lossless(tmp_path / "in.mkv", moving_frames(20, (64, 48)))
    seen: list[Progress] = []
    Job(source, tmp_path / "out.mkv", Recipe(**PLAIN), progress=seen.append).run()  # type: ignore[arg-type]
    assert [p.done for p in seen if p.stage == "analyse"][-1] == 20
    assert [p.done for p in seen if p.stage == "render"][-1] == 20
    assert {p.total for p in seen if p.stage == "render"} == {20}
    cancel = threading.Event()

    def stop(progress: Progress) -> None:
        if progress.stage == "render" and progress.done == 5:
            cancel.set()

    job = Job(source, tmp_path / "two.mkv", Recipe(**PLAIN), progress=stop, cancel=cancel)  # type: ignore[arg-type]
    with pytest.raises(Cancelled, match="the same command goes on"):
        job.run()
    assert not (tmp_path / "two.mkv").exists()


def test_two_jobs_in_one_folder(tmp_path: Path) -> None:
    source = lossless(tmp_path / "in.mkv", moving_frames(8, (64, 48)))

    def second(progress: Progress) -> None:
        if progress.stage == "render":
            with pytest.raises(JobLockedError, match="another job of this process"):
                Job(source, tmp_path / "b.mkv", Recipe(**PLAIN), folder=tmp_path / "job").run()  # type: ignore[arg-type]
            tried.append(True)

    tried: list[bool] = []
    Job(source, tmp_path / "a.mkv", Recipe(**PLAIN), folder=tmp_path / "job", progress=second).run()  # type: ignore[arg-type]
    assert tried
    assert not (tmp_path / "b.mkv").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"storyboard": {3: "nowhere.png"}}, "nowhere.png"),
        ({"storyboard": {3: "small.png"}}, r"small.png' is 10x8, the footage 64x48"),
        ({"keyframes": [99]}, "frame 99 lies outside"),
        ({"filler_options": {"colour": 1}}, "has no option 'colour'"),
        ({"stile": "lava"}, "stile"),
        ({"style": "lavva"}, "did you mean 'lava'"),
    ],
)
def test_a_recipe_that_does_not_fit_is_one_line(tmp_path: Path, monkeypatch, options: dict, says: str) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (10, 8)).save("small.png")
    source = lossless(tmp_path / "in.mkv", moving_frames(8, (64, 48)))
    with pytest.raises(restyle.RestyleError, match=says) as caught:
        restyle.restyle(source, tmp_path / "out.mkv", **options)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.mkv").exists()


def test_the_call_takes_every_option_of_a_job() -> None:
    """And every field of a recipe, as ``CallFields``."""
    of_job = set(inspect.signature(Job).parameters)
    parameters = inspect.signature(restyle.restyle).parameters
    assert of_job == set(parameters) - {"fields", "jobs", "engine"}  # where windows are made
    assert parameters["fields"].annotation == "Unpack[CallFields]"
    assert set(CallFields.__annotations__) == set(Recipe.model_fields)


def test_an_output_is_needed(tmp_path: Path) -> None:
    source = lossless(tmp_path / "in.mkv", moving_frames(2, (64, 48)))
    with pytest.raises(RecipeError, match="-o OUTPUT"):
        Job(source).run()


def test_the_preview_is_each_shots_first_keyframe(tmp_path: Path) -> None:
    source = lossless(tmp_path / "in.mkv", moving_frames(30, (64, 48), cuts=(12,)))
    shown = Job(source, recipe=Recipe(style="lava", cuts=(12,))).preview()
    assert [key.frame for key, _, _ in shown] == [0, 12]
    full = {made.result.index: made for made in Job(source, recipe=Recipe(style="lava", cuts=(12,))).frames()}
    assert all(np.array_equal(painting, full[key.frame].result.picture) for key, _, painting in shown)
