from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")
import tiny_diffusion

from restyle.painters.diffusion.vocabulary import known_words, unknown_words


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """The small model's."""
    package = pytest.importorskip("restyle_small")
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(f"{package.__path__[0]}/model/tokenizer")


def test_words_that_are_read_letter_by_letter_are_unknown(tokenizer: Any) -> None:
    assert unknown_words(tokenizer, "a fox in autumn oil, a Fox, 16 fps") == ["fox", "fps"]


def test_few_words_are_all_told(tokenizer: Any) -> None:
    words = known_words(tokenizer)
    assert {"autumn", "oil", "ukiyo", "wave", "painting"} <= set(words)
    assert "utumn" not in words


def test_a_tokenizer_without_words_knows_no_unknown_ones() -> None:
    letters = tiny_diffusion.tokenizer()
    assert unknown_words(letters, "a fox") == []
    assert known_words(letters) == []
