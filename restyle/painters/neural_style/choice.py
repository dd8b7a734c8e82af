"""The styles that a person asks for by ``--style``: built-in ones, pictures, and blends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from restyle.errors import RecipeError, UnknownPartError
from restyle.painters.neural_style.styles import DEFAULT_STYLE, STYLES, Style
from restyle.painters.style_pictures import open_style_picture

__all__ = ["StyleChoice", "parse_style"]

_BY_NAME = {style.name: style for style in STYLES}
_PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif"}


@dataclass(frozen=True)
class StyleChoice:
    """The styles that ``--style`` names, with weights that add up to 1: built-in styles or pictures, never both."""

    builtin: tuple[tuple[Style, float], ...] = ()
    pictures: tuple[tuple[Path, float], ...] = ()

    @property
    def weights(self) -> list[float]:
        """One weight for each of the network's 26 styles."""
        weights = [0.0] * len(STYLES)
        for style, weight in self.builtin:
            weights[style.number] += weight
        return weights


def parse_style(text: str | None) -> StyleChoice:
    """Read ``--style``: a name, a picture's path, or a blend such as ``"mosaic:0.6,lava:0.4"`` (names, or pictures).

    Raises ``UnknownPartError`` for a name that is none (with the nearest), ``RecipeError`` for a picture that is missing or no
    picture, for a weight that is no positive number, and for names and pictures in one blend.
    """
    text = DEFAULT_STYLE if text is None else text
    if _exists(text):
        return StyleChoice(pictures=((_picture(text), 1.0),))
    parts = [_part(part) for part in text.split(",")]
    if not all(name for name, _ in parts):
        raise RecipeError(
            f"--style {text!r} names no style: give a name, a picture, or a blend such as mosaic:0.6,lava:0.4"
        )
    total = sum(weight for _, weight in parts)
    builtin = tuple((_BY_NAME[name], weight / total) for name, weight in parts if name in _BY_NAME)
    pictures = [(name, weight / total) for name, weight in parts if name not in _BY_NAME]
    if not pictures:
        return StyleChoice(builtin=builtin)
    for name, _ in pictures:
        if Path(name).suffix.lower() not in _PICTURES and "/" not in name and not _exists(name):
            raise UnknownPartError("style", name, [style.name for style in STYLES])
    if builtin:
        raise RecipeError(f"--style {text!r} blends a built-in style with a picture: blend names, or pictures")
    return StyleChoice(pictures=tuple((_picture(name), weight) for name, weight in pictures))


def _exists(name: str) -> bool:
    """Tell whether something of that name exists; a name that no file can have (empty, too long) does not."""
    try:
        return bool(name.strip()) and Path(name).exists()
    except (OSError, ValueError):
        return False


def _part(text: str) -> tuple[str, float]:
    name, colon, weight = text.strip().rpartition(":")
    if not colon:
        return text.strip(), 1.0
    try:
        number = float(weight)
    except ValueError:
        return text.strip(), 1.0
    if not 0 < number < float("inf"):
        raise RecipeError(f"--style {text.strip()!r}: a weight is a positive number, for example mosaic:0.6,lava:0.4")
    return name.strip(), number


def _picture(name: str) -> Path:
    """Check a style picture, and give its path: missing and corrupt pictures are told of before any work begins."""
    path = Path(name)
    open_style_picture(path)
    return path
