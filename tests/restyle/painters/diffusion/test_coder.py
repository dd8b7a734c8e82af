"""Pictures to latents and back: what a VAE gives is looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from restyle.errors import PainterError  # noqa: E402
from restyle.painters.diffusion.painter import DiffusionPainter  # noqa: E402

from .conftest import job, picture  # noqa: E402


def painter(tiny: Any, **options: Any) -> DiffusionPainter:
    return DiffusionPainter(**{"model": tiny("sd15"), "steps": 2, "resolution": 0, "dtype": "bfloat16", **options})


def overflowing(models: Any, part: str, *kinds: Any) -> None:
    """Have a part of the VAE give numbers that are none when it computes in one of these kinds."""

    def hook(_: Any, __: Any, output: Any) -> Any:
        return torch.full_like(output, float("nan")) if output.dtype in kinds else output

    getattr(models.pipe.vae, part).register_forward_hook(hook)


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_what_overflows_in_half_precision_is_made_in_float32(tiny: Any, part: str) -> None:
    plain, _ = painter(tiny).paint(job([picture(1)]), None)
    short = painter(tiny)
    models = short.ready(job([picture(1)])).models
    before = {name: value.clone() for name, value in models.pipe.vae.state_dict().items()}
    overflowing(models, part, torch.bfloat16)
    made, _ = short.paint(job([picture(1)]), None)
    assert np.abs(made[0].astype(int) - plain[0]).mean() < 3, "the same but for rounding"
    assert made[0].std() > 5
    assert all(torch.equal(value, before[name]) for name, value in models.pipe.vae.state_dict().items())
    (note,) = short.notes
    assert "overflows in bfloat16" in note
    assert note.endswith("--painter-option vae=stabilityai/sd-vae-ft-mse does not")


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_numbers_that_are_none_in_float32_too_are_told(tiny: Any, part: str) -> None:
    for dtype in ("bfloat16", "float32"):
        bad = painter(tiny, model=tiny("sdxl"), dtype=dtype)
        overflowing(bad.ready(job([picture(1)])).models, part, torch.bfloat16, torch.float32)
        with pytest.raises(PainterError, match=r"the VAE of .* vae=madebyollin/sdxl-vae-fp16-fix$"):
            bad.paint(job([picture(1)]), None)


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_it_works_in_tiles_when_memory_runs_out(tiny: Any, part: str) -> None:
    """A VAE that has memory for 32 x 32 pixels and no more."""
    whole, _ = painter(tiny, dtype="float32").paint(job([picture(1)]), None)
    short = painter(tiny, dtype="float32")
    models = short.ready(job([picture(1)])).models
    vae = models.pipe.vae
    vae.tile_sample_min_size, vae.tile_latent_min_size = 32, 32 // models.latent_scale
    most = 32 if part == "encoder" else 32 // models.latent_scale

    def hook(_: Any, given: Any) -> None:
        if max(given[0].shape[-2:]) > most:
            raise RuntimeError("CUDA error: out of memory")

    getattr(vae, part).register_forward_pre_hook(hook)
    made, _ = short.paint(job([picture(1)]), None)
    assert np.abs(made[0].astype(int) - whole[0]).mean() < 40, "seams apart, the same picture"
    assert any("works in tiles, for memory ran out on cpu" in note for note in short.notes)
    most = 1
    with pytest.raises(PainterError, match=r"out of memory on cpu in the VAE of .*, in tiles, too: .*offload=true"):
        short.paint(job([picture(1)]), None)
