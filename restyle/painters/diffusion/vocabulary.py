"""Words that a text encoder does not know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["known_words", "unknown_words"]

END = "</w>"  # of a word's last token, in the tokenizers of CLIP
FEW = 200  # words that are told to a person
SHORTEST = 3  # letters; shorter ones may well be no words


def unknown_words(tokenizer: Any, text: str) -> list[str]:
    """Words of a prompt that a tokenizer reads letter by letter: nothing was learnt of them. Each once, in order.

    None where all words are read so.
    """
    words = dict.fromkeys(word for word in text.lower().split() if len(word) >= SHORTEST and word.isalpha())
    unknown = [word for word in words if len(tokenizer.tokenize(word)) == len(word)]
    return unknown if unknown and _words(tokenizer) else []


def known_words(tokenizer: Any) -> Sequence[str]:
    """All words of a tokenizer that knows but a few; empty for others. Parts of longer words are left out."""
    words = _words(tokenizer)
    if len(words) > FEW * 20:
        return []
    parts = {word[start:] for word in words for start in range(1, len(word))}
    whole = sorted(words - parts)
    return whole if len(whole) <= FEW else []


def _words(tokenizer: Any) -> set[str]:
    """All ends of words, and whole ones, that are one token."""
    ends = (token.removesuffix(END) for token in tokenizer.get_vocab() if token.endswith(END))
    return {word for word in ends if len(word) >= SHORTEST and word.isalpha()}
