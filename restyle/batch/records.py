"""Records of a batch: of each result what it was made from. They decide what a rerun does.

::

    OUT/batch.restyle/
      batch.json          marks the folder as a batch's
      lock                held (flock) by the process that works here
      records/KEY.json    one for each result: KEY is the digest of its name
      jobs/NAME/          the job folder of each result
      anchors/            paintings whose look groups of clips share
      pictures/           small pictures for the index
      index.html          what became of every clip
      log.jsonl           one line for each clip that ended, of all runs
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from interp.regular import require_regular
from restyle.batch.naming import OWN_FOLDER
from restyle.errors import JobError, JobLockedError, OutputError, show_path, why
from restyle.files.remote import Url
from restyle.files.writing import LockHeld, lock_file, sign_lock, write_file
from restyle.job.content import Content
from restyle.job.keys import digest

__all__ = ["LOG", "BatchFolder", "Record", "bytes_of", "table_in"]

FORMAT = 1
LOG = "log.jsonl"
LARGEST = 1 << 24  # bytes of a record that is read


@dataclass(frozen=True)
class Record:
    """Facts known of one result."""

    name: str
    """Of the result, within the output."""
    source: str
    recipe: str
    """Fingerprint of the recipe."""
    state: str = "begun"
    """``begun``, or ``done``: then all that follows is there."""
    footage: Content | None = None
    result: Content | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Frames, seconds and the like, for the summary and the index: plain JSON."""


class BatchFolder:
    """The batch's own folder in its output. Methods that write raise ``OutputError``."""

    def __init__(self, output: Path) -> None:
        self.output: Path | Url = output
        self.path = output / OWN_FOLDER
        """The folder; of an output elsewhere, one on this machine for what is read and written here."""

    @property
    def place(self) -> Path | Url:
        """The folder as a person knows it."""
        return self.output / OWN_FOLDER

    def job(self, name: str) -> Path | Url:
        """Name the job folder of a result."""
        return self.place / "jobs" / name

    def report_folder(self, name: str, facts: Mapping[str, Any]) -> Path:
        """Name the folder on this machine in which a result's report is to be read, if it has one. ``facts``: its record's."""
        return self.path / "jobs" / name

    @contextmanager
    def open(self) -> Iterator[None]:
        """Make the folder if it is not there, and hold it.

        Raises ``JobLockedError`` while another batch works into the same output, ``JobError`` if the folder is not a batch's.
        """
        shown = show_path(self.output)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not self._is_ours():
                raise JobError(f"{show_path(self.place)} holds other things than a batch: choose another output")
            handle = lock_file(self.path / "lock")
        except LockHeld as busy:
            raise self._busy(busy.owner) from None
        except OSError as error:
            raise OutputError(f"cannot write into {shown}: {why(error)}") from error
        try:
            sign_lock(handle)
            self.put("batch.json", {"made_by": "restyle", "format": FORMAT})
            for folder in ("records", "jobs", "anchors", "pictures"):
                (self.path / folder).mkdir(exist_ok=True)
            yield
        except OSError as error:
            raise OutputError(f"cannot write into {shown}: {why(error)}") from error
        finally:
            os.close(handle)

    def _busy(self, owner: str) -> JobLockedError:
        return JobLockedError(
            f"{owner} restyles a batch into {show_path(self.output)}: wait for it, or choose another output"
        )

    def _is_ours(self) -> bool:
        plain = self._table("batch.json")
        if plain.get("made_by") == "restyle":
            if plain.get("format") != FORMAT:
                raise JobError(
                    f"{show_path(self.place)} has format {plain.get('format')}, this restyle writes {FORMAT}: "
                    "choose another output"
                )
            return True
        return self._names() <= {"lock"}

    def _names(self) -> set[str]:
        return set(os.listdir(self.path))

    def _table(self, name: str) -> dict[str, Any]:
        """Read a table of JSON; an empty one if there is none, or none that can be read."""
        path = self.path / name
        try:
            if path.is_symlink():
                return {}
            require_regular(path, largest=LARGEST)
            return table_in(path.read_bytes())
        except OSError:
            return {}

    def require_held(self) -> None:
        """Raise ``JobLockedError`` if another batch works here by now."""

    def read(self, name: str) -> Record | None:
        """Read the record of a result; ``None`` if there is none, or none that can be read. Raises ``OutputError``."""
        plain = self._table(_record(name))
        try:
            contents = {key: Content(**plain[key]) if plain[key] else None for key in ("footage", "result")}
            record = Record(**{**plain, **contents})
        except (TypeError, KeyError):
            return None
        return record if record.name == name and isinstance(record.facts, dict) else None

    def write(self, record: Record) -> None:
        """Keep a record."""
        self.put(_record(record.name), asdict(record))

    def put(self, name: str, plain: Any) -> None:
        """Write one small file of JSON, in one step."""
        try:
            write_file(self.path / name, bytes_of(plain))
        except OSError as error:
            raise OutputError(f"cannot write {show_path(self.path / name)}: {why(error)}") from error

    def keep(self, *names: str) -> None:
        """Keep what was written at ``path`` where the folder is: files, and folders, which count when they are whole."""

    def make(self, folder: Path | Url) -> None:
        """Make a folder for results."""
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {show_path(folder)}: {why(error)}") from error

    def log(self, plain: Mapping[str, Any]) -> None:
        """Add a line to the log."""
        path = self.path / LOG
        try:
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
            with open(handle, "w") as file:
                file.write(json.dumps(plain) + "\n")
        except OSError as error:
            raise OutputError(f"cannot write {show_path(path)}: {why(error)}") from error


def _record(name: str) -> str:
    return f"records/{digest(name)}.json"


def bytes_of(plain: Any) -> bytes:
    """Write plain values as JSON."""
    return (json.dumps(plain, indent=1) + "\n").encode()


def table_in(data: bytes) -> dict[str, Any]:
    """Read a table of JSON; an empty one if that is none."""
    try:
        plain = json.loads(data)
        return plain if isinstance(plain, dict) else {}
    except (ValueError, RecursionError):
        return {}
