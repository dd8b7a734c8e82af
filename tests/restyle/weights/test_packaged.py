from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from restyle.errors import MissingModelError, RecipeError
from restyle.painters.diffusion.model_files import find_model_files
from restyle.painters.diffusion.options import Options
from restyle.weights.packaged import PACKAGED


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable package with nothing in it."""
    (tmp_path / "some_model" / "model").mkdir(parents=True)
    (tmp_path / "some_model" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "some_model"


def test_the_folder_is_that_of_the_package(package: Path) -> None:
    model = replace(PACKAGED["small"], model="some_model", controls=("canny",))
    assert model.source == str(package / "model")
    assert model.controlnet_for("canny") == str(package / "model" / "controlnet")
    assert model.controlnet_for("pose") is None


def test_a_package_that_is_not_installed_is_told_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = replace(PACKAGED["small"], model="no_such_package")
    assert absent.folder is None
    monkeypatch.setitem(PACKAGED, "small", absent)  # type: ignore[index]
    with pytest.raises(MissingModelError, match=r"model 'small' comes in a package that is not installed: pip install"):
        find_model_files(Options(model="small"))


def test_maps_that_its_controlnet_was_not_shown_are_refused() -> None:
    pytest.importorskip("restyle_small")
    with pytest.raises(RecipeError, match="the model 'small' takes no pose maps"):
        find_model_files(Options(model="small", controls=({"kind": "pose"},)))
