"""A batch's own folder elsewhere (``s3://bucket/out/batch.restyle``), laid out as on a disk.

Records are read and written there, one by one. What many clips share (log, index, anchors) is worked on in a folder of this
machine's cache, and kept there. Results and job folders go there by themselves, from whoever works on them: see
``job.remote_output`` and ``job.remote_store``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from restyle.batch.naming import OWN_FOLDER
from restyle.batch.records import LARGEST, LOG, BatchFolder, bytes_of, table_in
from restyle.errors import JobLockedError, OutputError, show_path, why
from restyle.files.cache import copy_name, copy_path, hold
from restyle.files.lease import Lease, LeaseHeld, leased
from restyle.files.owned import LIST_NAME
from restyle.files.remote import (
    RemoteError,
    RemoteFile,
    RemoteMissingError,
    Url,
    fetch,
    files_below,
    names_in,
    read_bytes,
    require_usable,
    send,
    send_bytes,
)
from restyle.files.writing import discard, write_file
from restyle.job.keys import digest
from restyle.quality.stored_report import AFTER, BEFORE, NAME, POSTER, moment_name

__all__ = ["RemoteBatchFolder", "batch_folder"]

LARGEST_LOG = 1 << 32  # bytes
SHOWN = (LIST_NAME, POSTER, BEFORE, AFTER, moment_name(1, "source"), moment_name(1, "result"))
"""What the index shows of a report's pictures."""


def batch_folder(output: Path | Url, *, offline: bool = False) -> BatchFolder:
    """Make the own folder of a batch's output, here or elsewhere. Raises what ``RemoteBatchFolder`` raises."""
    return RemoteBatchFolder(output, offline=offline) if isinstance(output, Url) else BatchFolder(output)


class RemoteBatchFolder(BatchFolder):
    """See ``BatchFolder``. Every method raises ``OutputError`` for what is elsewhere and cannot be reached.

    Raises ``RecipeError``, ``MissingExtraError`` for an address that cannot be used.
    """

    def __init__(self, url: Url, *, offline: bool = False) -> None:
        require_usable(url, offline=offline)
        self._copy = copy_name(url, "batch")
        super().__init__(copy_path(self._copy))
        self.output = url
        self._url = url / OWN_FOLDER
        self._lease: Lease | None = None

    @contextmanager
    def open(self) -> Iterator[None]:
        """See ``BatchFolder.open``; it holds all machines off."""
        held = hold(self._copy, lambda folder: None)
        assert held.folder == self.path.parent  # kept while this is open
        with super().open(), self._leased():
            self._fetch_log()
            self._fetch_anchors()
            try:
                yield
            finally:
                with suppress(OutputError, JobLockedError):  # of which each is told already
                    self.keep(LOG)

    @contextmanager
    def _leased(self) -> Iterator[None]:
        try:
            with leased(self._url / "lock", self.path / "lease") as self._lease:
                yield
        except LeaseHeld as busy:
            raise self._busy(busy.owner) from None
        finally:
            self._lease = None

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except RemoteError as error:
            raise OutputError(f"cannot use {show_path(self.place)}: {why(error)}") from error

    def require_held(self) -> None:
        """See ``BatchFolder.require_held``."""
        if self._lease is not None and self._lease.lost:
            raise self._busy(self._lease.lost)

    def _names(self) -> set[str]:
        try:
            return {file.url.name for file in names_in(self._url)}
        except RemoteMissingError:
            return set()

    def _table(self, name: str) -> dict[str, Any]:
        with self._reaching():
            data = read_bytes(self._url / name, largest=LARGEST)
        return {} if data is None else table_in(data)

    def put(self, name: str, plain: Any) -> None:
        """See ``BatchFolder.put``."""
        self.require_held()
        with self._reaching():
            send_bytes(self._url / name, bytes_of(plain))

    def make(self, folder: Path | Url) -> None:
        """See ``BatchFolder.make``: elsewhere, folders are there with what lies in them."""

    def keep(self, *names: str) -> None:
        """See ``BatchFolder.keep``."""
        self.require_held()
        with self._reaching():
            for name in names:
                path, url = self.path / name, self._url / name
                if path.is_file():
                    send([path], [url])
                    continue
                files = [file.name for file in path.iterdir() if file.name != LIST_NAME]
                send([path / file for file in files], [url / file for file in files])
                send([path / LIST_NAME], [url / LIST_NAME])  # it counts from then on

    def _fetch_log(self) -> None:
        """Take over the log, and send what a run that was killed here had not sent yet."""
        path = self.path / LOG
        there = read_bytes(self._url / LOG, largest=LARGEST_LOG)
        here = path.read_bytes() if there is not None and path.is_file() else b""  # else of a batch that was removed
        write_file(path, b"".join(dict.fromkeys((there or b"").splitlines(True) + here.splitlines(True))))
        self.keep(LOG)

    def _fetch_anchors(self) -> None:
        """Take over the anchors as they are there: somebody may have painted over one, or removed it."""
        discard(self.path / "anchors")
        (self.path / "anchors").mkdir()
        there = files_below(self._url / "anchors")
        whole = {path: file for path, file in there.items() if f"{PurePosixPath(path).parent}/{LIST_NAME}" in there}
        self._fetch(whole, self.path / "anchors")

    def report_folder(self, name: str, facts: Mapping[str, Any]) -> Path:
        """See ``BatchFolder.report_folder``. What the index shows is fetched, once for each time that a clip was done."""
        folder, url = self.path / "jobs" / name, self._url / "jobs" / name
        mark = folder / "of"
        if mark.is_file() and mark.read_text() == digest(dict(facts)):
            return folder
        discard(folder)
        with self._reaching(), suppress(RemoteMissingError):  # somebody took it away
            pictures = files_below(url / "pictures")
            wanted = {f"pictures/{path}": file for path, file in pictures.items() if file.url.name in SHOWN}
            wanted |= {file.url.name: file for file in names_in(url) if file.url.name == NAME}
            self._fetch(wanted if facts.get("report") else {}, folder)
            mark.write_text(digest(dict(facts)))
        return folder

    def _fetch(self, files: Mapping[str, RemoteFile], folder: Path) -> None:
        targets = [folder / path for path in files]
        for target in [folder / "any", *targets]:
            target.parent.mkdir(parents=True, exist_ok=True)
        fetch([*files.values()], targets)
