"""Fingerprints of weights, without reading all of them; and their sizes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from restyle.weights.pickles import PICKLED

__all__ = ["fingerprint", "size_of"]

KINDS = (".safetensors", ".json", ".txt", *PICKLED)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder, links followed."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def fingerprint(path: Path) -> list[Any]:
    """Names, sizes, and a digest of both ends of each file. ``path``: a file or a folder. Plain JSON."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    return [
        [file.relative_to(path).as_posix() if path.is_dir() else file.name, file.stat().st_size, _digest_ends(file)]
        for file in files
        if file.suffix.lower() in KINDS
    ]


def _digest_ends(file: Path, block: int = 1 << 18) -> str:
    digest = hashlib.blake2b(digest_size=16)
    with open(file, "rb") as stream:
        digest.update(stream.read(block))
        stream.seek(max(0, file.stat().st_size - block))
        digest.update(stream.read(block))
    return digest.hexdigest()
