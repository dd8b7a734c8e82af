"""The masker that follows an object: the one that is named, or the best that can be used here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from clips import moving_frames, write_clip

from controls.errors import ControlError
from controls.masks import MASKERS
from controls.types import Box, Masked, MaskerTraits, MatteClip, MatteFolder, People, Pictures, Prompted, Text
from restyle import Job, Recipe
from restyle.errors import MissingExtraError, MissingModelError, RecipeError
from restyle.job.masker_choice import MaskerChoice, choose_masker, deciding_files, deciding_packages, masker_for

SIZE = (96, 64)
FRAMES = 6


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mkv", moving_frames(FRAMES, SIZE), codec="ffv1", pixel_format="bgr0")


def test_the_notes_say_who_followed_and_what_would_be_better(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    recipe = Recipe.build(objects=["thing=box:20,16,60,50@3"])
    (note,) = Job(clip, recipe=recipe).mattes(tmp_path / "a")
    assert note.startswith("objects were followed by flowcut; SAM 2 would follow them better: ")
    assert note.endswith("restyle models pull sam2")
    named = Recipe.build(objects=["thing=box:20,16,60,50@3"], masker="flowcut")
    assert Job(clip, recipe=named).mattes(tmp_path / "b") == []
    with monkeypatch.context() as without:
        without.setattr("restyle.job.masker_choice.find_spec", lambda name: None)
        (note,) = Job(clip, recipe=recipe).mattes(tmp_path / "c")
        assert note.endswith("better: pip install 'restyle[sam2]', then restyle models pull sam2")
    for kept, other in zip(
        sorted((tmp_path / "a/thing").iterdir()), sorted((tmp_path / "b/thing").iterdir()), strict=True
    ):
        assert kept.read_bytes() == other.read_bytes()


def test_sam2_is_taken_where_its_weights_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restyle.job.masker_choice.find_spec", lambda name: object())
    weights = tmp_path / "tiny"
    choice = choose_masker("auto", {"model": str(weights), "edge": 3, "text_score": 0.4})
    assert choice == MaskerChoice("flowcut", {"edge": 3}, {"text_score": 0.4}, choice.note)
    assert str(weights) in str(choice.note)
    weights.mkdir()
    (weights / "config.json").write_text('{"model_type": "sam2_video"}')
    (weights / "model.safetensors").touch()
    choice = choose_masker("auto", {"model": str(weights), "edge": 3, "text_score": 0.4})
    assert choice == MaskerChoice(
        "sam2", {"model": str(weights)}, {"text_score": 0.4}, "objects were followed by SAM 2"
    )


@pytest.mark.parametrize("model", [5, "", "a" * 5000, "a/" + "b" * 5000, "a\0b", "/dev/zero", "~nobody/x"])
def test_auto_survives_models_that_nobody_means(model: object) -> None:
    choice = choose_masker("auto", {"model": model})
    assert choice.name == "flowcut"
    assert "SAM 2 would follow them better: " in str(choice.note)


def test_whatever_holds_for_a_whole_shot_has_a_masker_of_its_own() -> None:
    assert masker_for(Box(1, 2, 3, 4), "sam2") == "sam2"
    assert masker_for(People(), "sam2") == "people"
    assert masker_for(MatteFolder(Path("mattes")), "flowcut") == "matte-folder"
    with pytest.raises(ControlError, match="no masker follows MatteClip"):
        masker_for(MatteClip(Path("car.mov")), "flowcut")


def test_options_of_another_masker_do_not_stop_the_one_that_is_chosen(clip: Path, tmp_path: Path) -> None:
    options = {"model": str(tmp_path / "none.safetensors"), "edge": 3}
    recipe = Recipe.build(objects=["thing=box:20,16,60,50@3"], masker_options=options)
    (note,) = Job(clip, recipe=recipe).mattes(tmp_path / "a")
    assert "none.safetensors" in note
    with pytest.raises(RecipeError, match="no masker has an option 'hardness'"):
        Job(clip, recipe=Recipe.build(objects=recipe.objects, masker_options={"hardness": 1})).mattes(tmp_path / "b")


def test_a_masker_s_weights_decide_its_mattes(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "sam2_video"}')
    (folder / "model.safetensors").write_bytes(b"one")
    (folder / "README.md").write_text("not looked at")
    chosen = MaskerChoice("sam2", {"model": str(folder)})
    assert [file.name for file in deciding_files(chosen)] == ["config.json", "model.safetensors"]
    alone = MaskerChoice("sam2", {"model": str(folder / "model.safetensors")})
    assert deciding_files(alone) == [folder / "model.safetensors"]
    assert deciding_files(MaskerChoice("flowcut")) == []
    assert deciding_packages(chosen) == {}
    assert set(deciding_packages(MaskerChoice("flowcut"))) == {"mediapipe"}


def test_mattes_are_made_anew_when_weights_change(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"one")
    monkeypatch.setattr("restyle.job.findings.deciding_files", lambda chosen, offline: [weights])
    recipe = Recipe.build(
        objects=["thing=box:20,16,60,50@3"],
        masker="flowcut",
        layers=[{"object": "thing", "mode": "cutout"}],
        codec="png",
    )

    def run() -> set[str]:
        Job(clip, tmp_path / "out", recipe, overwrite=True, report=False, folder=tmp_path / "job").run()
        return {path.name for path in (tmp_path / "job" / "mattes").iterdir()}

    first = run()
    assert run() == first
    weights.write_bytes(b"two")
    assert run().isdisjoint(first)


class WordMasker:
    """A masker that takes words, as SAM 3 does: the object is the left half of the picture, whatever it is called."""

    name = "words"
    traits = MaskerTraits(title="words", prompts=frozenset({Text}))
    heard: ClassVar[list[Prompted]] = []

    def follow(self, pictures: Pictures, prompts: Sequence[Prompted]) -> Iterator[Masked]:
        self.heard.extend(prompts)
        width, height = pictures.size
        matte = np.zeros((height, width), np.float32)
        matte[:, : width // 2] = 1
        for number in range(len(pictures)):
            yield Masked(number, {prompted.name: matte for prompted in prompts})


def test_a_masker_that_takes_words_is_given_them(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is grounded for it: no detector is looked for, and none is here."""
    monkeypatch.setitem(MASKERS.own, "words", f"{__name__}:WordMasker")
    monkeypatch.setattr(WordMasker, "heard", [])
    recipe = Recipe.build(objects=["thing=text:the red thing@3"], masker="words")
    Job(clip, recipe=recipe, offline=True).mattes(tmp_path / "mattes")
    assert WordMasker.heard == [Prompted("thing", 3, Text("the red thing"))]
    assert len(list((tmp_path / "mattes" / "thing").glob("*.png"))) == FRAMES
    grounded = Recipe.build(objects=["thing=text:the red thing@3"], masker="flowcut")
    with pytest.raises((MissingModelError, MissingExtraError)):
        Job(clip, recipe=grounded, offline=True).mattes(tmp_path / "other")
