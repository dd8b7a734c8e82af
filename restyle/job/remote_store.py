"""A job folder elsewhere (``s3://bucket/jobs/a``): worked on in a copy on this machine, and kept there thing by thing.

It lies there as it would on a disk. What is finished is a folder of files that never change, under the key of all that decided
it, so it needs no locking: its list of files, with their digests, is sent last, and what has none is not there. Whoever works
on the job, on whatever machine, fetches what others finished, checks it against that list, and sends what it finishes itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from secrets import token_hex

from restyle.errors import JobError, OutputError, show_path, why
from restyle.files.cache import copy_name, copy_path, hold
from restyle.files.owned import LARGEST_LIST, LIST_NAME, OwnFiles
from restyle.files.remote import (
    RemoteChangedError,
    RemoteError,
    RemoteFile,
    RemoteMissingError,
    Report,
    Url,
    fetch,
    files_below,
    names_in,
    read_bytes,
    remove,
    require_usable,
    send,
)
from restyle.files.writing import discard
from restyle.job.store import FORMAT, KEPT, KEY, KINDS, JobStore, begin_folder, format_in

__all__ = ["RemoteStore", "local_folder", "open_store"]

JOB = "job"


def open_store(
    folder: Path | Url,
    *,
    fresh: bool = False,
    shared: bool = False,
    unchanged: Callable[[], None] = lambda: None,
    offline: bool = False,
    report: Report = lambda doing: None,
) -> JobStore:
    """Make the store of a job folder, here or elsewhere. Raises what ``RemoteStore`` raises."""
    if isinstance(folder, Url):
        return RemoteStore(folder, fresh=fresh, shared=shared, unchanged=unchanged, offline=offline, report=report)
    return JobStore(folder, fresh=fresh, shared=shared, unchanged=unchanged)


def local_folder(folder: Path | Url) -> Path:
    """Name the job folder on this machine: itself, or the copy that is worked on."""
    return copy_path(copy_name(folder)) / JOB if isinstance(folder, Url) else folder


class RemoteStore(JobStore):
    """One job folder elsewhere. ``report`` is called while things are fetched and sent, and may raise.

    Two jobs that work on one such folder at once, from two machines, do not see each other, and need not: what both make under
    one key is the same. The one that ends last removes what its recipe does not use, and the other then makes it again.
    Raises what ``JobStore`` raises; ``OutputError`` if what is elsewhere cannot be reached, or there is no room for the copy;
    ``RecipeError`` if the address cannot be used, ``MissingExtraError``.
    """

    def __init__(
        self,
        url: Url,
        *,
        fresh: bool = False,
        shared: bool = False,
        unchanged: Callable[[], None] = lambda: None,
        offline: bool = False,
        report: Report = lambda doing: None,
    ) -> None:
        require_usable(url, offline=offline)
        self._copy = hold(copy_name(url), lambda folder: begin_folder(folder / JOB), report=report)
        super().__init__(self._copy.folder / JOB, fresh=fresh, shared=shared, unchanged=unchanged)
        self.place = url
        self._url = url
        self._report = report
        self._kept: set[tuple[str, str]] = set()  # things that are known to be there
        self._listed: dict[str, set[str]] = {}

    def __enter__(self) -> RemoteStore:
        with self._reaching():
            format_number = self._format_there()
            if self._shared:
                if format_number != FORMAT:
                    raise JobError(f"{show_path(self._url)} is no job folder that was begun: it went away")
                super().__enter__()
                return self
            if format_number is not None and format_number > FORMAT:
                raise JobError(
                    f"{show_path(self._url)} has format {format_number}, this restyle writes {FORMAT}: use another --job"
                )
            super().__enter__()
            try:
                if self._fresh or (format_number or FORMAT) < FORMAT:
                    self._prune_there(dict.fromkeys((*KINDS, *KEPT), ()))
                if format_number != FORMAT:
                    self.publish("job.json")
            except BaseException:
                self.close()
                raise
        return self

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except RemoteError as error:
            raise OutputError(f"cannot use the job folder {show_path(self._url)}: {why(error)}") from error

    def _format_there(self) -> int | None:
        """The format of what is there; ``None`` if nothing is. Raises ``JobError`` for what is no job folder."""
        data = read_bytes(self._url / "job.json", largest=10_000)
        format_number = None if data is None else format_in(data)
        if format_number is None and not self._shared and _anything_in(self._url):
            raise JobError(f"{show_path(self._url)} holds other things than a job; choose an empty folder with --job")
        return format_number

    # Finished things

    def has(self, kind: str, key: str) -> bool:
        """Tell whether a thing is finished and whole, here or there; then it is here."""
        if super().has(kind, key):
            with self._reaching():
                if (kind, key) not in self._kept and not self._is_kept(kind, key):
                    self._send(kind, key)  # it was finished, and its sending broken off
                self._kept.add((kind, key))
            return True
        with self._reaching():
            return self._is_kept(kind, key) and self._fetch(kind, key)

    def lists(self, kind: str, key: str) -> bool:
        """See ``JobStore.lists``. Nothing is fetched."""
        with self._reaching():
            return super().has(kind, key) or self._is_kept(kind, key)

    def _is_kept(self, kind: str, key: str) -> bool:
        if self._shared:  # others add to it
            return read_bytes(self._url / kind / key / LIST_NAME, largest=LARGEST_LIST) is not None
        if kind not in self._listed:
            paths = map(PurePosixPath, files_below(self._url / kind))
            self._listed[kind] = {path.parts[0] for path in paths if path.parts[1:] == (LIST_NAME,)}
        return key in self._listed[kind]

    def _fetch(self, kind: str, key: str) -> bool:
        """Fetch a thing, and check it. What is damaged there is taken away, and noted."""
        folder = self.folder / "work" / f"{kind}-{key}-{token_hex(8)}"
        folder.mkdir()
        try:
            if self._fetched_whole(folder, self._url / kind / key, f"{kind}/{key}"):
                super()._finish(folder, kind, key)
                self._kept.add((kind, key))
                return True
        except RemoteMissingError:  # somebody takes it away at this moment
            pass
        finally:
            discard(folder)
        self.damaged.append(kind)
        self._remove_there(kind, key)
        return False

    def _fetched_whole(self, folder: Path, url: Url, command: str) -> bool:
        data = read_bytes(url / LIST_NAME, largest=LARGEST_LIST)
        if data is None:
            return False
        (folder / LIST_NAME).write_bytes(data)
        own = OwnFiles.read(folder)
        if own is None or own.command != command or not all(map(_is_inside, own.files)):
            return False
        files, targets = [], []
        for name, facts in own.files.items():
            files.append(RemoteFile(url / name, facts[0][0], ""))
            targets.append(folder / name)
            targets[-1].parent.mkdir(parents=True, exist_ok=True)
        try:
            fetch(files, targets, self._report)
        except RemoteChangedError:
            return False
        return own.intact(folder)

    def _finish(self, folder: Path, kind: str, key: str) -> None:
        super()._finish(folder, kind, key)
        with self._reaching():
            self._send(kind, key)

    def _send(self, kind: str, key: str) -> None:
        folder, url = self.path(kind, key), self._url / kind / key
        own = OwnFiles.read(folder)
        if own is None:
            raise JobError(f"{show_path(folder)} was damaged meanwhile: run the same command again")
        send([folder / name for name in own.files], [url / name for name in own.files], self._report)
        send([folder / LIST_NAME], [url / LIST_NAME])
        self._kept.add((kind, key))

    @contextmanager
    def reading(self, kind: str, key: str) -> Iterator[Path]:
        """See ``JobStore.reading``. What cannot be read is taken away there, too."""
        try:
            with super().reading(kind, key) as folder:
                yield folder
        except JobError:
            if not self.path(kind, key).exists():
                with self._reaching():
                    self._remove_there(kind, key)
            raise

    # What lies at the top, and what is given up

    def put_text(self, name: str, text: str) -> None:
        """See ``JobStore.put_text``."""
        super().put_text(name, text)
        self.publish(name)

    def drop_text(self, name: str) -> None:
        """See ``JobStore.drop_text``."""
        super().drop_text(name)
        with self._reaching():
            remove([self._url / name])

    def publish(self, *names: str) -> None:
        """See ``JobStore.publish``."""
        with self._reaching():
            send([self.folder / name for name in names], [self._url / name for name in names], self._report)

    def prune(self, keep: Mapping[str, Collection[str]]) -> None:
        """See ``JobStore.prune``."""
        super().prune(keep)
        with self._reaching():
            self._prune_there(keep)

    def _prune_there(self, keep: Mapping[str, Collection[str]]) -> None:
        for kind, keys in keep.items():
            there = {PurePosixPath(name).parts[0] for name in files_below(self._url / kind)}
            for key in sorted(there - set(keys)):
                if KEY.fullmatch(key):
                    self._remove_there(kind, key)

    def _remove_there(self, kind: str, key: str) -> None:
        """Remove a thing there, its list first: half removed, it is not there."""
        self._kept.discard((kind, key))
        self._listed.get(kind, set()).discard(key)
        url = self._url / kind / key
        remove([url / LIST_NAME])
        remove(url / name for name in files_below(url))


def _anything_in(url: Url) -> bool:
    """Tell whether anything lies in a folder elsewhere."""
    try:
        return bool(names_in(url))
    except RemoteMissingError:
        return False


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and re.search(r"[\x00-\x1f]", name) is None
