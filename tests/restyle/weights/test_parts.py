"""Weights of detectors, maskers and grounding: found here, or fetched, and handed to the part as a file or folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hub_server import Hub, Repository

pytest.importorskip("huggingface_hub")

from controls.maps import DETECTORS, kinds
from controls.masks import grounding
from restyle.errors import MissingExtraError, MissingModelError, RecipeError
from restyle.job.masker_choice import MaskerChoice, choose_masker
from restyle.registry import make_detector, make_masker, options_of
from restyle.weights import parts
from restyle.weights.parts import local_detector_options, local_grounding_options, local_masker_options, presence

NETWORKS = [name for name, facts in kinds().items() if facts.weights is not None]
TINY = "facebook/sam2.1-hiera-tiny"


@pytest.fixture(autouse=True)
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of parts, as if they were installed."""
    monkeypatch.setattr(parts, "find_spec", lambda name: object())


@pytest.fixture
def annotators(hub: Hub) -> Hub:
    """Every detector's files on the hub."""
    for facts in kinds().values():
        if facts.weights is not None:
            repository = hub.repositories.setdefault(facts.weights.repository, Repository({"README.md": b"x"}))
            repository.files |= {file: file.encode() for file in facts.weights.files}
    return hub


def folder_of(name: str, options: dict[str, Any]) -> Path:
    return Path(options["depth_options"]["weights"] if name == "normal-depth" else options["weights"])


@pytest.mark.parametrize("name", NETWORKS)
def test_a_detector_is_handed_the_folder_of_its_files(name: str, annotators: Hub) -> None:
    facts = kinds()[name]
    assert facts.weights is not None
    assert not presence(facts).ready
    with pytest.raises(MissingModelError) as told:
        local_detector_options(name, {"offline": True})
    line = str(told.value)
    assert "--offline fetches nothing" in line
    assert line.endswith(presence(facts).remedies[-1])
    assert f"restyle models pull {facts.weights.repository} --file {facts.weights.files[0]}" in line
    assert annotators.asked == []
    local = local_detector_options(name, {})
    assert set(local) <= set(DETECTORS.options(name)), "nothing that the detector does not take"
    folder = folder_of(name, local)
    assert {file: (folder / file).read_bytes() for file in facts.weights.files} == {
        file: file.encode() for file in facts.weights.files
    }
    assert {file for file, _ in annotators.sent} == set(facts.weights.files)
    annotators.down = True
    assert local_detector_options(name, {"offline": True}) == local
    assert presence(facts).ready


def test_a_revision_is_its_own(annotators: Hub) -> None:
    local_detector_options("softedge", {})
    with pytest.raises(MissingModelError, match=r"hf download lllyasviel/Annotators ControlNetHED.pth --revision v1$"):
        local_detector_options("softedge", {"offline": True, "revision": "v1"})
    again = local_detector_options("softedge", {"revision": "v1"})
    annotators.down = True
    assert local_detector_options("softedge", {"offline": True, "revision": "v1"}) == again
    commit = Path(again["weights"]).name
    assert local_detector_options("softedge", {"offline": True, "revision": commit}) == again
    with pytest.raises(MissingModelError):
        local_detector_options("softedge", {"offline": True, "revision": "../refs"})


def test_folders_and_wrong_options_are_left_to_the_detector(annotators: Hub, tmp_path: Path) -> None:
    for options in (
        {"weights": str(tmp_path)},
        {"weights": "/nowhere"},
        {"weigths": "a/b"},
        {"resolution": "x", "y": 1},
    ):
        assert local_detector_options("softedge", options) == options
    assert local_detector_options("canny", {"low": 3}) == {"low": 3}
    assert annotators.asked == []
    with pytest.raises(RecipeError, match=r"control map 'softedge' cannot be made: option revision: .*got 5"):
        make_detector("softedge", {"revision": 5})
    with pytest.raises(RecipeError, match="has no option 'weigths'"):
        make_detector("softedge", {"weigths": "a/b"})


def test_a_missing_package_is_told_before_anything_is_fetched(annotators: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "find_spec", lambda name: None)
    for make in (lambda: local_detector_options("softedge", {}), lambda: local_grounding_options({})):
        with pytest.raises(MissingExtraError, match=r"pip install 'restyle\[controls\]'"):
            make()
    assert annotators.asked == []
    assert "pip install 'restyle[controls]'" in presence(kinds()["softedge"]).remedies


def test_options_of_parts_whose_weights_are_on_the_hub() -> None:
    assert set(options_of("detector", "softedge")) >= {"weights", "revision", "offline"}
    assert "offline" not in options_of("detector", "canny")


def test_a_masker_is_handed_its_folder(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restyle.job.masker_choice.find_spec", lambda name: object())
    files = {"config.json": b'{"model_type": "sam2_video"}', "model.safetensors": b"weights"}
    hub.repositories[TINY] = Repository(files | {"sam2.1_hiera_tiny.pt": b"pickled", "README.md": b"x"})
    for model in (TINY, "sam2-tiny"):
        with pytest.raises(MissingModelError, match=r"restyle models pull sam2-tiny$"):
            make_masker("sam2", {"model": model, "offline": True})
        choice = choose_masker("auto", {"model": model})
        assert choice.name == "flowcut"
        assert str(choice.note).endswith("better: restyle models pull sam2-tiny")
    assert hub.asked == []
    local = local_masker_options("sam2", {"model": "sam2-tiny", "offline": False})
    folder = Path(local["model"])
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == files
    assert set(local) == {"model"}
    hub.down = True
    choice = choose_masker("auto", {"model": "sam2-tiny"})
    assert choice == MaskerChoice("sam2", {"model": "sam2-tiny"}, {}, "objects were followed by SAM 2")
    make_masker("sam2", {"model": TINY, "offline": True})
    assert local_masker_options("sam2", {"model": str(tmp_path / "a.pt")}) == {"model": str(tmp_path / "a.pt")}
    assert local_masker_options("flowcut", {"offline": 1}) == {"offline": 1}
    with pytest.raises(RecipeError, match="config is one of the package's own"):
        make_masker("sam2", {"config": "evil.yaml"})


def test_grounding_is_handed_a_folder_of_safetensors(hub: Hub) -> None:
    hub.repositories[grounding.DEFAULT] = Repository({
        "config.json": b"{}", "preprocessor_config.json": b"{}", "vocab.json": b"{}", "merges.txt": b"", "README.md": b"",
        "model.safetensors": b"weights", "model.fp16.safetensors": b"half", "pytorch_model.bin": b"pickled",
    })  # fmt: skip
    with pytest.raises(MissingModelError, match=r"restyle models pull google/owlv2-base-patch16-ensemble$"):
        local_grounding_options({"offline": True})
    local = local_grounding_options({"score": 0.5, "offline": False})
    assert (local["score"], set(local)) == (0.5, {"score", "model"})
    folder = Path(local["model"])
    assert {file.name for file in folder.iterdir()} == {
        "config.json", "preprocessor_config.json", "vocab.json", "merges.txt", "model.safetensors"
    }  # fmt: skip
    assert json.loads((folder / "config.json").read_text()) == {}
    hub.down = True
    assert local_grounding_options({"score": 0.5, "offline": True}) == local
