"""Footage that we rendered ourselves, with its exact truth: ``from samples import clip, load_truth``.

Two clips of two shots each, ``harbour`` and ``square`` (see README.md here).
"""

from __future__ import annotations

from pathlib import Path

from restyle.quality.truth import Truth, pack_plane, read_truth, unpack_plane

__all__ = ["CLIPS", "Truth", "clip", "load_truth", "pack_plane", "truth_folder", "unpack_plane"]

_HERE = Path(__file__).resolve().parent


CLIPS = ("harbour", "square")


def clip(name: str = "harbour") -> Path:
    """A sample clip: H.264 and AAC in mp4.

    Raises ``FileNotFoundError`` outside of a checkout and ``ValueError`` for another name.
    """
    path = _HERE / f"{_known(name)}.mp4"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path.name} is not beside {Path(__file__).name}: the samples come with a checkout of the repository"
        )
    return path


def truth_folder(name: str = "harbour") -> Path:
    """The folder of a clip's truth, as ``restyle measure --truth`` takes it. Raises ``ValueError`` for another name."""
    return _HERE / "truth" / _known(name)


def load_truth(name: str = "harbour") -> Truth:
    """Read the truth kept beside a clip: about a second, 80 MB.

    Raises ``ValueError`` for another name and ``RecipeError`` where there is none, or of a version that is not known.
    """
    return read_truth(truth_folder(name))


def _known(name: str) -> str:
    if name not in CLIPS:
        raise ValueError(f"no sample clip {name!r}; there are: {', '.join(CLIPS)}")
    return name
