"""Everything that restyle raises on purpose.

::

    RestyleError                  one line for a person: what, which file, what to do
    ├── RecipeError               the recipe or an option cannot be used as it stands       (exit 2)
    │   └── UnknownPartError      no painter, filler or style has that name
    ├── FootageError              footage cannot be read                                    (exit 3)
    ├── OutputError               the result cannot be written                              (exit 4)
    │   ├── OutputExistsError     it is there already, and --overwrite was not given
    │   └── OutputLockedError     somebody else is writing it at this moment
    ├── JobError                  the job folder cannot be used                             (exit 5)
    │   └── JobLockedError        another process works in it
    ├── MissingExtraError         an optional package is not installed                      (exit 6)
    ├── MissingModelError         weights are not where they were looked for                (exit 6)
    └── PartError                 a part failed, or gave something else than agreed         (exit 7)
        └── PainterError          a painter did

    Cancelled                     somebody asked to stop; the job can be resumed            (exit 130)
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from interp.errors import (
    InterpError,
    MissingLibraryError,
    MissingPackageError,
    MissingWeightsError,
    UnknownNameError,
    unknown,
)

__all__ = [
    "Cancelled",
    "FootageError",
    "JobError",
    "JobLockedError",
    "MissingExtraError",
    "MissingModelError",
    "OutputError",
    "OutputExistsError",
    "OutputLockedError",
    "PainterError",
    "PartError",
    "RecipeError",
    "RestyleError",
    "UnknownPartError",
    "lacks_memory",
    "show_path",
    "translated",
    "why",
]


class RestyleError(Exception):
    """Base of the tree. ``str(error)`` is one line: what happened, to which file, and what to do."""

    exit_code = 1


class RecipeError(RestyleError):
    """The recipe or an option cannot be used as it stands."""

    exit_code = 2


class UnknownPartError(RecipeError):
    """No part (painter, filler, style ...) has that name; the message lists those that exist."""

    def __init__(self, kind: str, name: str, known: Sequence[str]) -> None:
        super().__init__(unknown(kind, name, known))
        self.kind, self.name, self.known = kind, name, tuple(known)


class FootageError(RestyleError):
    """Footage cannot be read: missing, unreadable, truncated, of no known kind."""

    exit_code = 3


class OutputError(RestyleError):
    """The result cannot be written: disk full, no such folder, no such codec."""

    exit_code = 4


class OutputExistsError(OutputError):
    """The output is there already, and nobody said that it may be overwritten."""


class OutputLockedError(OutputError):
    """Somebody else is writing the output at this moment."""


class JobError(RestyleError):
    """The job folder cannot be used."""

    exit_code = 5


class JobLockedError(JobError):
    """Another process works in the job folder."""


class MissingExtraError(RestyleError):
    """An optional package is not installed; the message holds the line that installs it."""

    exit_code = 6

    def __init__(self, what: str, extra: str, package: str | None = None) -> None:
        wanted = f"'restyle[{extra}]'" if package is None else package
        super().__init__(f"{what} needs a package that is not installed: pip install {wanted}")
        self.extra = extra


class MissingModelError(RestyleError):
    """Weights are not where they were looked for."""

    exit_code = 6


class PartError(RestyleError):
    """A part (filler, masker, detector, interpolator) failed, or gave something else than agreed; the message names it."""

    exit_code = 7


class PainterError(PartError):
    """A painter failed on a picture."""


class Cancelled(BaseException):
    """Somebody asked to stop. What is finished is kept; the same command goes on from there.

    As ``KeyboardInterrupt``, it is no ``Exception``: nobody who handles errors should take it for one.
    """

    exit_code = 130


@contextmanager
def translated(where: str = "", *, errors: type[ValueError] = InterpError) -> Iterator[None]:
    """Turn what ``interp`` and ``controls`` raise, who know nothing of the engine, into errors of this tree.

    ``where``: added to the line (``" (shot 3, from frame 48)"``). ``errors``: those that hold such a line for a person.
    Raises ``UnknownPartError``, ``MissingExtraError``, ``MissingModelError``, ``RecipeError``.
    """
    try:
        yield
    except UnknownNameError as error:
        raise UnknownPartError(error.kind, error.name, error.known) from error
    except MissingPackageError as error:
        raise MissingExtraError(error.what, error.extra) from error
    except (MissingWeightsError, MissingLibraryError) as error:
        raise MissingModelError(str(error)) from error
    except errors as error:
        raise RecipeError(f"{error}{where}") from error


def show_path(path: str | os.PathLike[str]) -> str:
    """Write a path as it may stand in a one-line message: quoted, with control characters escaped."""
    text = os.fspath(path)
    return "'" + "".join(c if c.isprintable() else repr(c)[1:-1] for c in text) + "'"


# Libraries have errors of their own for it, whose classes are not to be imported here: OpenCV, onnxruntime, PyTorch, C++.
_NO_MEMORY = re.compile(
    r"insufficient memory|out of memory|bad_?alloc|failed to allocate|cannot allocate memory", re.IGNORECASE
)


def lacks_memory(error: BaseException) -> bool:
    """Tell whether an error, of whatever library, says that there is not enough memory."""
    if isinstance(error, (OSError, RestyleError)):  # a file's name may stand in those
        return getattr(error, "errno", None) == errno.ENOMEM
    return isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)) is not None


def why(error: BaseException) -> str:
    """Extract the reason from an operating-system or library error, as a few words on one line."""
    if lacks_memory(error):
        return "not enough memory; close other programs, or take smaller pictures"
    code = getattr(error, "errno", None)
    if isinstance(error, OSError) and code == errno.ENOSPC:
        return "no space left on the device; free some, or choose another folder"
    if isinstance(error, OSError) and isinstance(code, int) and code > 0:
        return os.strerror(code).lower()
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:197] + "..."
