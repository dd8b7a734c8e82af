"""Fingerprints of weights, without reading all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from restyle.weights.pickles import PICKLED

__all__ = ["fingerprint"]

KINDS = (".safetensors", ".json", ".txt", *PICKLED)


def fingerprint(path: Path, files: Sequence[Path]) -> list[Any]:
    """Names, sizes, and a digest of both ends of each of the ``files`` of ``path``, a folder or the file itself. Plain JSON."""
    return [
        [file.relative_to(path).as_posix() if path.is_dir() else file.name, file.stat().st_size, _digest_ends(file)]
        for file in sorted(files)
        if file.suffix.lower() in KINDS
    ]


def _digest_ends(file: Path, block: int = 1 << 18) -> str:
    digest = hashlib.blake2b(digest_size=16)
    with open(file, "rb") as stream:
        digest.update(stream.read(block))
        stream.seek(max(0, file.stat().st_size - block))
        digest.update(stream.read(block))
    return digest.hexdigest()
