"""What is loaded is what lies in the files, on the device that suits; and what does not fit is told."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from hub_server import Hub  # noqa: E402

from restyle.errors import MissingModelError, RecipeError  # noqa: E402
from restyle.painters.diffusion.loading import load_models  # noqa: E402
from restyle.painters.diffusion.model_files import find_model_files  # noqa: E402
from restyle.painters.diffusion.models import Models  # noqa: E402
from restyle.painters.diffusion.options import Options  # noqa: E402
from restyle.painters.diffusion.painter import DiffusionPainter  # noqa: E402
from restyle.painters.memory import MemoryNeed  # noqa: E402
from restyle.painters.networks.devices import free_memory  # noqa: E402
from restyle.painters.networks.machine import Machine, choose_machine  # noqa: E402
from restyle.types import TextPrompt  # noqa: E402

from .conftest import OFF, job, partly_fitting_lora, picture  # noqa: E402

GIB = 1 << 30


def load(**options: Any) -> Models:
    chosen = Options(**{"offline": True, **options})
    return load_models(chosen, find_model_files(chosen))


def weights(models: Models, part: str) -> dict[str, Any]:
    network = models.control_networks[0].net if part == "controlnet" else getattr(models.pipe, part)
    return dict(network.state_dict())


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("options", "devices", "free", "resolution", "wanted"),
    [
        ({}, {"cpu"}, None, 768, Machine("cpu", "float32", False, False)),
        ({}, {"cpu", "mps"}, None, 768, Machine("mps", "float16", False, False)),
        ({}, {"cpu", "cuda"}, 24 * GIB, 768, Machine("cuda", "float16", False, False)),
        ({}, {"cpu", "cuda"}, 5 * GIB, 768, Machine("cuda", "float16", True, False)),
        ({}, {"cpu", "cuda"}, 5 * GIB, 1024, Machine("cuda", "float16", True, True)),
        ({"offload": False}, {"cpu", "cuda"}, 5 * GIB, 768, Machine("cuda", "float16", False, False)),
        ({"offload": True}, {"cpu", "cuda"}, 24 * GIB, 768, Machine("cuda", "float16", True, False)),
        ({}, {"cpu", "cuda"}, 24 * GIB, 1536, Machine("cuda", "float16", False, True)),
        ({"device": "cpu", "offload": True}, {"cpu", "cuda"}, 5 * GIB, 768, Machine("cpu", "float32", False, False)),
        ({"dtype": "bfloat16"}, {"cpu", "cuda"}, 24 * GIB, 768, Machine("cuda", "bfloat16", False, False)),
        ({}, {"cpu", "mps"}, 5 * GIB, 768, Machine("mps", "float16", True, False)),
        (
            {"device": "cuda:1"},
            {"cpu", "cuda", "cuda:0", "cuda:1"},
            24 * GIB,
            768,
            Machine("cuda:1", "float16", False, False),
        ),
    ],
)
def test_the_machine_that_suits(
    options: dict[str, Any], devices: set[str], free: int | None, resolution: int, wanted: Machine
) -> None:
    assert (
        choose_machine(
            Options(**options),
            devices=devices,
            free=lambda _: free,
            need=lambda width: MemoryNeed(2 * width * GIB, 0, GIB),
            resolution=resolution,
        )
        == wanted
    )


def test_a_device_that_is_not_there_is_told() -> None:
    for devices, listed in (({"cpu"}, "cpu"), ({"cpu", "cuda", "cuda:0"}, "cpu, cuda, cuda:0")):
        with pytest.raises(RecipeError, match=f"there is no device 'cuda:3' here; there are: {listed}$"):
            choose_machine(
                Options(device="cuda:3"),
                devices=devices,
                free=lambda _: None,
                need=lambda _: MemoryNeed(0, 0, 0),
                resolution=64,
            )


def test_a_gpu_is_asked_for_its_own_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: {"cuda:1": (7, 9)}[device])
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 12)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 5)
    assert [free_memory(device) for device in ("cuda:1", "mps", "cpu")] == [7, 7, None]


def test_one_file_is_the_same_model(tiny: Any, tmp_path: Path) -> None:
    from tiny_single_file import write_single_file

    path = write_single_file(tiny("sd15"), tmp_path / "one.safetensors")
    whole, single = load(model=tiny("sd15")), load(model=str(path), config=tiny("sd15"))
    for part in ("unet", "vae", "text_encoder"):
        assert same(weights(whole, part), weights(single, part)), part
    embeds = [models.prompts(TextPrompt("a red car", "fog"), guided=True).embeds for models in (whole, single)]
    assert torch.equal(*embeds)


def test_one_file_as_the_vae(tiny: Any, tmp_path: Path) -> None:
    """Configured as the base model's own, with no question to the hub."""
    changed = {name: values * 0.5 for name, values in weights(load(model=tiny("sd15")), "vae").items()}
    from safetensors.torch import save_file

    save_file(changed, tmp_path / "vae.safetensors")
    assert same(weights(load(model=tiny("sd15"), vae=str(tmp_path / "vae.safetensors")), "vae"), changed)


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_one_file_as_a_controlnet_offline(tiny: Any, hub: Hub, tmp_path: Path, family: str) -> None:
    """diffusers asks the hub how it is made, whatever it was told."""
    from huggingface_hub import constants

    folder = tiny(f"controlnet-{family}")
    file = str(shutil.copy(Path(folder) / "diffusion_pytorch_model.safetensors", tmp_path / "n.safetensors"))
    loaded = [
        weights(load(model=tiny(family), offline=True, controls=[{"kind": "canny", "model": net}]), "controlnet")
        for net in (file, folder)
    ]
    assert same(*loaded)
    other = tiny("sdxl" if family == "sd15" else "sd15")
    with pytest.raises((MissingModelError, RecipeError), match=r"ControlNet .*n.safetensors"):
        load(model=other, offline=True, controls=[{"kind": "canny", "model": file}])
    assert hub.asked == []
    assert not constants.HF_HUB_OFFLINE


@pytest.mark.parametrize("parts", [["unet"], ["unet", "vae"], ["unet", "vae", "text_encoder"]])
def test_half_precision_files(tiny: Any, tmp_path: Path, parts: list[str]) -> None:
    """Of all parts, or of some."""
    from safetensors.torch import load_file, save_file

    base = Path(shutil.copytree(tiny("sd15"), tmp_path / "base"))
    for part in parts:
        (file,) = (base / part).glob("*.safetensors")
        save_file(
            {name: values.half() for name, values in load_file(file).items()}, file.with_suffix(".fp16.safetensors")
        )
        file.unlink()
    loaded, plain = load(model=str(base)), load(model=tiny("sd15"))
    for part in ("unet", "vae", "text_encoder"):
        wanted = {
            name: values.half().float() if part in parts else values for name, values in weights(plain, part).items()
        }
        got = {name: values.float() for name, values in weights(loaded, part).items()}
        assert all(torch.equal(got[name], wanted[name]) for name in wanted if wanted[name].is_floating_point()), part


def test_pickled_weights_in_a_folder_are_loaded_only_if_trusted(tiny: Any, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    net = Path(shutil.copytree(tiny("controlnet-sd15"), tmp_path / "net"))
    file = net / "diffusion_pytorch_model.safetensors"
    kept = load_file(file)
    torch.save(kept, net / "diffusion_pytorch_model.bin")
    file.unlink()
    options: dict[str, Any] = {"model": tiny("sd15"), "controls": [{"kind": "canny", "model": str(net)}]}
    with pytest.raises(MissingModelError, match=r"ControlNet .* cannot be loaded from"):
        load(**options)
    assert same(weights(load(**options, allow_pickle=True), "controlnet"), kept)


@pytest.mark.parametrize(("base", "other"), [("sd15", "sdxl"), ("sdxl", "sd15")])
def test_parts_of_another_family_are_told(tiny: Any, base: str, other: str) -> None:
    with pytest.raises(RecipeError, match=r"ControlNet .* is not made for the model"):
        load(model=tiny(base), controls=[{"kind": "canny", "model": tiny(f"controlnet-{other}")}])
    with pytest.raises(RecipeError, match=r"LoRA .* does not fit .* other sizes. Take one made for SD"):
        load(model=tiny(base), loras=[tiny(f"lora-{other}")])


def test_a_lora_counts_and_by_its_weight(tiny: Any) -> None:
    def painted(*loras: str) -> Any:
        painter = DiffusionPainter(model=tiny("sd15"), steps=2, loras=list(loras), **OFF)
        return painter.paint(job([picture(1)]), None)[0][0].astype(int)

    lora = tiny("lora-sd15")
    plain, nothing, half, whole = painted(), painted(f"{lora}:0"), painted(f"{lora}:0.5"), painted(lora)
    assert (plain == nothing).all()
    assert (plain != half).any()
    assert (half != whole).any()


@pytest.mark.parametrize("kept", [0.75, 0.25, 0.0])
def test_a_lora_of_which_the_model_has_not_all_layers_is_told(tiny: Any, tmp_path: Path, kept: float) -> None:
    lora, there, whole = partly_fitting_lora(tiny, tmp_path / "lora.safetensors", kept)
    options = {"model": tiny("sd15"), "loras": [lora]}
    if kept > 0.5:
        assert load(**options).notes == (f"LoRA {lora!r} fits in part: the model has {there} of its {whole} layers",)
    else:
        with pytest.raises(RecipeError, match=r"LoRA .* does not fit to the model"):
            load(**options)


def test_latents_with_a_mean_and_a_width_of_their_own(tiny: Any) -> None:
    """As some VAEs for SDXL have them: to latents and back is the picture as before, and latents are told in their units."""
    models = load(model=tiny("sdxl"))
    shown = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        plain, back = models.coder.to_latents(shown), models.coder.to_picture(models.coder.to_latents(shown))
        mean, width = [0.1, -0.2, 0.3, -0.4], [2.0, 3.0, 4.0, 5.0]
        models.pipe.vae.register_to_config(latents_mean=mean, latents_std=width)
        moved = models.coder.to_latents(shown)
        scale = models.pipe.vae.config.scaling_factor
        for channel in range(4):
            wanted = (plain[channel] / scale - mean[channel]) * scale / width[channel]
            assert torch.allclose(moved[channel], wanted, atol=1e-5)
        assert torch.allclose(models.coder.to_picture(moved), back, atol=1e-4)


def test_close_lets_the_memory_go(tiny: Any) -> None:
    def alive() -> int:
        gc.collect()
        return sum(issubclass(type(one), torch.nn.Module) for one in gc.get_objects())

    before = alive()
    painter = DiffusionPainter(model=tiny("sd15"), steps=1, **OFF)
    first = painter.paint(job([picture(1)]), None)[0][0]
    assert alive() > before + 100
    painter.close()
    assert alive() <= before
    assert (painter.paint(job([picture(1)]), None)[0][0] == first).all(), "and it can be used again"
    painter.close()


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"resolution": 64}, (96, 64)),
        ({"resolution": 0}, (72, 48)),
        ({"resolution": 0, "controls": "t2i-adapter-sdxl", "model": "sdxl"}, (64, 48)),
    ],
    ids=str,
)
def test_a_model_wants_multiples(tiny: Any, options: dict[str, Any], size: tuple[int, int]) -> None:
    """The tiny ones have two levels below the latents': 32 pixels; the adapter unshuffles 16."""
    given = {**OFF, "steps": 1, **options, "model": tiny(options.get("model", "sd15"))}
    maps = {}
    if "controls" in options:
        given["controls"], maps = (
            [{"kind": "canny", "model": tiny(options["controls"])}],
            {"canny": (picture(2, (70, 48)),)},
        )
    one = DiffusionPainter(**given)
    request = job([picture(1, (70, 48))], controls=maps)
    seen: list[Any] = []
    one.ready(request).models.pipe.unet.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[2:]))
    painted, _ = one.paint(request, None)
    assert painted[0].shape == (48, 70, 3)
    assert seen[0] == (size[1] // 8, size[0] // 8)
