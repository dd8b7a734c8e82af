"""Objects by their names: a detector of random weights, made here, finds what its package says that it finds."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_diffusion
from clips import moving_frames, texture, write_clip
from command import Caller

from controls.errors import ControlError
from controls.masks.grounding import TextGrounder
from controls.types import Box
from interp.errors import MissingPackageError, MissingWeightsError

SIZE = (96, 64)


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny OWL-ViT in the layout that transformers writes."""
    import torch
    from transformers import OwlViTConfig, OwlViTForObjectDetection, OwlViTImageProcessor, OwlViTProcessor

    folder = tmp_path_factory.mktemp("owl")
    tokenizer = tiny_diffusion.tokenizer()
    tokenizer.model_max_length = 16
    shape = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    words = {"vocab_size": len(tokenizer), "max_position_embeddings": 16, "bos_token_id": 0, "eos_token_id": 1}
    config = OwlViTConfig(
        text_config={**shape, **words, "pad_token_id": 1},
        vision_config={**shape, "image_size": 64, "patch_size": 16},
        projection_dim=32,
    )
    torch.manual_seed(3)
    model = OwlViTForObjectDetection(config)
    with torch.no_grad():  # boxes of some size about their patch, instead of slivers
        model.box_head.dense2.weight.mul_(0.2)
        model.box_head.dense2.bias.copy_(torch.tensor([0.0, 0.0, 3.0, 3.0]))
    model.save_pretrained(folder)
    size = {"height": 64, "width": 64}
    OwlViTProcessor(OwlViTImageProcessor(size=size, crop_size=size), tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture
def picture() -> np.ndarray:
    return np.round(texture(SIZE[1], SIZE[0]) * 255).astype(np.uint8)


def test_the_box_is_the_packages_own(detector: Path, picture: np.ndarray) -> None:
    from PIL import Image
    from transformers import pipeline

    theirs: Any = pipeline("zero-shot-object-detection", model=str(detector))
    likely = [
        one
        for one in theirs(Image.fromarray(picture), candidate_labels=["red car"], threshold=0.0)
        if min(one["box"]["xmax"], 95) - max(one["box"]["xmin"], 0) >= 2
        and min(one["box"]["ymax"], 63) - max(one["box"]["ymin"], 0) >= 2
    ]
    best = max(likely, key=lambda one: one["score"])["box"]
    found = TextGrounder(str(detector), score=0.0).ground(picture, "red car")
    assert found == Box(max(0, best["xmin"]), max(0, best["ymin"]), min(95, best["xmax"]), min(63, best["ymax"]))
    deep = TextGrounder(str(detector), score=0.0).ground(picture.astype(np.uint16) * 257, "red car")
    assert deep == found


def test_words_that_match_nothing_are_told_with_their_score(detector: Path, picture: np.ndarray) -> None:
    with pytest.raises(
        ControlError, match=r"nothing that looks like 'red car' was found \(the likeliest scores [\d.]+, 1 "
    ):
        TextGrounder(str(detector), score=1.0).ground(picture, "red car")


def test_a_folders_own_program_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, detector: Path) -> None:
    folder = tmp_path / "evil"
    shutil.copytree(detector, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "evil",
        "auto_map": {"AutoConfig": "evil.Config", "AutoModelForZeroShotObjectDetection": "evil.Net"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'touched')!r}, 'w')\n")
    monkeypatch.setattr("builtins.input", lambda *_: "y")  # whoever asks is trusted
    with pytest.raises(ControlError, match="no detector"):
        TextGrounder(str(folder))
    assert not (tmp_path / "touched").exists()


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, detector: Path) -> None:
    with pytest.raises(MissingWeightsError, match="is no folder"):
        TextGrounder(str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ControlError, match="is no detector"):
        TextGrounder(str(tmp_path / "empty"))
    with pytest.raises(ControlError, match="text_score is 0 to 1"):
        TextGrounder(str(detector), score=2)
    from controls.masks import grounding

    monkeypatch.setattr(grounding, "find_spec", lambda name: None if name == "transformers" else sys)
    with pytest.raises(MissingPackageError) as told:
        TextGrounder(str(detector))
    assert "restyle[controls]" in str(told.value)


def test_an_object_by_its_name_in_a_whole_job(detector: Path, tmp_path: Path, restyle_command: Caller) -> None:
    write_clip(tmp_path / "in.mkv", moving_frames(6, SIZE), codec="ffv1", pixel_format="bgr0")
    recipe = {"masker": "flowcut", "masker_options": {"text_model": str(detector), "text_score": 0.0}}
    (tmp_path / "words.json").write_text(json.dumps(recipe))
    words = ("matte", "in.mkv", "-q", "--recipe", "words.json", "-o", "mattes", "--object", "car=text:red car@2")
    restyle_command(*words)
    assert len(list((tmp_path / "mattes" / "car").iterdir())) == 6
    recipe["masker_options"] = {"text_model": str(detector), "text_score": 1.0}
    (tmp_path / "words.json").write_text(json.dumps(recipe))
    line = restyle_command.fails(*words, "--overwrite", code=2)
    assert "object 'car': nothing that looks like 'red car'" in line
    recipe["masker_options"] = {"text_model": "none/here"}
    (tmp_path / "words.json").write_text(json.dumps(recipe))
    line = restyle_command.fails(
        "run", *words[1:5], "-o", "o.mkv", "--offline", "--object", "car=text:red car@2", code=6
    )
    assert "none/here" in line
