"""Mattes that lie in files already, read for a whole clip: one object's, or all objects' that ``restyle matte`` wrote."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np

from controls.masks.matte_folder import MatteFolderMasker
from controls.types import Masker, MatteClip, MatteFolder, Prompted
from restyle.errors import RecipeError, show_path, translated
from restyle.footage import Footage, ShotPictures, timing
from restyle.job.matte_clip_masker import MatteClipMasker

__all__ = ["given_mattes"]


def given_mattes(path: Path, footage: Footage) -> Generator[np.ndarray, None, None]:
    """Every frame's matte, float32 H x W in [0, 1]: where any of the objects is.

    ``path``: a folder of numbered pictures, one a frame; a folder of such folders; or a clip, whose alpha or brightness counts.
    Raises ``RecipeError``: nothing there, other sizes, other numbers.
    """
    stamps = timing(footage.spec.path)
    pictures = ShotPictures(footage, 0, len(stamps), stamps)
    if not path.exists():
        raise RecipeError(f"there are no mattes {show_path(path)}: restyle matte writes them")
    folders = sorted(each for each in path.iterdir() if each.is_dir()) if path.is_dir() else []
    masker: Masker = MatteFolderMasker() if path.is_dir() else MatteClipMasker()
    prompts = [
        Prompted(str(number), 0, MatteFolder(each) if path.is_dir() else MatteClip(each))
        for number, each in enumerate(folders or [path])
    ]
    with translated(errors=ValueError):
        for masked in masker.follow(pictures, prompts):
            yield np.maximum.reduce(list(masked.mattes.values()))
