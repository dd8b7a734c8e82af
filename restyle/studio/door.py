"""The door of a studio: the address at which it listens. It is there before all that stands behind it is imported, which takes
most of the time until a page is shown: the browser starts meanwhile, and what it asks for waits."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

from restyle.errors import FootageError, OutputError, show_path, why
from restyle.footage.numbering import is_pattern

__all__ = ["Door"]


class Door:
    """A socket of this machine alone, and the token that opens.

    ``source``: the clip or folder that is to be shown; ``port``: 0 takes a free one. Raises ``FootageError`` if there is
    nothing at ``source``, ``OutputError`` if the port is taken.
    """

    def __init__(self, source: Path, *, port: int = 0) -> None:
        if not source.exists() and not is_pattern(source):
            raise FootageError(f"there is no file or folder {show_path(source.absolute())}")
        self.source = source
        self.token = secrets.token_urlsafe(24)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.socket.bind(("127.0.0.1", port))
            self.socket.listen(128)
        except OSError as error:
            self.socket.close()
            raise OutputError(f"cannot serve at port {port}: {why(error)}; choose another with --port") from error
        self.port = int(self.socket.getsockname()[1])

    @property
    def address(self) -> str:
        """Address of the page."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"
