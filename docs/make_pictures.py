"""Make the README's pictures from our own sample: ``python docs/make_pictures.py``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import samples  # noqa: E402
from restyle import Job, Recipe  # noqa: E402

PICTURES = (("before-after-1.jpg", 30, "ukiyo-wave"), ("before-after-2.jpg", 118, "starry-swirl"))
LOOKS = ("winter ink", "autumn oil", "ukiyo wave", "starry swirl", "mosaic", "lava")
SMALL = (480, 270)


def main() -> None:
    """Source on the left, result on the right, of in-betweens: frames that were filled, not painted."""
    for name, wanted, style in PICTURES:
        recipe = Recipe(style=style, range="72:132" if wanted >= 72 else "0:72")
        for made in Job(samples.clip(), recipe=recipe).frames():
            if made.result.index >= wanted and made.key is None:
                both = np.hstack([made.source.picture, made.result.picture])
                Image.fromarray(both).save(ROOT / "docs" / name, quality=88)
                break
    recipe = Recipe(style="lava", objects=("balloon=box:444,16,497,95@10",), range="0:72")
    save_beside("object.jpg", recipe, (20, 60))
    save_beside("diffusion.jpg", Recipe.load(ROOT / "samples" / "demo-diffusion.json"), (20, 120))
    looks = [
        np.asarray(Image.fromarray(painted_by_small(look)).resize(SMALL, Image.Resampling.LANCZOS)) for look in LOOKS
    ]
    rows = np.vstack([np.hstack(looks[:3]), np.hstack(looks[3:])])
    Image.fromarray(rows).save(ROOT / "weights" / "small" / "looks.jpg", quality=88)


def save_beside(name: str, recipe: Recipe, wanted: tuple[int, int]) -> None:
    """Two frames of the result, side by side."""
    shown = [made for made in Job(samples.clip(), recipe=recipe).frames() if made.result.index in wanted]
    Image.fromarray(np.hstack([made.result.picture for made in shown])).save(ROOT / "docs" / name, quality=88)


def painted_by_small(look: str) -> np.ndarray:
    """A frame of the sample in a look that the small diffusion model knows by its name."""
    options = {"model": "small", "strength": 0.8}
    recipe = Recipe.build(
        painter="diffusion", painter_options=options, prompt=look, controls=[{"kind": "tile"}], range="20:21"
    )
    return next(iter(Job(samples.clip(), recipe=recipe).frames())).result.picture


if __name__ == "__main__":
    main()
