"""Pictures as styles, for all painters: any picture file, upright."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from interp.regular import require_regular
from restyle.errors import RecipeError, show_path, why
from restyle.footage.colour import to_depth
from restyle.footage.formats import format_of
from restyle.footage.stills import read_facts, read_with_alpha

__all__ = ["open_style_picture", "read_style_picture"]

LARGEST_PICTURE = 1 << 30  # bytes of its file
MOST_PIXELS = 80_000_000


def read_style_picture(path: Path) -> np.ndarray:
    """A style picture: float32 H x W x 3 in [0, 1], upright, on white where it is transparent. Raises ``RecipeError``."""
    upright = open_style_picture(path)
    ground = Image.new("RGBA", upright.size, "white")
    return np.asarray(Image.alpha_composite(ground, upright).convert("RGB"), np.float32) / 255


def open_style_picture(path: Path) -> Image.Image:
    """A style picture: RGBA, upright. Raises ``RecipeError``, one line that names it."""
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
    facts = read_facts(path)
    _check(facts.width, facts.height)
    picture, alpha = read_with_alpha(path)
    clear = np.full(picture.shape[:2], 255, np.uint8) if alpha is None else to_depth(alpha, "uint8", linear=False)
    return Image.fromarray(np.dstack([to_depth(picture, "uint8"), clear]))


def _check(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise ValueError(f"it has {width}x{height} pixels; scale it down")
