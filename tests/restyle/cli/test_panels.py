"""Headings in the help."""

from __future__ import annotations

import re

import pytest
from command import Caller

from restyle.cli.recipe_options import OPTIONS


def headings(help_text: str) -> list[str]:
    return re.findall(r"^(\S[^:\n]*):$", help_text, re.MULTILINE)


@pytest.mark.parametrize("name", ["run", "plan", "preview"])
def test_many_options_stand_under_headings(name: str, restyle_command: Caller) -> None:
    said = restyle_command(name, "--help").out
    panels = list(dict.fromkeys(option.panel for option in OPTIONS.values()))
    shown = headings(said)
    assert shown[0] == "Arguments"
    assert [heading for heading in shown if heading in panels] == [panel for panel in panels if panel in shown]
    assert shown[-1].endswith("ptions")
    assert len(shown) == len(set(shown)), "each once"
    look, keyframes = said.index("\nLook:"), said.index("\nKeyframes:")
    assert look < said.index("  --prompt TEXT") < keyframes < said.index("  --keyframe-image")


@pytest.mark.parametrize("name", ["matte", "controls", "retime", "inspect", "doctor"])
def test_few_options_stand_under_one(name: str, restyle_command: Caller) -> None:
    assert [heading for heading in headings(restyle_command(name, "--help").out) if heading != "Arguments"] == [
        "Options"
    ]
