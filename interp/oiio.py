"""OpenImageIO: picture files opened by it, whatever their names are made of, and its threads left out of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["first_line", "opened", "openimageio"]


@cache
def openimageio() -> Any:
    """The package, with its threads off: a process forked from this one would wait for them for ever."""
    import OpenImageIO

    OpenImageIO.attribute("threads", 1)
    OpenImageIO.attribute("exr_threads", -1)
    return OpenImageIO


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A picture file's ``ImageInput``, alpha as it is stored. Raises ``OSError``; ``ValueError`` with the package's reason."""
    oiio = openimageio()
    how = oiio.ImageSpec()
    how.attribute("oiio:UnassociatedAlpha", 1)
    with open(path, "rb") as file:
        # By its descriptor, for names that are no UTF-8, and for those in which the package would see a pattern or a query.
        file_input = oiio.ImageInput.open(f"/dev/fd/{file.fileno()}", how)
        if file_input is None:
            raise ValueError(first_line(oiio.geterror()))
        try:
            yield file_input
        finally:
            file_input.close()


def first_line(text: str) -> str:
    """The first of the package's lines about an error, without the descriptor's name."""
    line = (text.strip().splitlines() or ["no reason given"])[0]
    return line.rpartition("/dev/fd/")[2].partition(")")[2].lstrip(": ") if "/dev/fd/" in line else line
