"""Which files the options name, and what is said of those that are not what they should be."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from hub_server import Hub, Repository

from restyle.errors import MissingModelError, RecipeError
from restyle.painters.diffusion.model_files import find_model_files
from restyle.painters.diffusion.options import Options
from restyle.painters.diffusion.painter import DiffusionPainter
from restyle.weights.catalogue import BASE_MODELS, IP_ADAPTERS

from .conftest import job, picture


def places(**options: Any) -> Any:
    return find_model_files(Options(offline=True, **options))


@pytest.fixture
def single(tiny: Any, tmp_path: Path) -> Path:
    from tiny_single_file import write_single_file

    return write_single_file(tiny("sd15"), tmp_path / "one.safetensors")


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_a_folder_tells_its_family(tiny: Any, family: str) -> None:
    assert places(model=tiny(family)).family == family


def test_a_file_tells_its_family(tiny: Any, single: Path) -> None:
    from safetensors.torch import load_file, save_file

    assert places(model=str(single), config=tiny("sd15")).family == "sd15"
    weights = load_file(single)
    save_file(
        {**weights, "conditioner.embedders.1.model.x": weights["model.diffusion_model.out.0.bias"].clone()}, single
    )
    assert places(model=str(single), config=tiny("sdxl")).family == "sdxl"


def test_a_preset_brings_its_vae_and_its_schedule(tiny: Any, hub: Hub) -> None:
    for name, kind in (("sd15", "sd15"), ("sdxl-turbo", "sdxl")):
        preset = BASE_MODELS[name]
        hub.repositories[preset.model] = Repository.of(tiny(kind))
        if preset.vae:
            hub.repositories[preset.vae] = Repository.of(Path(tiny(kind)) / "vae")
    found = find_model_files(Options(model="sd15"))
    assert (found.family, found.schedule) == ("sd15", None)
    assert found.vae is not None
    assert (found.vae / "config.json").is_file()
    other = find_model_files(Options(model="sd15", vae=str(Path(tiny("sd15")) / "vae")))
    assert other.vae == Path(tiny("sd15")) / "vae"
    turbo = find_model_files(Options(model="sdxl-turbo"))
    assert (turbo.schedule, turbo.resolution) == ("turbo", 512)


def test_a_vae_that_another_stands_in_for_is_neither_fetched_nor_loaded(tiny: Any, hub: Hub) -> None:
    hub.repositories["owner/base"] = Repository.of(tiny("sd15"))
    own = "vae/diffusion_pytorch_model.safetensors"
    other = str(Path(tiny("sdxl")) / "vae")
    found = find_model_files(Options(model="owner/base", vae=other))
    assert own not in {name for name, _ in hub.sent}
    assert "vae/config.json" in {name for name, _ in hub.sent}, "by which a VAE of one file is configured"
    from restyle.painters.diffusion.loading import load_models

    load_models(Options(model="owner/base", vae=other), found)
    before = found.identity()
    find_model_files(Options(model="owner/base"))
    assert own in {name for name, _ in hub.sent}
    assert find_model_files(Options(model="owner/base", vae=other)).identity() == before, "it decides no picture"


def test_what_is_not_loaded_counts_for_nothing(tiny: Any, tmp_path: Path) -> None:
    """Neither for a model's identity nor for the memory that it needs; and it may be broken."""
    base = Path(shutil.copytree(tiny("sd15"), tmp_path / "base"))
    before = places(model=str(base))
    told, size = before.identity(), before.weight_bytes(4)
    index = json.loads((base / "model_index.json").read_text())
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    index["feature_extractor"] = ["transformers", "CLIPImageProcessor"]
    (base / "model_index.json").write_text(json.dumps(index))
    for name in ("unet/diffusion_pytorch_model.bin", "vae_1_0/diffusion_pytorch_model.safetensors", "unet/model.onnx",
                 "unet/diffusion_pytorch_model.fp16.safetensors", "safety_checker/model.safetensors"):  # fmt: skip
        (base / name).parent.mkdir(exist_ok=True)
        (base / name).write_bytes(b"broken" * 1000)
    after = places(model=str(base))
    assert after.weight_bytes(4) == size
    assert {name for name in told if told[name] != after.identity()[name]} == {"base"}
    changed = [one for one in after.identity()["base"] if one not in told["base"]]
    assert [name for name, *_ in changed] == ["model_index.json"]
    painter = DiffusionPainter(model=str(base), steps=1, resolution=0)
    painter.ready(job([picture(1)]))


def test_a_kind_takes_the_controlnet_of_the_models_family(tiny: Any, hub: Hub) -> None:
    from controls.maps import kinds

    for family in ("sd15", "sdxl"):
        wanted = kinds()["canny"].controlnets[family]
        hub.repositories[wanted] = Repository.of(tiny(f"controlnet-{family}"))
        found = find_model_files(Options(model=tiny(family), controls=[{"kind": "canny"}]))
        assert [spec.model for spec in found.control_specs] == [wanted]
        assert (found.controlnets[0] / "config.json").is_file()
    with pytest.raises(
        RecipeError, match=r"no ControlNet is known for pose-nosuch maps .*--control pose-nosuch:model=ID"
    ):
        places(model=tiny("sd15"), controls=[{"kind": "pose-nosuch"}])
    with pytest.raises(RecipeError, match="no ControlNet is known for normal maps and SDXL"):
        places(model=tiny("sdxl"), controls=[{"kind": "normal"}])


def test_the_familys_ip_adapter_is_found(tiny: Any, hub: Hub, tmp_path: Path) -> None:
    known = IP_ADAPTERS["sd15"]
    made = Path(tiny("ip-adapter-sd15")) / "models"
    hub.repositories[known.hub_id] = Repository(
        {
            known.files[0]: (made / "image_encoder" / "config.json").read_bytes(),
            known.files[1]: (made / "ip-adapter.safetensors").read_bytes(),
            known.files[2]: (made / "image_encoder" / "model.safetensors").read_bytes(),
            "models/other.safetensors": b"",
        }
    )
    found = find_model_files(Options(model=tiny("sd15"), style="any.png")).styles[0]
    assert (found.file, found.encoder) == (f"{known.folder}/{known.file}", f"{known.folder}/image_encoder")
    assert all(file.is_file() for file in found.files)
    assert {name for name, _ in hub.sent} == set(known.files)
    with pytest.raises(MissingModelError, match=r"restyle models pull ip-adapter-sdxl$"):
        places(model=tiny("sdxl"), style="any.png")
    (tmp_path / "none").mkdir()
    with pytest.raises(MissingModelError, match=r"has no file \*ip-adapter\*"):
        places(model=tiny("sd15"), style="any.png", ip_adapter=str(tmp_path / "none"))
    shutil.copytree(tiny("ip-adapter-sd15"), tmp_path / "part")
    shutil.rmtree(tmp_path / "part" / "models" / "image_encoder")
    with pytest.raises(MissingModelError, match="has no image encoder"):
        places(model=tiny("sd15"), style="any.png", ip_adapter=str(tmp_path / "part"))


def test_a_lora_is_one_file(tiny: Any, tmp_path: Path) -> None:
    def lora(source: object, **more: Any) -> Path:
        return places(model=tiny("sd15"), loras=[{"source": str(source), **more}]).loras[0][1]

    made = Path(tiny("lora-sd15")) / "pytorch_lora_weights.safetensors"
    assert lora(made.parent) == made
    assert lora(made) == made
    (tmp_path / "loras").mkdir()
    with pytest.raises(MissingModelError, match=r"there is no .safetensors file in"):
        lora(tmp_path / "loras")
    shutil.copy(made, tmp_path / "loras" / "a.safetensors")
    assert lora(tmp_path / "loras").name == "a.safetensors"
    shutil.copy(made, tmp_path / "loras" / "b.safetensors")
    with pytest.raises(RecipeError, match=r"several files; say which, as its field file: a.safetensors, b.safetensors"):
        lora(tmp_path / "loras")
    assert lora(tmp_path / "loras", file="b.safetensors").name == "b.safetensors"
    with pytest.raises(MissingModelError, match=r"LoRA: there is no file 'c.safetensors' in the folder"):
        lora(tmp_path / "loras", file="c.safetensors")
    with pytest.raises(MissingModelError, match="nor an id on the model hub"):
        lora(tmp_path / "nosuch.safetensors")


def test_pickled_files_run_nothing(tiny: Any, tmp_path: Path) -> None:
    """The files would say so if they were opened."""
    ran = tmp_path / "ran"
    bomb = f"cos\nsystem\n(S'touch {ran}'\ntR.".encode()
    for name in ("model.ckpt", "net.pth", "lora.bin", "vae.pt"):
        (tmp_path / name).write_bytes(bomb)
    trust = r"is pickled: .*\.safetensors file, or trust it with --painter-option allow_pickle=true"
    with pytest.raises(RecipeError, match="is pickled"):
        places(model=str(tmp_path / "model.ckpt"))
    with pytest.raises(RecipeError, match=trust):
        places(model=tiny("sd15"), controls=[{"kind": "canny", "model": str(tmp_path / "net.pth")}])
    with pytest.raises(RecipeError, match=trust):
        places(model=tiny("sd15"), loras=[str(tmp_path / "lora.bin")])
    with pytest.raises(RecipeError, match=trust):
        places(model=tiny("sd15"), vae=str(tmp_path / "vae.pt"))
    with pytest.raises(RecipeError, match="is pickled"):  # its family could not be told without running it
        find_model_files(Options(model=str(tmp_path / "model.ckpt"), allow_pickle=True, offline=True))
    assert not ran.exists()


def test_a_network_that_only_looks_like_a_controlnet(tiny: Any, tmp_path: Path) -> None:
    shutil.copytree(tiny("controlnet-sdxl"), tmp_path / "union")
    config = json.loads((tmp_path / "union" / "config.json").read_text())
    (tmp_path / "union" / "config.json").write_text(json.dumps({**config, "_class_name": "ControlNetXSAdapter"}))
    with pytest.raises(RecipeError, match="is a ControlNetXSAdapter, which this painter does not use"):
        places(model=tiny("sdxl"), controls=[{"kind": "canny", "model": str(tmp_path / "union")}])


@pytest.mark.parametrize("what", ["text", "list", "cut off", "empty", "lora"])
def test_a_file_that_is_no_model(tiny: Any, single: Path, what: str) -> None:
    says = "is no safetensors file"
    if what == "text":
        single.write_text("<html>Not found</html>")
    elif what == "list":
        single.write_bytes((2).to_bytes(8, "little") + b"[]" + b"x" * 100)
    elif what == "cut off":
        single.write_bytes(single.read_bytes()[:-1000])
        says = "it is cut off; fetch it again"
    elif what == "empty":
        single.write_bytes(b"")
    else:
        shutil.copy(Path(tiny("lora-sd15")) / "pytorch_lora_weights.safetensors", single)
        says = "is no whole model of Stable Diffusion"
    with pytest.raises(MissingModelError, match=says):
        places(model=str(single), config=tiny("sd15"))


def test_folders_that_are_no_model(tiny: Any, tmp_path: Path) -> None:
    with pytest.raises(MissingModelError, match=r"no model_index.json"):
        places(model=str(tmp_path))
    (tmp_path / "model_index.json").write_text("{}")
    with pytest.raises(MissingModelError, match="holds no UNet"):
        places(model=str(tmp_path))


def test_one_file_offline_takes_its_configuration_from_this_machine(tiny: Any, hub: Hub, single: Path) -> None:
    with pytest.raises(MissingModelError, match=r"restyle models pull sd15, or --painter-option config=FOLDER"):
        places(model=str(single))
    with pytest.raises(MissingModelError, match=r"restyle models pull owner/base, or"):
        places(model=str(single), config="owner/base")
    assert places(model=str(single), config=tiny("sd15")).config == tiny("sd15")
    assert hub.sent == []
    hub.repositories[BASE_MODELS["sd15"].model] = Repository.of(tiny("sd15"))
    base = find_model_files(Options(model=BASE_MODELS["sd15"].model)).base
    assert places(model=str(single)).config == str(base)


def test_identity_is_of_the_weights_and_loads_none(tiny: Any, tmp_path: Path) -> None:
    shutil.copytree(tiny("sd15"), tmp_path / "base")
    shutil.copytree(tiny("controlnet-sd15"), tmp_path / "net")
    shutil.copytree(tiny("lora-sd15"), tmp_path / "lora")
    options = {
        "model": str(tmp_path / "base"), "controls": [{"kind": "canny", "model": str(tmp_path / "net")}],
        "loras": [str(tmp_path / "lora")], "offline": True,
    }  # fmt: skip
    code = (
        "import json, sys; from restyle.painters.diffusion.painter import DiffusionPainter; "
        f"print(json.dumps(DiffusionPainter(**{options!r}).identity, sort_keys=True)); "
        "assert not {'torch', 'diffusers', 'transformers', 'safetensors'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    def identity() -> str:
        return json.dumps(DiffusionPainter(**options).identity, sort_keys=True)

    seen = [identity()]
    assert seen[0] == done.stdout.strip()
    for file in (
        tmp_path / "base" / "unet" / "diffusion_pytorch_model.safetensors",
        tmp_path / "base" / "scheduler" / "scheduler_config.json",
        tmp_path / "net" / "diffusion_pytorch_model.safetensors", tmp_path / "lora" / "pytorch_lora_weights.safetensors",
    ):  # fmt: skip
        data = bytearray(file.read_bytes())
        data[-3] ^= 1
        file.write_bytes(data)
        seen.append(identity())
    assert len(set(seen)) == len(seen)
    options["device"] = "cpu"
    assert identity() == seen[-1], "where it is computed decides no picture"
    options["steps"] = 3
    assert identity() != seen[-1]


def test_what_does_not_fit_is_told_before_weights_are_fetched(tiny: Any, hub: Hub) -> None:
    hub.repositories["owner/flux"] = Repository(
        {"model_index.json": b'{"_class_name": "FluxPipeline", "transformer": ["diffusers", "FluxTransformer2DModel"]}'}
    )
    hub.repositories["owner/file"] = Repository({"one.safetensors": b"weights"})
    hub.repositories["owner/base"] = Repository.of(tiny("sd15"))
    hub.repositories["owner/xl-net"] = Repository.of(tiny("controlnet-sdxl"))
    with pytest.raises(
        MissingModelError, match=r"'owner/flux' on the model hub is a FluxPipeline: .* SD 1\.5 and SDXL"
    ):
        find_model_files(Options(model="owner/flux"))
    with pytest.raises(MissingModelError, match="'owner/file' on the model hub is no diffusers model"):
        find_model_files(Options(model="owner/file"))
    with pytest.raises(
        RecipeError, match=r"ControlNet 'owner/xl-net' is made for SDXL, the model 'owner/base' is SD 1\.5"
    ):
        find_model_files(Options(model="owner/base", controls=[{"kind": "canny", "model": "owner/xl-net"}]))
    assert {name for name, _ in hub.sent} == {"model_index.json", "unet/config.json", "config.json"}
    found = find_model_files(Options(model="owner/base"))
    assert found.family == "sd15"
    assert any(name.endswith(".safetensors") for name, _ in hub.sent)


def test_a_model_at_a_revision(tiny: Any, hub: Hub) -> None:
    """Fetched once, found offline, and not taken for the main branch's."""
    hub.repositories["owner/base"] = Repository.of(tiny("sd15"))
    with pytest.raises(MissingModelError, match=r"hf download owner/base --revision v1$"):
        find_model_files(Options(model="owner/base@v1", offline=True))
    found = find_model_files(Options(model="owner/base@v1"))
    assert found.family == "sd15"
    sent = len(hub.sent)
    for name in ("v1", hub.repositories["owner/base"].revision):
        assert find_model_files(Options(model=f"owner/base@{name}", offline=True)).base == found.base
    assert len(hub.sent) == sent
    with pytest.raises(MissingModelError, match=r"restyle models pull owner/base$"):
        find_model_files(Options(model="owner/base", offline=True))
