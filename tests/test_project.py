"""The project itself: versions, pins, extras, and what the make and CI files promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import restyle
from restyle.cli.environment import CORE, EXTRAS
from restyle.versions import REPORTED

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))


def name_of(requirement: str) -> str:
    return re.split(r"[<>=!~\[ ]", requirement, maxsplit=1)[0]


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def test_one_version() -> None:
    assert PROJECT["version"] == restyle.__version__
    assert f"## {restyle.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_what_is_asked_for_is_pinned_within_its_range() -> None:
    asked = [*PROJECT["dependencies"], *(line for extra in PROJECT["optional-dependencies"].values() for line in extra)]
    for requirement in asked:
        name = name_of(requirement)
        if name == "restyle":
            continue
        pin = numbers(PINS[name])
        assert re.search(r">=", requirement), f"{requirement}: from which version on?"
        for sign, bound in re.findall(r"(>=|<)([\d.]+)", requirement):
            assert pin >= numbers(bound) if sign == ">=" else pin < numbers(bound), (
                f"{requirement}, pinned {PINS[name]}"
            )


def test_one_opencv() -> None:
    asked = [name_of(requirement) for requirement in PROJECT["dependencies"]]
    assert [name for name in asked if name.startswith("opencv")] == ["opencv-python"]
    assert len({version for name, version in PINS.items() if name.startswith("opencv")}) == 1
    assert not {"torch", "torchvision"} & set(asked)


def test_doctor_knows_every_dependency_and_every_extra() -> None:
    assert set(CORE) == {name_of(requirement) for requirement in PROJECT["dependencies"]}
    assert set(EXTRAS) == set(PROJECT["optional-dependencies"]) - {"test", "dev"}
    assert set(REPORTED) - {"restyle"} <= set(CORE)


def test_ci_runs_what_the_readme_says() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text()
    assert "set -euo pipefail" in script.read_text()
    subprocess.run(["bash", "-n", script], check=True)


def test_an_old_python_is_told_in_one_line(tmp_path: Path) -> None:
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "constraints.txt").touch()
    done = subprocess.run(["make", "test", f"PYTHON={old}"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert done.stderr.splitlines()[0].startswith("restyle needs Python 3.11 or newer")
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("package", ["restyle", "controls", "interp"])
def test_types_are_published(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert "py.typed" in declared[package]


def test_the_installed_command() -> None:
    assert PROJECT["scripts"] == {"restyle": "restyle.cli:main"}
    command = Path(sys.executable).with_name("restyle")
    done = subprocess.run([command, "--version"], capture_output=True, text=True)
    assert done.stdout == f"restyle {restyle.__version__}\n"


def test_every_subpackage_would_be_installed() -> None:
    """``packages.find`` takes only folders that have an ``__init__.py``."""
    for package in ("restyle", "controls", "interp"):
        for folder in {path.parent for path in (ROOT / package).rglob("*.py")}:
            assert (folder / "__init__.py").is_file(), folder
