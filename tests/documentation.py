"""What a page of the documentation says, done."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import tiny_diffusion
from clips import moving_frames, write_clip, write_pictures
from command import Caller
from object_store import Bucket
from studio_browser import studio

from restyle.batch.manifest import read_manifest
from restyle.recipe import Recipe

__all__ = ["BLOCK", "PAGES", "ROOT", "blocks", "furnish", "furnish_store", "run_line", "run_page", "targets"]

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)(?: +(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SIZE = (64, 48)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file name behind it, its text."""

    language: str
    name: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
        yield Block(found[1], found[2] or "", found[3])


def furnish(folder: Path) -> None:
    """Footage and pictures under all the names that the pages use."""
    frames = moving_frames(100, SIZE, cuts=(60,))
    (folder / "samples").mkdir()
    write_clip(folder / "clip.mp4", frames, audio=True)
    for name in ("-clip.mp4", "samples/harbour.mp4"):
        shutil.copy(folder / "clip.mp4", folder / name)
    for number, name in enumerate(
        ("painting.jpg", "other.jpg", "painted-48.png", "painted-0.png", "still.png", "art/painting.jpg")
    ):
        pattern = Path(name)
        write_pictures(folder / pattern.parent, moving_frames(1, SIZE, seed=number), f"%d{pattern.name}", first=1)
        os.replace(folder / pattern.parent / f"1{pattern.name}", folder / name)
    write_pictures(folder / "shot", frames[:6], "frame.%04d.png")
    for number, name in enumerate(("day1/beach.mp4", "day1/street.mov", "day2/beach.mp4")):
        (folder / "footage" / name).parent.mkdir(parents=True, exist_ok=True)
        write_clip(folder / "footage" / name, moving_frames(6, SIZE, seed=number))
    parts = {
        "base": "sd15",
        "net": "controlnet-sd15",
        "lora": "lora-sd15",
        "adapter": "ip-adapter-sd15",
        "gouache": "embedding-sd15",
        "editor": "klein",
        "flux": "flux",
        "flux-net": "flux-controlnet",
        "film": "vace",
        "motion": "motion-sd15",
        "svd": "svd",
    }
    for name, kind in parts.items():
        tiny_diffusion.build(kind, folder / "models" / name)
    write_pictures(folder / "render", moving_frames(4, SIZE, dtype="float32"), "frame.%04d.exr")


def furnish_store(folder: Path, store: Bucket) -> None:
    """The same footage, in a store of objects."""
    for name in ("footage", "work"):
        store.files.mkdir(name)
    for path in (folder / "footage").rglob("*.*"):
        store.files.pipe_file(str(path.relative_to(folder)), path.read_bytes())


def targets() -> set[str]:
    """Targets of the Makefile."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def run_line(line: str, call: Caller, folder: Path) -> None:
    """One line of a shell block, for real; what would install things is checked instead."""
    words = shlex.split(line, comments=True)
    while re.fullmatch(r"[A-Z0-9_]+=\S+", words[0]):
        words = words[1:]
    program = words[0].removeprefix(".venv/bin/")
    if program == "restyle" and words[1:2] == ["studio"]:
        with studio(*words[2:], cwd=folder) as address:  # stays open until it is stopped
            assert urllib.request.urlopen(address).status == 200
    elif program == "restyle":
        command, _, file = line.partition(" > ")
        said = call(*shlex.split(command)[1:])
        if file:
            (folder / file).write_text(said.out)
    elif program == "make":
        for target in words[1:]:
            assert target in targets()
            subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)
    elif program == "mkdir":
        subprocess.run(words, cwd=folder, check=True)
    elif program in ("python", "python3"):
        check_python_line(words[1:])
    else:
        pytest.fail(f"nobody knows how to check {line!r}")


def check_python_line(words: list[str]) -> None:
    if words[:3] == ["-m", "pip", "install"]:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        if "-c" in words:
            assert (ROOT / words[words.index("-c") + 1]).is_file()
        else:
            assert (ROOT / words[-1] / "pyproject.toml").is_file()
        for extra in re.findall(r"\[([\w,]+)\]", words[-1]):
            assert set(extra.split(",")) <= set(project["optional-dependencies"])
    else:
        assert words in (["-m", "venv", ".venv"], ["-m", "pytest"])


def run_page(page: Path, call: Caller, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block of a page, in a furnished folder."""
    # the pages' models at a size and in a number of steps that take no minutes here
    from restyle.painters.diffusion import loading
    from restyle.painters.video.families.animatediff import AnimateDiff
    from restyle.painters.video.families.svd import StableVideo
    from restyle.painters.video.families.vace import Vace

    monkeypatch.setattr(loading, "RESOLUTION", {"sd15": 64, "sdxl": 64})
    monkeypatch.setattr(loading, "STEPS", 2)
    monkeypatch.setattr("restyle.painters.edit.keyframes.working_size", lambda *_, **__: (64, 64))
    monkeypatch.setattr("restyle.painters.video.families.base.working_size", lambda *_, **__: (64, 64))
    for family in (Vace, AnimateDiff, StableVideo):
        monkeypatch.setattr(family, "traits", replace(family.traits, steps=3 if family is StableVideo else 2))
    for block in blocks(page):
        if block.name:
            (folder / block.name).write_text(block.text)
        if block.language == "sh":
            for line in block.text.splitlines():
                run_line(line, call, folder)
        elif block.language == "python":
            done = subprocess.run([sys.executable, "-c", block.text], cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0, f"{block.text}\n{done.stderr}"
        elif block.name.startswith("clips."):
            assert read_manifest(folder / block.name)
        else:
            assert block.language in ("json", "yaml")
            assert block.name
            Recipe.load(folder / block.name)
