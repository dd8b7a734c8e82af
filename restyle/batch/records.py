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
from restyle.files.writing import LockHeld, lock_file, sign_lock, write_file
from restyle.job.content import Content
from restyle.job.keys import digest

__all__ = ["BatchFolder", "Record"]

FORMAT = 1
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
        self.output = output
        self.path = output / OWN_FOLDER

    def job(self, name: str) -> Path:
        """Name the job folder of a result."""
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
                raise JobError(f"{show_path(self.path)} holds other things than a batch: choose another output")
            handle = lock_file(self.path / "lock")
        except LockHeld as busy:
            raise JobLockedError(
                f"{busy.owner} restyles a batch into {shown}: wait for it, or choose another output"
            ) from None
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

    def _is_ours(self) -> bool:
        plain = _read(self.path / "batch.json")
        if plain.get("made_by") == "restyle":
            if plain.get("format") != FORMAT:
                raise JobError(
                    f"{show_path(self.path)} has format {plain.get('format')}, this restyle writes {FORMAT}: "
                    "choose another output"
                )
            return True
        return os.listdir(self.path) in ([], ["lock"])

    def read(self, name: str) -> Record | None:
        """Read the record of a result; ``None`` if there is none, or none that can be read."""
        plain = _read(self._record(name))
        try:
            contents = {key: Content(**plain[key]) if plain[key] else None for key in ("footage", "result")}
            record = Record(**{**plain, **contents})
        except (TypeError, KeyError):
            return None
        return record if record.name == name and isinstance(record.facts, dict) else None

    def write(self, record: Record) -> None:
        """Keep a record."""
        self.put(f"records/{self._record(record.name).name}", asdict(record))

    def records(self) -> Iterator[Record]:
        """Read all records, in no order."""
        for name in os.listdir(self.path / "records"):
            plain = _read(self.path / "records" / name)
            record = self.read(str(plain.get("name")))
            if record is not None:
                yield record

    def put(self, name: str, plain: Any) -> None:
        """Write one small file of JSON, in one step."""
        try:
            write_file(self.path / name, (json.dumps(plain, indent=1) + "\n").encode())
        except OSError as error:
            raise OutputError(f"cannot write {show_path(self.path / name)}: {why(error)}") from error

    def make(self, folder: Path) -> None:
        """Make a folder for results."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {show_path(folder)}: {why(error)}") from error

    def log(self, plain: Mapping[str, Any]) -> None:
        """Add a line to the log."""
        path = self.path / "log.jsonl"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
            with open(handle, "w") as file:
                file.write(json.dumps(plain) + "\n")
        except OSError as error:
            raise OutputError(f"cannot write {show_path(path)}: {why(error)}") from error

    def _record(self, name: str) -> Path:
        return self.path / "records" / f"{digest(name)}.json"


def _read(path: Path) -> dict[str, Any]:
    """Read a table of JSON; an empty one if there is none."""
    try:
        if path.is_symlink():
            return {}
        require_regular(path, largest=LARGEST)
        plain = json.loads(path.read_bytes())
        return plain if isinstance(plain, dict) else {}
    except (OSError, ValueError, RecursionError):
        return {}
