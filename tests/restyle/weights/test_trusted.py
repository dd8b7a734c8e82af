"""What a model's folder asks for beyond the libraries' own parts is refused before either library sees it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from restyle.errors import MissingModelError, RecipeError
from restyle.painters.diffusion.model_files import find_model_files
from restyle.painters.diffusion.options import Options
from restyle.weights.tensors import tensor_names
from restyle.weights.trusted import check_folder, check_index, read_table

INDEX: dict[str, Any] = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": "0.35.0",
    "unet": ["diffusers", "UNet2DConditionModel"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
    "image_encoder": [None, None],
    "requires_safety_checker": True,
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    for part in ("unet", "text_encoder"):
        (folder / part).mkdir(parents=True)
        (folder / part / "config.json").write_text("{}")
    (folder / "model_index.json").write_text(json.dumps(INDEX))
    return folder


def test_the_libraries_own_parts_pass(model: Path) -> None:
    (model / "handler.py").write_text("of whoever serves it: never looked at")
    (model / "unet" / "config.json").unlink()
    (model / "unet" / "config.json").symlink_to(model / "text_encoder" / "config.json")  # as the hub's cache has it
    check_folder(model)
    assert check_index(model / "model_index.json") == ["unet", "text_encoder", "safety_checker"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"unet": ["evil", "Net"]}, "names \\['evil', 'Net'\\] as its part 'unet'"),
        ({"unet": ["os", "system"]}, "only parts of diffusers"),
        ({"unet": ["diffusers.utils", "x"]}, "only parts of diffusers"),
        ({"unet": ["diffusers", 3]}, "only parts of diffusers"),
        ({"unet": [["diffusers"], "x"]}, "only parts of diffusers"),
        ({"unet": ["diffusers"]}, "only parts of diffusers"),
        ({"unet": []}, "only parts of diffusers"),
        ({"../..": ["diffusers", "x"]}, "only parts of diffusers"),
        ({"_class_name": ["evil", "Pipeline"]}, "a pipeline of its own"),
    ],
)
def test_parts_of_others_are_refused(model: Path, change: dict[str, Any], says: str) -> None:
    (model / "model_index.json").write_text(json.dumps(INDEX | change))
    with pytest.raises(RecipeError, match=says) as caught:
        find_model_files(Options(model=str(model), offline=True))
    assert "\n" not in str(caught.value)


def test_programs_in_a_part_are_refused(model: Path) -> None:
    (model / "unet" / "diffusers.py").write_text("raise SystemExit")
    with pytest.raises(RecipeError, match=r"diffusers\.py' is a program"):
        find_model_files(Options(model=str(model), offline=True))
    (model / "unet" / "diffusers.py").unlink()
    (model / "text_encoder" / "config.json").write_text('{"auto_map": {"AutoModel": "evil.Net"}}')
    with pytest.raises(RecipeError, match="auto_map"):
        find_model_files(Options(model=str(model), offline=True))


def test_a_configuration_is_looked_at_as_well(model: Path, tmp_path: Path) -> None:
    head = json.dumps(
        {"model.diffusion_model.input_blocks.0.0.bias": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    )
    (tmp_path / "one.safetensors").write_bytes(len(head).to_bytes(8, "little") + head.encode() + bytes(4))
    options = {"model": str(tmp_path / "one.safetensors"), "config": str(model)}
    for offline in (False, True):
        assert find_model_files(Options(**options, offline=offline)).config == str(model)
    (model / "model_index.json").write_text(json.dumps(INDEX | {"vae": ["evil", "Vae"]}))
    for offline in (False, True):
        with pytest.raises(RecipeError, match="evil"):
            find_model_files(Options(**options, offline=offline))


def test_pipes_and_odd_files_never_hang_or_break(model: Path, tmp_path: Path) -> None:
    for odd in ("[1]", "[" * 100_000, "", "\ud800".encode("utf-8", "surrogatepass"), '"x"'):
        (model / "unet" / "config.json").write_bytes(odd if isinstance(odd, bytes) else odd.encode())
        with pytest.raises(MissingModelError, match="holds no UNet"):
            find_model_files(Options(model=str(model), offline=True))
    (model / "unet" / "config.json").unlink()
    os.mkfifo(model / "unet" / "config.json")
    with pytest.raises(RecipeError, match=r"config\.json' is no file"):
        find_model_files(Options(model=str(model), offline=True))
    with open(tmp_path / "huge.json", "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match="at most"):
        read_table(tmp_path / "huge.json")
    with open(tmp_path / "huge.safetensors", "wb") as file:
        file.write((1 << 39).to_bytes(8, "little"))
        file.truncate(1 << 40)
    with pytest.raises(MissingModelError, match="no safetensors file"):
        tensor_names(tmp_path / "huge.safetensors")
