"""What the documentation says, done: every command, every Python block, every link, every table of names."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import tiny_diffusion
import typer
from clips import moving_frames, write_clip, write_pictures
from command import Caller
from object_store import Bucket
from studio_browser import studio

import restyle
from restyle import errors
from restyle.batch.manifest import read_manifest
from restyle.cli.app import application
from restyle.recipe import Recipe
from restyle.registry import TABLES

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


def furnish(folder: Path, text: str) -> None:
    """Footage and pictures under all the names that the pages use, and the models of one page's ``text``."""
    frames = moving_frames(100, SIZE, cuts=(60,))
    for name in ("clip.mp4", "-clip.mp4", "samples/harbour.mp4"):
        (folder / name).parent.mkdir(exist_ok=True)
        write_clip(folder / name, frames, audio=True)
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
    for name in parts.keys() & set(re.findall(r"models/([\w-]+)", text)):
        tiny_diffusion.build(parts[name], folder / "models" / name)
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
        import tomllib

        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        assert (ROOT / words[words.index("-c") + 1]).is_file()
        for extra in re.findall(r"\[([\w,]+)\]", words[-1]):
            assert set(extra.split(",")) <= set(project["optional-dependencies"])
    else:
        assert words in (["-m", "venv", ".venv"], ["-m", "pytest"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_every_program_does_what_it_says(
    page: Path,
    restyle_command: Caller,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    furnish(tmp_path, page.read_text(encoding="utf-8"))
    if "restyle run s3://" in page.read_text(encoding="utf-8"):
        furnish_store(tmp_path, request.getfixturevalue("bucket"))
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
            (tmp_path / block.name).write_text(block.text)
        if block.language == "sh":
            for line in block.text.splitlines():
                run_line(line, restyle_command, tmp_path)
        elif block.language == "python":
            done = subprocess.run([sys.executable, "-c", block.text], cwd=tmp_path, capture_output=True, text=True)
            assert done.returncode == 0, f"{block.text}\n{done.stderr}"
        elif block.name.startswith("clips."):
            assert read_manifest(tmp_path / block.name)
        else:
            assert block.language in ("json", "yaml")
            assert block.name
            Recipe.load(tmp_path / block.name)


def test_every_example_in_the_help_does_what_it_says(restyle_command: Caller, tmp_path: Path) -> None:
    furnish(tmp_path, "")
    for command in typer.main.get_command(application()).commands.values():  # type: ignore[attr-defined]
        assert command.help is not None
        example = " ".join(command.help.partition("Example: ")[2].split())
        assert example.startswith(f"restyle {command.name}")
        run_line(example, restyle_command, tmp_path)


def test_the_demo_uses_a_style_that_exists() -> None:
    from restyle.painters.neural_style.choice import parse_style

    chosen = re.search(r"^STYLE +\?= (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert chosen is not None
    assert parse_style(chosen[1]).builtin


def test_the_readme_shows_both_commands_and_more() -> None:
    found = list(blocks(ROOT / "README.md"))
    assert found[0].text == "make demo\nmake test\n"
    assert sum(block.language == "sh" for block in found) > 10
    assert "demo" in targets()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in link:
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_the_command_page_has_every_option_with_its_help_and_no_other() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## restyle (\w+)[^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    commands = typer.main.get_command(application()).commands  # type: ignore[attr-defined]
    assert set(sections) == set(commands)
    for name, command in commands.items():
        rows = [row.split(" | ", 1) for row in sections[name].splitlines() if row.startswith("| `-")]
        told = {option: says for options, says in rows for option in re.findall(r"`(--?[\w-]+)`", options)}
        shown = [p for p in command.params if p.opts[0].startswith("-") and not getattr(p, "hidden", False)]
        wanted = {option: p.help for p in shown for option in (*p.opts, *p.secondary_opts)}
        assert told.keys() == wanted.keys() - {"--help", "-h"}, f"restyle {name}"
        for option, says in told.items():
            if (name, option) != ("models", "--offline"):
                assert says.replace("\\|", "|").startswith(wanted[option]), f"restyle {name} {option}"


def test_the_recipe_page_has_every_field_with_its_default() -> None:
    text = (ROOT / "docs" / "recipe.md").read_text(encoding="utf-8")
    rows = dict(
        re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]*) \|", text.partition("## What is done again")[0], re.MULTILINE)
    )
    assert set(rows) == set(Recipe.model_fields)
    plain = Recipe().model_dump(mode="json")
    for name, told in rows.items():
        if told.startswith("`"):
            import json

            assert json.loads(told.strip("`")) == plain[name], name


def test_the_api_page_has_every_public_name_and_no_other() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").partition("## All public names")[2]
    told = re.findall(r"`(\w+)`", text)
    assert sorted(told) == [name for name in restyle.__all__ if not name.startswith("__")]


def test_the_api_page_has_every_kind_of_part_with_its_entry_points() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    groups = set(re.findall(r"\| `(restyle\.\w+)` \|$", text, re.MULTILINE))
    assert groups == {table.group for table in TABLES.values()}


def test_the_error_page_has_every_error_with_its_code() -> None:
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = {(name, int(code)) for code, name in re.findall(r"^\| (\d+) \| `(\w+)` \|", text, re.MULTILINE)}
    kinds = {
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.RestyleError)
    }
    kinds.add(errors.Cancelled)
    assert {(kind.__name__, kind.exit_code) for kind in kinds} == rows - {("Cancelled", 143)}


def test_the_models_page_has_every_model_and_schedule() -> None:
    from restyle.painters.diffusion.presets import SCHEDULES
    from restyle.weights.catalogue import BASE_MODELS, FAMILIES

    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([\w-]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE))
    models = {(name, one.model, FAMILIES[one.family], one.licence) for name, one in BASE_MODELS.items()}
    schedules = {(name, one.scheduler, str(one.steps), str(one.guidance_scale)) for name, one in SCHEDULES.items()}
    assert rows == models | schedules


def test_the_page_of_models_of_video_has_every_one() -> None:
    from restyle.painters.video.families import FAMILIES
    from restyle.weights.films import FILMS

    text = (ROOT / "docs" / "video.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([\w.-]+)` \| ([^|`]+) \| ([^|]+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE))
    assert rows == {(name, one.model, one.licence, str(one.size), str(one.largest)) for name, one in FILMS.items()}
    assert all(f"`{family.traits.pipeline}`" in text for family in FAMILIES.values())


def test_the_page_of_editors_has_every_model_and_family() -> None:
    from restyle.painters.edit.families import FAMILIES
    from restyle.weights.editors import EDITORS

    text = (ROOT / "docs" / "edit.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([\w-]+)` \| ([^|`]+) \| ([^|]+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE))
    assert rows == {(name, one.model, one.licence, str(one.size), str(one.largest)) for name, one in EDITORS.items()}
    told = re.findall(
        r"^\| `([\w-]+)` \| `(\w+)` \| (\d) \| (\d+) \| ([\d.]+) \| ([^|]+) \| (\w+) \| ([^|]+) \|$", text, re.MULTILINE
    )
    facts = {
        (
            name,
            family.traits.pipeline,
            str(family.traits.pictures),
            str(family.traits.steps),
            f"{family.traits.guidance_scale:g}",
            "anchor" if family.traits.follow == 1 else "painting before",
            "yes" if family.traits.negative else "no",
            "held" if family.traits.inpaints else "cut out",
        )
        for name, family in FAMILIES.items()
    }
    assert set(told) == facts


def test_the_formats_page_has_every_codec_and_container() -> None:
    from restyle.footage import CODECS
    from restyle.footage.output import CONTAINERS, PICTURES

    text = (ROOT / "docs" / "footage.md").read_text(encoding="utf-8").partition("## Out")[2]
    for name in (*CODECS, *CONTAINERS, *PICTURES):
        assert re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text), name
    for row in re.findall(r"^\| (\.(?:mp4|mov|mkv|webm|avi)[^|]*)\| ([^|]*)\| ([^|]*)\|", text, re.MULTILINE):
        container = CONTAINERS[row[0].split()[0]]
        told = set(re.findall(r"[\w-]+", row[1].partition(" if ")[0] + " " + row[2]))
        assert told == {name for name, codec in CODECS.items() if container in codec.containers}, row[0]
