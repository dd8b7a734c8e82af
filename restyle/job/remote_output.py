"""A result elsewhere (``-o s3://bucket/out.mp4``): written on this machine, and sent when it is whole."""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex

from restyle.errors import OutputError, OutputExistsError, show_path, why
from restyle.files.cache import copy_name, hold
from restyle.files.remote import RemoteError, Report, Url, look_up, remove, require_usable, send, send_bytes
from restyle.footage.output import CONTAINERS

__all__ = ["RemoteOutput"]


class RemoteOutput:
    """One video file that is to lie elsewhere; ``path`` is where it is written here.

    Raises ``OutputError`` for what is no video file, or without room for it here; ``RecipeError``, ``MissingExtraError``.
    """

    def __init__(self, url: Url, *, offline: bool = False, report: Report = lambda doing: None) -> None:
        if url.suffix.lower() not in CONTAINERS:
            raise OutputError(
                f"{show_path(url)}: of results elsewhere only video files can be written ({' '.join(CONTAINERS)}); "
                "write pictures on this machine"
            )
        require_usable(url, offline=offline)
        self.url = url
        self._report = report
        self._copy = hold(copy_name(url, "result"), lambda folder: (folder / "result").mkdir(), report=report)
        self.path: Path = self._copy.folder / "result" / url.name

    def check(self, source: Path | Url, *, overwrite: bool) -> None:
        """Look, before any work, whether it can be written. What an earlier run left of it here is removed.

        Raises ``OutputExistsError``, ``OutputError``: it is the footage, or nothing can be written there.
        """
        if source == self.url:
            raise OutputError(f"{show_path(self.url)} is the footage itself; give the output another name")
        trial = self.url.with_name(f".restyle-{token_hex(8)}.part")
        try:
            if not overwrite and look_up(self.url) is not None:
                raise OutputExistsError(f"{show_path(self.url)} is there already; give another name, or --overwrite")
            send_bytes(trial, b"restyle looks whether it may write here\n")
            remove([trial])
            self.path.unlink(missing_ok=True)
        except RemoteError as error:
            raise self._trouble(error) from error

    def send(self) -> None:
        """Send it, whole. Raises ``OutputError``."""
        try:
            send([self.path], [self.url], self._report)
        except RemoteError as error:
            raise self._trouble(error) from error

    def _trouble(self, error: RemoteError) -> OutputError:
        return OutputError(f"cannot write {show_path(self.url)}: {why(error)}")
