"""A result elsewhere (``-o s3://bucket/out.mp4``): written on this machine, and sent when it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from restyle.errors import OutputError, OutputExistsError, show_path, why
from restyle.files.cache import copy_name, hold
from restyle.files.owned import LARGEST_LIST, LIST_NAME, OwnFiles
from restyle.files.remote import (
    RemoteError,
    RemoteFile,
    Report,
    Url,
    look_up,
    read_bytes,
    remove,
    require_usable,
    send,
    send_bytes,
)
from restyle.files.writing import discard
from restyle.footage.output import CONTAINERS
from restyle.footage.staging import is_remote_pattern, pictures_of_pattern

__all__ = ["RemoteOutput"]


class RemoteOutput:
    """A video file, or the numbered pictures of a pattern, that are to lie elsewhere; ``path`` is where they are written here.

    Raises ``OutputError`` for what is neither, or without room for it here; ``RecipeError``, ``MissingExtraError``.
    """

    def __init__(self, url: Url, *, offline: bool = False, report: Report = lambda doing: None) -> None:
        self._pictures = is_remote_pattern(url)
        if not self._pictures and url.suffix.lower() not in CONTAINERS:
            raise OutputError(
                f"{show_path(url)}: results elsewhere are video files ({' '.join(CONTAINERS)}) and numbered pictures "
                "(frame.%04d.png): name one of them"
            )
        require_usable(url, offline=offline)
        self.url = url
        self._report = report
        self._copy = hold(copy_name(url, "result"), lambda folder: (folder / "result").mkdir(), report=report)
        folder = self._copy.folder / "result"
        self.path: Path = folder / "pictures" / url.name if self._pictures else folder / url.name

    def check(self, source: Path | Url, *, overwrite: bool) -> None:
        """Look, before any work, whether it can be written. What an earlier run left of it here is removed.

        Raises ``OutputExistsError``, ``OutputError``: it is the footage, pictures that restyle did not write are in the way, or
        nothing can be written there.
        """
        if source == self.url:
            raise OutputError(f"{show_path(self.url)} is the footage itself; give the output another name")
        trial = self.url.with_name(f".restyle-{token_hex(8)}.part")
        with self._writing():
            there = self._there()
            if there and not overwrite:
                raise OutputExistsError(
                    f"{show_path(there[0].url)} is there already; give another name, or --overwrite"
                )
            if self._pictures:
                self._refuse_foreign_pictures(there)
            send_bytes(trial, b"restyle looks whether it may write here\n")
            remove([trial])
        self.discard()

    def _there(self) -> list[RemoteFile]:
        """Look at what lies under its name, or names."""
        if self._pictures:
            return pictures_of_pattern(self.url)
        found = look_up(self.url)
        return [] if found is None else [found]

    def _refuse_foreign_pictures(self, there: list[RemoteFile]) -> None:
        """Raise ``OutputError`` for pictures that restyle did not write, by the list of their names and sizes: to take digests
        of them, all would have to be fetched."""
        own = self._list_there()
        for file in there:
            known = () if own is None else own.files.get(file.url.name, ())
            if file.size not in [size for size, _ in known]:
                raise OutputError(
                    f"{show_path(file.url)} was not written by restyle, or was changed since: move it away, or write into "
                    "another folder"
                )

    def _list_there(self) -> OwnFiles | None:
        data = read_bytes(self.url.parent / LIST_NAME, largest=LARGEST_LIST)
        return None if data is None else OwnFiles.parse(data)

    def send(self) -> None:
        """Send it: a video file, whole; pictures one by one, behind a list of them that tells them for ours.

        Raises ``OutputError``."""
        with self._writing():
            if self._pictures:
                self._send_pictures()
            else:
                send([self.path], [self.url], self._report)

    def _send_pictures(self) -> None:
        new = OwnFiles.read(self.path.parent)
        if new is None:
            raise OutputError(f"{show_path(self.path.parent)} was damaged meanwhile: run the same command again")
        list_url = self.url.parent / LIST_NAME
        old = self._list_there() or OwnFiles("run", {})
        send_bytes(list_url, old.joined(new).to_text().encode())  # a kill leaves some old, some new
        send([self.path.with_name(name) for name in new.files], list(map(self.url.with_name, new.files)), self._report)
        send_bytes(list_url, old.replaced(new).to_text().encode())

    def discard(self) -> None:
        """Remove what of it lies here."""
        discard(self.path.parent if self._pictures else self.path)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except RemoteError as error:
            raise OutputError(f"cannot write {show_path(self.url)}: {why(error)}") from error
