"""What the documentation says, done: every command, every Python block, every link, every table of names. The README's own
commands: ``test_readme.py``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from command import Caller
from documentation import BLOCK, PAGES, ROOT, blocks, furnish_store, run_page, targets

import restyle
from restyle import errors
from restyle.cli.app import application
from restyle.recipe import Recipe
from restyle.registry import TABLES


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.name)
def test_every_command_and_every_program_does_what_it_says(
    page: Path,
    restyle_command: Caller,
    furnished: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    if "restyle run s3://" in page.read_text(encoding="utf-8"):
        furnish_store(furnished, request.getfixturevalue("bucket"))
    run_page(page, restyle_command, furnished, monkeypatch)


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
    assert rows == {(name, one.model, one.licence, str(one.fetched), str(one.largest)) for name, one in FILMS.items()}
    assert all(f"`{family.traits.pipeline}`" in text for family in FAMILIES.values())


def test_the_page_of_editors_has_every_model_and_family() -> None:
    from restyle.painters.edit.families import FAMILIES
    from restyle.weights.editors import EDITORS

    text = (ROOT / "docs" / "edit.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([\w-]+)` \| ([^|`]+) \| ([^|]+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE))
    assert rows == {(name, one.model, one.licence, str(one.fetched), str(one.largest)) for name, one in EDITORS.items()}
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
