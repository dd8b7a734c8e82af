"""Versions of a result: kept, rendered beside, served from their first frame on, removed."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips import moving_frames, write_clip

from restyle import Job, OutputError, Recipe, RecipeError
from restyle.studio.project import Project
from restyle.studio.versions import Versions


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_clip(tmp_path / "clip.mp4", moving_frames(8, (64, 48)))
    return Project(tmp_path / "clip.mp4")


def render(project: Project, **fields: object) -> None:
    recipe = Recipe(keyframes="every:8", **fields)  # type: ignore[arg-type]
    Job(project.source, project.output, recipe, overwrite=True, report=False).run()


def test_a_result_is_kept_while_the_next_takes_its_place(project: Project) -> None:
    versions = Versions(project)
    with pytest.raises(RecipeError, match="no result yet"):
        versions.keep()
    assert versions.served() is None
    render(project, style="lava", strength=0.5, range="2:6")
    kept = versions.keep()
    before = kept.output.read_bytes()
    render(project, style="mosaic")
    assert kept.output.read_bytes() == before != project.output.read_bytes()
    assert kept.recipe.style == "lava"
    assert kept.label == "1: lava, strength 0.5"
    old, new = versions.served("1"), versions.served()
    assert old is not None
    assert new is not None
    assert (old.first, old.frames.frames) == (2, 4)
    assert (new.first, new.frames.frames) == (0, 8)
    assert old.frames.jpeg(0) != new.frames.jpeg(2)
    assert versions.new(Recipe()).name == "2"
    assert versions.served("2") is None
    (kept.folder / "mine.txt").write_text("notes")
    with pytest.raises(OutputError, match=r"holds what restyle did not put there: .*mine.txt"):
        versions.remove("1")
    assert kept.output.is_file()
    (kept.folder / "mine.txt").unlink()
    versions.remove("1")
    assert [version.name for version in versions.all()] == ["2"]
    assert versions.served("1") is None
    assert project.output.is_file()


def test_names_that_are_no_numbers_are_nobodys_version(project: Project) -> None:
    versions = Versions(project)
    for name in ("x", "1x"):
        (versions.folder / name).mkdir(parents=True)
    (versions.folder / "3").symlink_to(project.source.parent)
    assert versions.all() == []
    assert versions.served("../..") is None
    versions.remove("x")
    assert (versions.folder / "x").is_dir()
