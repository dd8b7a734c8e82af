"""Prompts: of any length, weighed by numbers, by signs only when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from restyle.errors import RecipeError  # noqa: E402
from restyle.painters.diffusion.loading import load_models  # noqa: E402
from restyle.painters.diffusion.model_files import find_model_files  # noqa: E402
from restyle.painters.diffusion.models import Models  # noqa: E402
from restyle.painters.diffusion.options import Options  # noqa: E402
from restyle.painters.diffusion.painter import DiffusionPainter  # noqa: E402
from restyle.painters.diffusion.prompts import alike, weighted_words  # noqa: E402
from restyle.types import TextPrompt  # noqa: E402

from .conftest import OFF, job, picture  # noqa: E402

LONG = "a red car by a lake, " * 8  # letters are tokens for the tiny tokenizer


def load(**options: Any) -> Models:
    chosen = Options(**options)
    return load_models(chosen, find_model_files(chosen))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a red car", [("a red car", 1)]),
        ("a (red:1.4) car", [("a ", 1), ("red", 1.4), (" car", 1)]),
        ("a (red)1.4 car", [("a ", 1), ("red", 1.4), (" car", 1)]),
        ("(a (shiny:1.5) car:0.5)", [("a ", 0.5), ("shiny", 0.75), (" car", 0.5)]),
        ("A+ grade, C++, fog--", [("A+ grade, C++, fog--", 1)]),
        ("a car (1980) (at 10:30) ((b)) (c", [("a car (1980) (at 10:30) ((b)) (c", 1)]),
        (r"\(red:1.4\)", [("(red:1.4)", 1)]),
        ("(red)1.4.5 (blue)12", [("(red)1.4.5 (blue)12", 1)]),
        (" ", [("", 1)]),
    ],
)
def test_numbers_weigh_and_nothing_else(text: str, wanted: Sequence[tuple[str, float]]) -> None:
    assert weighted_words(text) == list(wanted)


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_without_weights_a_prompt_is_encoded_as_the_library_does(tiny: Any, family: str) -> None:
    models = load(model=tiny(family))
    for prompt in (TextPrompt("A+ grade (1980), C++", "fog"), TextPrompt("a red car")):
        ours = models.prompts(prompt, guided=True)
        theirs = models.pipe.encode_prompt(
            prompt.prompt, num_images_per_prompt=1, do_classifier_free_guidance=True,
            negative_prompt=prompt.negative_prompt or None, device="cpu",
        )  # fmt: skip
        assert torch.allclose(ours.embeds, torch.cat([theirs[1], theirs[0]]), atol=1e-5)
        assert models.prompts(prompt, guided=False).embeds.shape[0] == 1
        if family == "sdxl":
            assert ours.pooled is not None
            assert torch.allclose(ours.pooled, torch.cat([theirs[3], theirs[2]]), atol=1e-5)
    assert models.notes == ()


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_every_word_of_a_long_prompt_is_heard(tiny: Any, family: str) -> None:
    models = load(model=tiny(family))
    one = models.prompts(TextPrompt(LONG + "gouache", "fog"), guided=True)
    other = models.prompts(TextPrompt(LONG + "pastels", "fog"), guided=True)
    assert one.embeds.shape[:2] == (2, 2 * 77)
    assert torch.equal(one.embeds[:, :77], other.embeds[:, :77])
    assert (one.embeds[1, 77:] - other.embeds[1, 77:]).abs().max() > 0.1
    cut = "the prompt 'a red car by a lake, a red car by a lake ...' has 127 tokens: all are read, but SDXL's summary"
    assert [note.startswith(cut) for note in models.notes] == ([True] if family == "sdxl" else [])


def test_a_long_prompt_is_compels_own_on_the_plain_pipeline(tiny: Any) -> None:
    compel = pytest.importorskip("compel")
    models = load(model=tiny("sd15"))
    made = compel.CompelForSD(models.pipe)(LONG, negative_prompt="fog")
    assert torch.equal(
        models.prompts(TextPrompt(LONG, "fog"), guided=True).embeds, torch.cat([made.negative_embeds, made.embeds])
    )


def test_a_long_prompt_changes_nothing_of_the_keyframes_beside_it(tiny: Any) -> None:
    """They are computed at once, though their embeddings are of different lengths."""
    pictures = [picture(1), picture(2), picture(3)]
    short, long = TextPrompt("a red car", "fog"), TextPrompt(LONG, "fog")

    def paint(prompts: tuple[TextPrompt, ...]) -> list[np.ndarray]:
        net = tiny("controlnet-sd15")
        one = DiffusionPainter(
            model=tiny("sd15"), steps=3, guidance_scale=4.0, controls=[{"kind": "canny", "model": net}], batch=3, **OFF
        )
        return one.paint(job(pictures, prompts=prompts, controls={"canny": (picture(9),) * 3}), None)[0]

    alone, mixed = paint((short,) * 3), paint((short, long, short))
    assert np.abs(alone[1].astype(int) - mixed[1]).max() > 3
    for place in (0, 2):
        assert np.abs(alone[place].astype(int) - mixed[place]).max() <= 1


def test_embeddings_of_different_lengths_are_repeated() -> None:
    short, long = torch.randn(1, 2, 4), torch.randn(1, 3, 4)
    one, two = alike([short, long])
    assert torch.equal(one, torch.cat([short] * 3, 1))
    assert torch.equal(two, torch.cat([long] * 2, 1))


def test_signs_weigh_only_in_compels_language(tiny: Any) -> None:
    texts = TextPrompt("a red++ car"), TextPrompt("a red car")
    for weighting, weighs in (("numbers", False), ("compel", True)):
        models = load(model=tiny("sd15"), weighting=weighting)
        signs, plain = (models.prompts(text, guided=False).embeds for text in texts)
        # without a weight, the signs are letters more
        assert torch.allclose(signs[:, :5], plain[:, :5], atol=1e-5) is not weighs
    for text in ('("a", "b").blend(1)', '("a", "b").and(x)'):
        with pytest.raises(RecipeError, match=r"the prompt '.* cannot be read as compel's language \("):
            models.prompts(TextPrompt(text), guided=False)
    assert torch.equal(*(models.prompts(TextPrompt(text), guided=False).embeds for text in ("", "withLora(x)")))
    with pytest.raises(RecipeError, match="weighting is one of numbers, compel"):
        Options(weighting="signs")


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_nothing_said_is_the_same_with_weights_and_without(tiny: Any, family: str) -> None:
    """SDXL was trained with zeros for it, SD 1.5 with the empty prompt."""
    models = load(model=tiny(family))
    plain, weighed = (models.prompts(TextPrompt(text), guided=True) for text in ("a red car", "a (red)1.5 car"))
    for ours, compels in ((plain.embeds, weighed.embeds), (plain.pooled, weighed.pooled)):
        if ours is not None:
            assert torch.allclose(ours[0], compels[0], atol=1e-5)
    assert not torch.allclose(plain.embeds[1], weighed.embeds[1], atol=1e-3), "but the weight is heard"
