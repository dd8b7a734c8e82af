"""One shot's frames, read again and again in runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from restyle.footage.reading import Footage

__all__ = ["ShotPictures"]


class ShotPictures:
    """The frames ``start`` up to, not including, ``stop`` of a footage (``controls.types.Pictures``): frame 0 is ``start``.

    ``pts``: presentation times from an earlier look, as ``Footage.frames`` takes them. Every ``read`` seeks and decodes.
    """

    def __init__(self, footage: Footage, start: int, stop: int, pts: Sequence[int] | None = None) -> None:
        self._footage, self._start, self._stop, self._pts = footage, start, stop, pts

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._footage.spec.width, self._footage.spec.height

    def __len__(self) -> int:
        return self._stop - self._start

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """Decode frames ``start`` up to, not including, ``stop`` of the shot: H x W x 3 RGB. Raises ``FootageError``."""
        last = min(self._start + stop, self._stop)
        for frame in self._footage.frames(self._start + start, last, pts=self._pts):
            yield frame.picture
