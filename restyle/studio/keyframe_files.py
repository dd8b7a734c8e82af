"""Pictures of keyframes on disk: given ones, named by what they hold, so that none takes another's place; and those that are
exported to be painted elsewhere."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np

from restyle.errors import OutputError, show_path, why
from restyle.files.writing import write_file
from restyle.footage import read_picture, write_picture

__all__ = ["export", "exported", "is_painted", "keep", "place"]


def place(folder: Path, stem: str, data: bytes, suffix: str) -> Path:
    """Name of a picture's file by its content."""
    return folder / f"{stem}.{hashlib.blake2b(data, digest_size=5).hexdigest()}{suffix}"


def keep(path: Path, data: bytes) -> bool:
    """Write a picture's file; tells whether it was: what lies at its ``place`` already is the same. Raises ``OutputError``."""
    try:
        if path.exists():
            return False
        write_file(path, data)
    except OSError as error:
        raise OutputError(f"cannot write {show_path(path)}: {why(error)}") from error
    return True


def export(folder: Path, frame: int, picture: np.ndarray) -> bool:
    """Write a frame to be painted over; tells whether it was: one that is painted already stays. Raises ``OutputError``."""
    path = folder / f"frame.{frame:06d}.png"
    if path.exists() and is_painted(path, picture):
        return False
    write_picture(path, picture)
    return True


def exported(folder: Path) -> dict[int, Path]:
    """The pictures that were exported -> frame: path."""
    found = {}
    for path in sorted(folder.glob("frame.*.png")) if folder.is_dir() else ():
        number = re.fullmatch(r"frame\.(\d{6,12})\.png", path.name)
        if number is not None and not path.is_symlink():
            found[int(number[1])] = path
    return found


def is_painted(path: Path, picture: np.ndarray) -> bool:
    """Tell whether a file differs from its frame. Raises ``FootageError``."""
    here = read_picture(path)
    return here.shape != picture.shape or bool((here != picture).any())
