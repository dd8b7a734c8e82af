"""Pickled files: reading one may run any program."""

from __future__ import annotations

from pathlib import Path

from restyle.errors import RecipeError, show_path

__all__ = ["PICKLED", "is_pickled", "refuse_pickle"]

PICKLED = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
"""Endings of names of pickled files."""


def is_pickled(path: Path) -> bool:
    """Whether a file is pickled, by its name."""
    return path.suffix.lower() in PICKLED


def refuse_pickle(path: Path, kind: str) -> RecipeError:
    """The error for a pickled file that nobody allowed. ``kind``: of model, for the message."""
    trust = "" if kind == "model" else ", or trust it with --painter-option allow_pickle=true"
    return RecipeError(
        f"{kind} {show_path(path)} is pickled: whoever made it can run any program here. Take a .safetensors file{trust}"
    )
