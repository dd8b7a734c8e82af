"""Image sequences, probed and read: ``shot/frame.%04d.png`` or a folder of pictures."""

from __future__ import annotations

import os
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import cv2

from restyle.errors import FootageError, show_path
from restyle.footage.colour import to_depth
from restyle.footage.numbering import Pictures, find_pictures
from restyle.footage.stills import read_facts, read_with_alpha
from restyle.types import FootageSpec, Frame

__all__ = ["probe_sequence", "read_sequence"]


def probe_sequence(path: Path, rate: Fraction) -> FootageSpec:
    """Describe a sequence from the headers of all its pictures. Raises ``FootageError`` naming the first odd one."""
    pictures = Pictures([path]) if path.is_file() else find_pictures(path)
    files = pictures.files
    facts = read_facts(files[0])
    notes: dict[str, None] = dict.fromkeys(pictures.notes)
    for file in files:
        other = read_facts(file)
        notes |= dict.fromkeys(other.notes)
        if other.pictures > 1:
            raise FootageError(
                f"{show_path(file)} holds {other.pictures} pictures, a sequence has one in each file: save them one by one"
            )
        if (other.width, other.height) != (facts.width, facts.height):
            raise FootageError(
                f"{show_path(file)} is {other.width}x{other.height}, but the sequence begins with "
                f"{facts.width}x{facts.height}; all pictures must have one size"
            )
        if other.dtype != facts.dtype:
            raise FootageError(
                f"{show_path(file)} has {other.bits} bits a channel, but the sequence begins with {facts.bits}; "
                "all pictures must have one depth"
            )
    suffix = {"uint8": "24", "uint16": "48le", "float32": "f32le"}[facts.dtype]
    return FootageSpec(
        path=os.fspath(path),
        kind="sequence",
        width=facts.width,
        height=facts.height,
        dtype=facts.dtype,  # type: ignore[arg-type]
        bits=facts.bits,
        rate=rate,
        time_base=1 / rate,
        frames=len(files),
        codec=facts.kind,
        pixel_format="rgb" + suffix,
        has_alpha=facts.alpha,
        first_number=pictures.first,
        pixel_aspect=Fraction(facts.exr.pixel_aspect).limit_denominator(1000) if facts.exr else Fraction(1),
        headers=facts.exr is not None,
        notes=tuple(notes),
    )


def read_sequence(
    spec: FootageSpec, start: int, stop: int | None, size: tuple[int, int] | None
) -> Generator[Frame, None, None]:
    """Read the frames of a sequence, a few of them ahead by threads. Closing the iterator stops them."""
    path = Path(spec.path)
    files = [path] if path.is_file() else find_pictures(path).files
    wanted = range(start, min(len(files), len(files) if stop is None else stop))
    ahead = 3
    with ThreadPoolExecutor(2, thread_name_prefix="pictures") as pool:
        pending: dict[int, Future[Frame]] = {}
        try:
            for index in wanted:
                for soon in range(index, min(index + ahead, wanted.stop)):
                    if soon not in pending:
                        pending[soon] = pool.submit(_read, spec, files[soon], soon, size)
                yield pending.pop(index).result()
        finally:
            for job in pending.values():
                job.cancel()


def _read(spec: FootageSpec, file: Path, index: int, size: tuple[int, int] | None) -> Frame:
    picture, alpha = read_with_alpha(file)
    if picture.shape[:2] != (spec.height, spec.width) or str(picture.dtype) != spec.dtype:
        raise FootageError(
            f"{show_path(file)} changed while it was read: it is {picture.shape[1]}x{picture.shape[0]} now"
        )
    if size is not None:
        shrink = size[0] <= spec.width and size[1] <= spec.height
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR)
        return Frame(index, index, to_depth(small, "uint8"))
    return Frame(index, index, picture, alpha if spec.has_alpha else None)
