"""Clips that share one look, whichever of them ends first, and whatever fails."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from batches import FIELDS, contents, ends, run
from clips import moving_frames, write_clip

from restyle.batch.batch import Batch
from restyle.engines import Engine, Outcome, Task, Work
from restyle.engines.base import MakeWorker
from restyle.engines.pool import ProcessPool
from restyle.errors import FootageError, RecipeError
from restyle.job.job import Job
from restyle.recipe import Recipe

LOOK = {"style": "winter-ink", "painter_options": {"threads": 1}, "max_gap": 100}


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """Three short clips, one of them much brighter."""
    folder = tmp_path / "scenes"
    folder.mkdir()
    frames = moving_frames(3, (96, 64), seed=5)
    write_clip(folder / "a.mp4", frames)
    write_clip(folder / "b.mp4", [(frame // 2 + 127).astype("uint8") for frame in frames])
    write_clip(folder / "c.mp4", moving_frames(3, (96, 64), seed=6))
    return folder


class Backwards(Engine):
    """An engine that waits for all that it can get, and does the last first."""

    workers = 9

    def run(self, work: Work, make: MakeWorker, cancel: Event) -> Generator[Outcome, None, None]:
        """See ``Engine.run``."""
        waiting: list[Task] = []
        with closing(make(0)) as worker:
            while not work.over:
                while (task := work.take(())) is not None:
                    waiting.append(task)
                if waiting:
                    yield worker.perform(waiting.pop(), lambda message: None, cancel)


def test_the_look_does_not_depend_on_who_ends_first(scenes: Path, tmp_path: Path) -> None:
    run(scenes, tmp_path / "alone", LOOK)
    run(scenes, tmp_path / "one", LOOK, match_first=True)
    run(scenes, tmp_path / "two", LOOK, match_first=True, engine=Backwards())
    run(scenes, tmp_path / "three", LOOK, match_first=True, engine=ProcessPool(2, threads=1))
    made = contents(tmp_path / "one")
    assert contents(tmp_path / "two") == made
    assert contents(tmp_path / "three") == made
    alone = contents(tmp_path / "alone")
    assert made["c.mp4"] != alone["c.mp4"]
    assert set(ends(run(scenes, tmp_path / "one", LOOK, match_first=True)).values()) == {"skipped: done"}


def test_a_look_stays_when_clips_come_and_go(scenes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(scenes, out, LOOK, match_first=True)
    before = contents(out)
    (scenes / "a.mp4").rename(tmp_path / "away.mp4")
    write_clip(scenes / "0.mp4", moving_frames(2, (96, 64), seed=9))  # it comes first, and decides nothing
    assert ends(run(scenes, out, LOOK, match_first=True)) == {
        "0.mp4": "done: new",
        "b.mp4": "skipped: done",
        "c.mp4": "skipped: done",
    }
    (anchor,) = (out / "batch.restyle/anchors").iterdir()
    shutil.copyfile(anchor / "footage.png", anchor / "painting-0.png")  # a person paints over it
    assert set(ends(run(scenes, out, LOOK, match_first=True)).values()) == {"done: another recipe"}
    assert contents(out)["c.mp4"] != before["c.mp4"]
    (anchor / "painting-0.png").write_bytes(b"no picture")
    damaged = ends(run(scenes, out, LOOK, match_first=True))
    assert all(end.startswith("failed: ") and "painting-0.png" in end for end in damaged.values())
    shutil.rmtree(anchor)  # it is painted anew, of what is first now
    assert set(ends(run(scenes, out, LOOK, match_first=True)).values()) <= {
        "done: begun before",
        "done: another recipe",
    }


def test_when_the_first_cannot_be_painted_the_next_sets_the_look(scenes: Path, tmp_path: Path) -> None:
    (scenes / "0.mp4").write_bytes(b"no video")
    results = ends(run(scenes, tmp_path / "out", LOOK, match_first=True))
    assert results.pop("0.mp4").startswith("failed: ")
    assert set(results.values()) == {"done: new"}
    run(scenes / "a.mp4", tmp_path / "first", LOOK, match_first=True)
    assert contents(tmp_path / "first")["a.mp4"] == contents(tmp_path / "out")["a.mp4"]


def test_a_manifest_makes_groups(footage: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "list.csv"
    rows = ("footage/a.mp4,x,,one", "footage/day1/b.mov,y,,one", "footage/shot,z,,two", "footage/a.mp4,w,0.5,")
    manifest.write_text("clip,output,mix,match\n" + "\n".join(rows) + "\n")
    results = run([manifest], tmp_path / "out")
    assert all(result.status == "done" for result in results)
    assert len(list((tmp_path / "out/batch.restyle/anchors").iterdir())) == 2
    plans = list(Batch([manifest], tmp_path / "out", FIELDS).plan())
    assert {clip.action for clip in plans} == {"skip"}


def test_clips_of_one_group_have_one_style(footage: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "list.csv"
    manifest.write_text("clip,style,match\nfootage/a.mp4,lava,beach\nfootage/day1/b.mov,mosaic,beach\n")
    with pytest.raises(RecipeError, match=r"b\.mov' is to share the look of 'beach', and has another painter, style"):
        run([manifest], tmp_path / "out", {})


def test_a_painter_that_cannot_share_a_look_is_told(footage: Path, tmp_path: Path, monkeypatch: Any) -> None:
    from restyle.painters.base import Capabilities
    from restyle.painters.identity import IdentityPainter

    monkeypatch.setattr(IdentityPainter, "capabilities", Capabilities())
    results = ends(run(footage, tmp_path / "out", match_first=True))
    assert all("painter 'identity' cannot take over the look of other footage" in end for end in results.values())


def test_an_anchor_is_painted_and_taken_over_by_hand(scenes: Path, tmp_path: Path) -> None:
    recipe = Recipe(**LOOK)
    Job(scenes / "a.mp4", recipe=recipe, folder=tmp_path / "job").paint_anchor(tmp_path / "anchor")
    assert {path.name for path in (tmp_path / "anchor").iterdir()} == {
        "footage.png",
        "painting-0.png",
        "facts.json",
        ".restyle-files.json",
    }
    joined = recipe.model_copy(update={"anchor": str(tmp_path / "anchor")})
    first = Job(scenes / "c.mp4", tmp_path / "c.mp4", joined, report=False).run()
    assert first.reused == 0
    shutil.copytree(tmp_path / "anchor", tmp_path / "moved")
    moved = recipe.model_copy(update={"anchor": str(tmp_path / "moved")})
    again = Job(scenes / "c.mp4", tmp_path / "c.mp4", moved, report=False, overwrite=True).run()
    assert again.reused == 3  # known by its content
    shutil.copyfile(tmp_path / "moved/footage.png", tmp_path / "moved/painting-0.png")
    other = Job(scenes / "c.mp4", tmp_path / "c.mp4", moved, report=False, overwrite=True).run()
    assert other.reused == 0
    (tmp_path / "moved/painting-0.png").unlink()
    with pytest.raises((RecipeError, FootageError), match=r"painting-0\.png"):
        Job(scenes / "c.mp4", tmp_path / "c.mp4", moved, overwrite=True).run()
