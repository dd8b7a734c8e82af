"""Detectors by networks, with random weights made here: what we do before and after them is what their packages do."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from controls.errors import ControlError
from controls.maps import DETECTORS, kinds
from controls.maps.base import Detector
from controls.maps.weights import vendor
from interp.errors import MissingPackageError, MissingWeightsError
from interp.quiet import without_prints

Theirs = Callable[[str], Any]
Photo = Callable[[int, int], np.ndarray]
NETWORKS = [name for name, facts in kinds().items() if facts.weights is not None]
AUX = [name for name in NETWORKS if "controlnet_aux" in kinds()[name].packages]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """For weights: hundreds of megabytes, so gone as soon as they are used."""
    made = tmp_path / "weights"
    made.mkdir()
    yield made
    shutil.rmtree(made)


def detector(name: str, folder: Path, **options: Any) -> Detector:
    made = DETECTORS.make(name, {"weights": str(folder), **options})
    assert isinstance(made, Detector)
    return made


def alike(ours: np.ndarray, reference: np.ndarray, *, within: int = 0) -> None:
    """The same picture, which is no blank one."""
    assert ours.shape == reference.shape
    assert ours.dtype == reference.dtype == np.uint8
    assert reference.std() > 0.5
    assert np.abs(ours.astype(int) - reference).max() <= within


def lively(network: Any) -> dict[str, Any]:
    """Random weights that make more of a picture than torch's own beginnings do."""
    torch = sys.modules["torch"]
    torch.manual_seed(1)
    state = network.state_dict()
    for name, values in state.items():
        if values.dtype.is_floating_point and values.ndim > 1:
            state[name] = torch.randn_like(values) * (2.0 / values[0].numel()) ** 0.5
    return state


def test_soft_edges_by_hed(folder: Path, theirs: Theirs, photo: Photo) -> None:
    hed, torch = theirs("controlnet_aux.hed"), theirs("torch")
    torch.save(lively(hed.ControlNetHED_Apache2()), folder / "ControlNetHED.pth")
    reference = hed.HEDdetector.from_pretrained(str(folder))
    picture = photo(192, 128)
    call = {"detect_resolution": 128, "image_resolution": 128, "output_type": "np"}
    alike(detector("softedge", folder, resolution=128).detect(picture).picture, reference(picture, **call))
    safe = detector("softedge", folder, resolution=128, safe=True).detect(picture).picture
    alike(safe, reference(picture, safe=True, **call))
    # An odd size is looked at as the package would, and comes back at its own.
    odd = detector("softedge", folder, resolution=128).detect(photo(201, 133)).picture
    assert odd.shape == (133, 201, 3)
    deep = photo(192, 128).astype(np.uint16) * 257
    alike(detector("softedge", folder, resolution=128).detect(deep).picture, reference(picture, **call))


def test_soft_edges_by_pidinet(folder: Path, theirs: Theirs, photo: Photo) -> None:
    pidi, torch = theirs("controlnet_aux.pidi"), theirs("torch")
    torch.save({"state_dict": lively(pidi.pidinet())}, folder / "table5_pidinet.pth")
    reference = pidi.PidiNetDetector.from_pretrained(str(folder))
    picture = photo(192, 128)
    expected = reference(picture, detect_resolution=128, image_resolution=128, output_type="np")
    alike(detector("softedge-pidi", folder, resolution=None).detect(picture).picture, expected)


@pytest.mark.parametrize("coarse", [False, True])
def test_line_drawings(coarse: bool, folder: Path, theirs: Theirs, photo: Photo) -> None:
    lineart, torch = theirs("controlnet_aux.lineart"), theirs("torch")
    for file in ("sk_model.pth", "sk_model2.pth"):
        torch.save(lineart.Generator(3, 1, 3).state_dict(), folder / file)
    reference = lineart.LineartDetector.from_pretrained(str(folder))
    picture = photo(192, 128)
    expected = reference(picture, coarse, detect_resolution=128, image_resolution=128, output_type="np")
    alike(detector("lineart-realistic", folder, resolution=128, coarse=coarse).detect(picture).picture, expected)


def test_normals_by_bae(folder: Path, theirs: Theirs, photo: Photo) -> None:
    bae, torch = theirs("controlnet_aux.normalbae"), theirs("torch")
    asked = SimpleNamespace(
        mode="client", architecture="BN", pretrained="scannet", sampling_ratio=0.4, importance_ratio=0.7
    )
    with without_prints():
        torch.save({"model": bae.NNET(asked).state_dict()}, folder / "scannet.pt")
        reference = bae.NormalBaeDetector.from_pretrained(str(folder))
    picture = photo(192, 128)
    expected = reference(picture, detect_resolution=128, image_resolution=128, output_type="np")
    alike(detector("normal", folder, resolution=128).detect(picture).picture, expected)


def test_depth_by_midas(folder: Path, theirs: Theirs, photo: Photo) -> None:
    dpt, torch = theirs("controlnet_aux.midas.midas.dpt_depth"), theirs("torch")
    with without_prints():
        network = dpt.DPTDepthModel(path=None, backbone="vitb_rn50_384", non_negative=True)
    torch.save(network.state_dict(), folder / "dpt_hybrid-midas-501f0c75.pt")
    picture = photo(192, 128)
    made = detector("depth-midas", folder, resolution=128)
    with without_prints():
        expected = made._model(picture, detect_resolution=128, image_resolution=128)  # type: ignore[attr-defined]
    found = made.detect(picture)
    alike(found.picture, expected)
    assert found.values is not None
    assert found.values.dtype == np.float32
    assert (found.values.min(), found.values.max()) == (0, 1)


@pytest.mark.slow
def test_depth_by_zoe(folder: Path, theirs: Theirs, photo: Photo) -> None:
    zoe, torch = theirs("controlnet_aux.zoe"), theirs("torch")
    with without_prints():
        network = zoe.ZoeDepth.build_from_config(zoe.get_config("zoedepth", "infer"))
    torch.save({"model": network.state_dict()}, folder / "ZoeD_M12_N.pt")
    picture = photo(192, 128)
    made = detector("depth-zoe", folder, resolution=128)
    with without_prints():
        expected = made._model(picture, detect_resolution=128, image_resolution=128)  # type: ignore[attr-defined]
    found = made.detect(picture)
    alike(found.picture, expected, within=1)  # they subtract in another order
    assert found.values is not None
    assert (found.values.min(), found.values.max()) == (0, 1)


def test_depth_by_depth_anything(folder: Path, photo: Photo) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    transformers = vendor("transformers", kinds()["depth"])
    backbone = transformers.Dinov2Config(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=56,
        patch_size=14,
        out_features=["stage1", "stage2", "stage3", "stage4"],
        apply_layernorm=True,
        reshape_hidden_states=False,
    )
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=32,
        patch_size=14,
        neck_hidden_sizes=[8, 8, 16, 16],
        fusion_hidden_size=16,
        head_hidden_size=8,
    )
    network = transformers.DepthAnythingForDepthEstimation(config)
    network.load_state_dict(lively(network))
    network.save_pretrained(folder)
    size = {"height": 70, "width": 70}
    transformers.DPTImageProcessor(
        size=size, ensure_multiple_of=14, keep_aspect_ratio=True, resample=3, do_rescale=True
    ).save_pretrained(folder)
    from PIL import Image

    picture = photo(101, 71)
    found = detector("depth", folder).detect(picture)
    theirs = transformers.pipeline("depth-estimation", model=str(folder), device="cpu")(Image.fromarray(picture))
    alike(found.picture, np.asarray(theirs["depth"])[..., None].repeat(3, 2), within=1)
    assert found.values is not None
    assert found.values.shape == (71, 101)
    normals = DETECTORS.make("normal-depth", {"depth_options": {"weights": str(folder)}})
    assert isinstance(normals, Detector)
    assert normals.detect(picture).picture.shape == (71, 101, 3)


def test_pose_by_openpose(folder: Path, theirs: Theirs, photo: Photo) -> None:
    """Random networks find nobody; so people are planted where the package has them found, and what follows is compared."""
    pytest.importorskip("matplotlib")
    torch, model = theirs("torch"), theirs("controlnet_aux.open_pose.model")
    openpose, body = theirs("controlnet_aux.open_pose"), theirs("controlnet_aux.open_pose.body")
    for file, network in (
        ("body_pose_model.pth", model.bodypose_model()),
        ("hand_pose_model.pth", model.handpose_model()),
    ):
        torch.save({key.split(".", 1)[1]: value for key, value in network.state_dict().items()}, folder / file)
    torch.save(theirs("controlnet_aux.open_pose.face").FaceNet().state_dict(), folder / "facenet.pth")
    picture = photo(512, 512)
    made = detector("pose-openpose", folder, hands=True)
    nobody = made.detect(photo(128, 128))
    assert nobody.facts["people"] == []
    assert not nobody.picture.any()

    draw = np.random.default_rng(8)
    places = draw.integers(30, 480, (36, 2)) + 1e-3
    candidate = np.column_stack([places, np.ones(36), np.arange(36)])
    subset = np.full((2, 20), -1.0)
    subset[:, :18] = np.arange(36).reshape(2, 18)
    subset[1, 3:6] = -1  # an arm that is not seen
    hand = draw.integers(1, 20, (21, 2)).astype(np.float32)
    hand[5] = 0  # not seen

    class Planted:
        format_body_result = staticmethod(body.Body.format_body_result)

        def __call__(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return candidate, subset

    reference: Any = made._model  # type: ignore[attr-defined]
    reference.body_estimation, reference.hand_estimation = Planted(), lambda crop: hand.copy()
    found = made.detect(picture)
    expected = openpose.draw_poses(reference.detect_poses(picture, include_hand=True), 512, 512)
    assert len(found.facts["people"]) == 2
    differs = (found.picture != expected).any(axis=2)  # a hand's joint, cut off at 1/1000 less than a whole pixel
    assert differs.mean() < 2e-3
    bodies = DETECTORS.make("pose-openpose", {"weights": str(folder)})
    bodies._model.body_estimation = Planted()  # type: ignore[union-attr]
    expected = openpose.draw_poses(reference.detect_poses(picture), 512, 512)
    assert isinstance(bodies, Detector)
    alike(bodies.detect(picture).picture, expected)
    # At twice the size, the same people at twice the places.
    double = bodies.detect(photo(1024, 1024)).facts["people"][0]["body"]
    np.testing.assert_allclose(np.array(double)[:, :2], (places[:18] + 0.5) * 2 - 0.5, atol=0.01)


@pytest.mark.parametrize("name", NETWORKS)
def test_missing_weights_say_what_to_fetch(name: str, tmp_path: Path, theirs: Theirs) -> None:
    theirs("controlnet_aux")
    option = "depth_options" if name == "normal-depth" else ""

    def tried(**options: Any) -> str:
        with pytest.raises(MissingWeightsError) as caught:
            DETECTORS.make(name, {option: options} if option else options)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    facts = kinds()[name].weights
    assert facts is not None
    assert f"hf download {facts.repository} {facts.files[0]}" in tried()
    assert "there is no file" in tried(weights=str(tmp_path))
    assert "there is no folder" in tried(weights=str(tmp_path / "nowhere"))


@pytest.mark.parametrize("name", ["softedge", "depth"])
def test_weights_of_something_else_are_refused(name: str, tmp_path: Path, theirs: Theirs) -> None:
    theirs("controlnet_aux")
    weights = kinds()[name].weights
    assert weights is not None
    for file in weights.files:
        (tmp_path / file).write_bytes(b"{}")
    with pytest.raises(ControlError, match="cannot be used") as caught:
        DETECTORS.make(name, {"weights": str(tmp_path)})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [name for name in DETECTORS.names() if kinds()[name].packages])
def test_a_missing_package_says_how_to_get_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("controlnet_aux", "transformers", "mediapipe", "h5py", "torch"):
        for loaded in [each for each in sys.modules if each.partition(".")[0] == package]:
            if package != "torch":
                monkeypatch.delitem(sys.modules, loaded)
        if package != "torch":
            monkeypatch.setitem(sys.modules, package, None)
    extra = {"pose": "pose", "softedge-bsds": "softedge"}.get(name, "controls")
    with pytest.raises(MissingPackageError, match=rf"pip install 'restyle\[{extra}\]'") as caught:
        DETECTORS.make(name)
    assert "\n" not in str(caught.value)
