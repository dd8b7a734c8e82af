"""The built-in styles by name, and what ``--style`` may say. Loads nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interp.regular import require_regular
from restyle.errors import RecipeError, UnknownPartError, show_path, why

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["DEFAULT_STYLE", "STYLES", "Style", "StyleChoice", "open_style_picture", "parse_style"]

LARGEST_PICTURE = 1 << 30  # bytes of its file
MOST_PIXELS = 80_000_000


@dataclass(frozen=True)
class Style:
    """One of the styles that the embedded network was trained on; ``number`` is its place in the network."""

    name: str
    number: int
    description: str


STYLES = (
    Style("honey-wash", 0, "warm watercolour: honey light, pale blue shade"),
    Style("leaded-glass", 1, "yellow panes in thick black leading"),
    Style("charcoal-dusk", 2, "charcoal hatching with a breath of peach"),
    Style("electric-tangle", 3, "a near-abstract tangle of electric colour"),
    Style("crimson-poster", 4, "crimson shade against apricot and sky blue"),
    Style("autumn-oil", 5, "thick autumn oils, rust and slate"),
    Style("indigo-dots", 6, "deep indigo, scattered with dots"),
    Style("night-gouache", 7, "gouache at night: lamp yellow, black and cobalt"),
    Style("candy-sketch", 8, "magenta, teal and lemon over white paper"),
    Style("camellia", 9, "rose petals and white pebbles on dark slate"),
    Style("terracotta", 10, "burnt terracotta under low evening light"),
    Style("woodcut-gold", 11, "brown woodcut lines on gold and ivory"),
    Style("impressionist", 12, "loose dabs of lilac and straw yellow"),
    Style("pop-canvas", 13, "acid green, teal and brick on coarse canvas"),
    Style("winter-ink", 14, "ink on frost: pale blues, a hint of rose"),
    Style("cracked-porcelain", 15, "pastel porcelain with fine dark cracks"),
    Style("wax-crayon", 16, "slanting crayon strokes, blue and ochre"),
    Style("tapestry", 17, "woven brick red, orange and blue; near-abstract"),
    Style("sand-relief", 18, "carved sandstone in ochre and brown"),
    Style("starry-swirl", 19, "swirling blue and gold brushwork"),
    Style("lava", 20, "glowing red over black, embers of blue"),
    Style("paper-cut", 21, "flat cut paper: coral, sky blue and black"),
    Style("red-ink", 22, "heavy black brush, grey ground, splashes of red"),
    Style("old-master", 23, "soft dark landscape under a luminous sky"),
    Style("ukiyo-wave", 24, "navy and cream like a printed wave"),
    Style("mosaic", 25, "chips of slate, rust and gold"),
)

DEFAULT_STYLE = "starry-swirl"

_BY_NAME = {style.name: style for style in STYLES}
_PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif"}


@dataclass(frozen=True)
class StyleChoice:
    """What ``--style`` came to: weights that add up to 1, of built-in styles or of pictures, never of both."""

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
    if _is_there(text):
        return StyleChoice(pictures=((_picture(text), 1.0),))
    parts = [_part(part) for part in text.split(",")]
    if not all(name for name, _ in parts):
        raise RecipeError(
            f"--style {text!r} names no style: give a name, a picture, or a blend such as mosaic:0.6,lava:0.4"
        )
    total = sum(weight for _, weight in parts)
    named = tuple((_BY_NAME[name], weight / total) for name, weight in parts if name in _BY_NAME)
    others = [(name, weight / total) for name, weight in parts if name not in _BY_NAME]
    if not others:
        return StyleChoice(builtin=named)
    for name, _ in others:
        if Path(name).suffix.lower() not in _PICTURES and "/" not in name and not _is_there(name):
            raise UnknownPartError("style", name, [style.name for style in STYLES])
    if named:
        raise RecipeError(f"--style {text!r} blends a built-in style with a picture: blend names, or pictures")
    return StyleChoice(pictures=tuple((_picture(name), weight) for name, weight in others))


def _is_there(name: str) -> bool:
    """Whether something of that name exists; a name that no file can have (empty, too long) does not."""
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
    """The path, after a look at the file: missing and corrupt pictures are told before any work begins."""
    path = Path(name)
    open_style_picture(path)
    return path


def open_style_picture(path: Path) -> Image.Image:
    """A style picture: RGBA, upright. Raises ``RecipeError``, one line that names it."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    from restyle.footage.formats import format_of

    try:
        require_regular(path, largest=LARGEST_PICTURE)
        with open(path, "rb") as file:
            kind = format_of(file.read(16))
        if kind is not None:
            return _still(path)
        with Image.open(path) as opened:
            _check(opened.width, opened.height)
            if (count := getattr(opened, "n_frames", 1)) > 1:
                raise ValueError(f"it holds {count} pictures, one is needed")
            return ImageOps.exif_transpose(opened).convert("RGBA")
    except FileNotFoundError:
        raise RecipeError(f"style picture {show_path(path)} is not there: check the path") from None
    except Exception as error:  # Pillow raises many kinds for a corrupt file
        reason = "it is no picture" if isinstance(error, UnidentifiedImageError) else why(error)
        raise RecipeError(f"style picture {show_path(path)} cannot be read ({reason}): save it anew") from None


def _still(path: Path) -> Image.Image:
    """A picture of the kinds that footage is made of, whatever its depth: Pillow would clip 16-bit grey, and knows no EXR."""
    import numpy as np
    from PIL import Image

    from restyle.footage.colour import to_depth
    from restyle.footage.stills import read_facts, read_with_alpha

    facts = read_facts(path)
    _check(facts.width, facts.height)
    picture, alpha = read_with_alpha(path)
    clear = np.full(picture.shape[:2], 255, np.uint8) if alpha is None else to_depth(alpha, "uint8", linear=False)
    return Image.fromarray(np.dstack([to_depth(picture, "uint8"), clear]))


def _check(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise ValueError(f"it has {width}x{height} pixels; scale it down")
