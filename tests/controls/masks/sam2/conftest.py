"""SAM 2 of the same random weights, as the package's predictor, its file, and transformers' folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sam2_weights import FILE, random_predictor, save_file_of_the_package, save_folder_of_transformers

from controls.torchvision_guard import make_torchvision_importable


@pytest.fixture(scope="session", autouse=True)
def torchvision() -> None:
    make_torchvision_importable()


@pytest.fixture(scope="session")
def reference(torchvision: None) -> Any:
    """The package's predictor."""
    pytest.importorskip("sam2")
    return random_predictor()


@pytest.fixture(scope="session")
def folder(reference: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both formats in one folder."""
    pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("sam2")
    save_file_of_the_package(reference, folder)
    return save_folder_of_transformers(reference.state_dict(), folder)


@pytest.fixture(params=["transformers", "package"])
def weights(folder: Path, request: pytest.FixtureRequest) -> Path:
    """What the option ``model`` names, in either way."""
    return folder if request.param == "transformers" else folder / FILE
