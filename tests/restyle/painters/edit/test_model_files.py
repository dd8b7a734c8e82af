"""Models by name, folder and hub id: their families, what is fetched of them, and what cannot be used, in one line."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hub_server import Hub, Repository

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from restyle.errors import MissingExtraError, MissingModelError, RecipeError
from restyle.painters.edit import model_files, painter
from restyle.painters.edit.families import FAMILIES, family_of
from restyle.painters.edit.options import Options
from restyle.painters.memory import MemoryNeed
from restyle.painters.networks import painter as pipeline_painter
from restyle.painters.networks import pipeline_files, pipelines
from restyle.weights.editors import EDITORS

find = model_files.find_model_files
Tiny = Callable[[str], str]


@pytest.mark.parametrize("kind", ["kontext", "qwen-edit", "qwen-edit-plus", "klein", "flux2", "longcat-edit", "flux"])
def test_a_folders_family_is_read_from_its_index(tiny: Tiny, kind: str) -> None:
    files = find(Options(model=tiny(kind), offline=True))
    assert files.family_name == kind
    weights = files.weight_bytes(2)
    assert 0 < files.largest_bytes(2) < weights
    assert files.weight_bytes(4) == 2 * weights
    assert json.loads(json.dumps(files.identity())) == files.identity()


def test_every_name_has_a_family_and_every_family_a_class_of_this_diffusers() -> None:
    for known in EDITORS.values():
        assert known.family in FAMILIES
        assert known.largest < known.size
    for name, family in FAMILIES.items():
        index = {"_class_name": family.traits.pipeline, "is_distilled": name == "klein"}
        assert family_of(index) == name
        pipeline_files.check_diffusers(family.traits.pipeline, name)


def test_a_revision_is_fetched_without_what_is_not_loaded(tiny: Tiny, hub: Hub) -> None:
    made = Repository.of(tiny("klein"))
    made.files |= {"flux-2.safetensors": b"all in one file", "assets/teaser.png": b"a picture"}
    hub.repositories["owner/editor"] = made
    files = find(Options(model="owner/editor@main"))
    sent = {name for name, _ in hub.sent}
    assert files.family_name == "klein"
    assert "tokenizer/chat_template.jinja" in sent
    assert not sent & {"flux-2.safetensors", "assets/teaser.png"}
    hub.sent.clear()
    assert find(Options(model="owner/editor@main", offline=True)).model == files.model
    assert hub.sent == []


def test_another_family_is_told_before_it_is_fetched(tiny: Tiny, hub: Hub) -> None:
    hub.repositories["owner/sd"] = Repository.of(tiny("sd15"))
    with pytest.raises(
        MissingModelError, match=r"'owner/sd' is a StableDiffusionPipeline, which the painter 'edit' does not"
    ) as told:
        find(Options(model="owner/sd"))
    assert "the painter 'diffusion' takes it. It takes: FluxKontextPipeline" in str(told.value)
    assert {name for name, _ in hub.sent} == {"model_index.json"}


def test_a_diffusers_that_is_too_old_is_told_before_it_is_fetched(
    tiny: Tiny, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.repositories["owner/editor"] = Repository.of(tiny("klein"))
    monkeypatch.setattr(pipeline_files, "_diffusers_names", lambda: '"FluxKontextPipeline"')
    with pytest.raises(MissingModelError, match="one that has Flux2KleinPipeline: pip install --upgrade diffusers"):
        find(Options(model="owner/editor"))
    assert {name for name, _ in hub.sent} == {"model_index.json"}


def test_what_cannot_be_used_is_one_line(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"there is no model 'nosuch' of the painter 'edit': give a folder.*klein"):
        find(Options(model="nosuch"))
    with pytest.raises(MissingModelError, match=r"is not on this machine, .* restyle models pull klein-9b$"):
        find(Options(model="klein-9b", offline=True))
    with pytest.raises(MissingModelError, match="holds no diffusers model"):
        find(Options(model=str(tmp_path)))
    (tmp_path / "one.safetensors").write_bytes(b"x")
    with pytest.raises(RecipeError, match="is a file: the painter 'edit' takes folders"):
        find(Options(model=str(tmp_path / "one.safetensors")))
    with pytest.raises(RecipeError, match="takes 2 steps at least"):
        find(Options(model=tiny("kontext"), steps=1))
    (tmp_path / "model_index.json").write_text('{"_class_name": ["mine", "Pipeline"]}')
    with pytest.raises(RecipeError, match="asks for a pipeline of its own"):
        find(Options(model=str(tmp_path)))


def test_a_folder_that_lacks_weights_is_one_line(tiny: Tiny, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny("klein"), folder)
    next((folder / "transformer").glob("*.safetensors")).unlink()
    options = Options(model=str(folder), offline=True)
    files = find(options)
    with pytest.raises(MissingModelError, match=r"model '.*' cannot be loaded from"):
        pipelines.load_pipeline(options, files, need=lambda _: MemoryNeed(0, 0, 0), tell=lambda _: None)


def test_a_missing_package_names_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_painter, "find_spec", lambda name: None if name == "accelerate" else object())
    with pytest.raises(MissingExtraError, match=r"painter 'edit' .*pip install 'restyle\[diffusion\]'"):
        painter.EditPainter()


@pytest.mark.parametrize(
    ("model", "controls", "says"),
    [
        (
            "klein",
            [{"kind": "canny", "model": "{flux-controlnet}"}],
            "FLUX.2 klein takes no ControlNets, for it is shown the",
        ),
        (
            "flux",
            [{"kind": "canny"}],
            "no ControlNet is known for canny maps and FLUX.1; name one: --control canny:model=ID",
        ),
        (
            "flux",
            [{"kind": "canny", "model": "{z-image-controlnet}"}],
            "is a ZImageControlNetModel, and FLUX.1 takes a FluxC",
        ),
        (
            "flux",
            [{"kind": "canny", "model": "{controlnet-sd15}"}],
            "is a ControlNetModel, and FLUX.1 takes a FluxControlNet",
        ),
        (
            "z-image",
            [{"kind": "canny", "model": "a/b"}, {"kind": "depth", "model": "a/b"}],
            "Z-Image takes 1 ControlNet at",
        ),
        (
            "z-image",
            [{"kind": "canny", "model": "a/b", "end": 0.5}],
            "ControlNet counts in all steps: leave start and end",
        ),
    ],
)
def test_controlnets_that_do_not_fit_are_one_line(
    tiny: Tiny, model: str, controls: list[dict[str, Any]], says: str
) -> None:
    for control in controls:
        name = control.get("model", "")
        if name.startswith("{"):
            control["model"] = tiny(name.strip("{}"))
    with pytest.raises(RecipeError, match=re.escape(says)):
        find(Options(model=tiny(model), controls=controls, offline=True))


def test_a_controlnet_that_does_not_fit_is_told_before_the_model_is_fetched(tiny: Tiny, hub: Hub) -> None:
    hub.repositories["owner/editor"] = Repository.of(tiny("klein"))
    with pytest.raises(RecipeError, match="takes no ControlNets"):
        find(Options(model="owner/editor", controls=[{"kind": "canny", "model": "owner/net"}]))
    assert {name for name, _ in hub.sent} == {"model_index.json"}
