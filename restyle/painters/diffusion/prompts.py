"""Prompts of any length, with weights -> embeddings, by compel (https://github.com/damian0815/compel).

A text encoder reads 75 tokens at once. Longer prompts are divided at the ends of sentences, phrases or words, and the parts'
embeddings are laid one after the other; the shorter of a prompt and its negative prompt is filled up with nothing said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from math import lcm
from typing import Any

import torch

from restyle.errors import PainterError, RecipeError, why
from restyle.painters.diffusion.placing import Placing
from restyle.painters.diffusion.text_encoders import SkippingEncoder, TrainedWords
from restyle.painters.diffusion.vocabulary import known_words, unknown_words
from restyle.painters.networks.memory import MEMORY_ERRORS, StartAgain, ran_out, release
from restyle.types import TextPrompt
from restyle.weights.catalogue import Family

__all__ = ["PromptEmbeddings", "PromptEncoder", "alike", "weighted_words"]

WEIGHT = re.compile(r":\s*([0-4](?:\.\d+)?)\s*\)|\)([0-4](?:\.\d+)?)(?![\d.])")
"""The end of weighted words: ``:1.4)``, or ``)1.4`` as compel writes it. No other number ((at 10:30), (1980)) is a weight."""


@dataclass(frozen=True)
class PromptEmbeddings:
    """A prompt, encoded."""

    embeds: torch.Tensor
    """2 (with guidance: the negative prompt's first) x tokens x width, else 1 x tokens x width."""
    pooled: torch.Tensor | None
    """SDXL's, 2 or 1 x width."""


def weighted_words(text: str) -> list[tuple[str, float]]:
    """Words and their weights, in order, of ``a (red:1.4) car``; also ``(red)1.4``. Weights within others multiply.

    Parentheses without a weight stand for themselves, as all do that follow a backslash.
    """
    return [(words, weight) for words, weight in _merged(_weigh(text, 1.0)) if words.strip()] or [("", 1.0)]


def alike(embeds: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Embeddings, each n x tokens x width, brought to the same number of tokens: each is repeated, which changes nothing of
    what cross-attention makes of it."""
    tokens = lcm(*(each.shape[1] for each in embeds))
    return [each.repeat(1, tokens // each.shape[1], 1) for each in embeds]


class PromptEncoder:
    """The text encoders of a diffusers pipeline at work.

    ``weighting``: ``numbers`` (``weighted_words``) or ``compel``: all of compel's language, in which plus and minus weigh, too.
    ``clip_skip``: last layers of the encoders that are left out.
    """

    def __init__(
        self,
        pipe: Any,
        placing: Placing,
        family: Family,
        *,
        weighting: str,
        clip_skip: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        # not before torchvision can be imported (``controls.torchvision_guard``)
        from compel import Compel
        from compel.embeddings_provider import ReturnedEmbeddingsType

        self._pipe = pipe
        self._placing = placing
        self._family = family
        self._weighting = weighting
        self._device = device
        self._dtype = dtype
        self._notes: dict[str, None] = {}
        pairs = [(pipe.tokenizer, pipe.text_encoder)]
        kind = ReturnedEmbeddingsType.LAST_HIDDEN_STATES_NORMALIZED
        if family == "sdxl":
            pairs.append((pipe.tokenizer_2, pipe.text_encoder_2))
            kind = ReturnedEmbeddingsType.PENULTIMATE_HIDDEN_STATES_NON_NORMALIZED
        self._encoders = [
            Compel(
                tokenizer,
                encoder if not clip_skip else SkippingEncoder(encoder, clip_skip),
                returned_embeddings_type=kind,
                truncate_long_prompts=False,
                textual_inversion_manager=TrainedWords(tokenizer),
                device=str(device),
            )
            for tokenizer, encoder in pairs
        ]

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for a person about what could not be heard in full, each once."""
        return tuple(self._notes)

    @torch.no_grad()
    def __call__(self, prompt: TextPrompt, *, guided: bool) -> PromptEmbeddings:
        """Encode a prompt, and its negative prompt where there is guidance.

        Raises ``RecipeError`` for what cannot be read; ``StartAgain`` where memory ran out, and networks take turns from now
        on; ``PainterError`` where they do.
        """
        try:
            return self._encode(prompt, guided=guided)
        except MEMORY_ERRORS as error:
            if not ran_out(error):
                raise
        release(self._device)  # here the error is gone, and what its frames held
        if self._placing.take_turns():
            raise StartAgain
        raise PainterError(
            f"out of memory on {self._device} in the text encoders: use a smaller model{self._placing.hint} (--painter-option)"
        )

    def _encode(self, prompt: TextPrompt, *, guided: bool) -> PromptEmbeddings:
        texts = [prompt.prompt, prompt.negative_prompt][: 2 if guided else 1]
        for text in texts:
            self._note_unknown(text)
        parsed = [self._parse(text) for text in texts]
        embeds = self._embeds(parsed)
        pooled = [self._pooled(one) for one in parsed] if self._family == "sdxl" else []
        if guided and not prompt.negative_prompt and self._pipe.config.get("force_zeros_for_empty_prompt", False):
            embeds[1] = torch.zeros_like(embeds[1])  # SDXL was trained with nothing as zeros, which "" is not
            pooled[1] = torch.zeros_like(pooled[1])
        return PromptEmbeddings(
            torch.cat(embeds[::-1]).to(self._dtype), torch.cat(pooled[::-1]).to(self._dtype) if pooled else None
        )

    def _note_unknown(self, text: str) -> None:
        tokenizer = self._pipe.tokenizer
        words = unknown_words(tokenizer, " ".join(words for words, _ in weighted_words(text)))
        if words:
            known = known_words(tokenizer)
            told = f"; its words are: {', '.join(known)}" if known else ""
            self._notes[f"the model has no word for {', '.join(map(repr, words))}{told}"] = None

    def _parse(self, text: str) -> Any:
        from compel.prompt_parser import Conjunction, FlattenedPrompt, PromptParser
        from pyparsing import ParseException

        nothing = Conjunction([FlattenedPrompt([("", 1.0)])])
        if self._weighting == "numbers":
            return Conjunction([FlattenedPrompt([*weighted_words(text)])])
        try:
            parsed = PromptParser().parse_conjunction(text)
        except (ParseException, PromptParser.ParsingException, ValueError) as error:
            raise RecipeError(
                f"the prompt {text!r} cannot be read as compel's language ({why(error)}): mend it, put a backslash before "
                "parentheses and signs that stand for themselves, or leave out --painter-option weighting=compel"
            ) from error
        return parsed if parsed.prompts else nothing

    def _embeds(self, parsed: list[Any]) -> list[torch.Tensor]:
        """1 x tokens x width of each, of the same number of tokens."""
        each = []
        for encoder in self._encoders:
            made = [encoder.build_conditioning_tensor_for_conjunction(one)[0] for one in parsed]
            each.append(encoder.pad_conditioning_tensors_to_same_length(made))
        return [torch.cat(alike(both), -1) for both in zip(*each, strict=True)]

    def _pooled(self, parsed: Any) -> torch.Tensor:
        """1 x width: SDXL's summary of the plain words, of as many as its encoder reads at once."""
        words = " ".join(_plain_words(parsed))
        provider = self._encoders[-1].conditioning_provider
        (tokens,) = provider.get_token_ids([words], include_start_and_end_markers=False)
        most = provider.max_token_count - 2
        if len(tokens) > most:
            start = words if len(words) <= 40 else f"{words[:40].strip()} ..."
            self._notes[
                f"the prompt {start!r} has {len(tokens)} tokens: all are read, but SDXL's summary of it "
                f"is made of the first {most}"
            ] = None
        return provider.get_pooled_embeddings([words])


def _weigh(text: str, weight: float) -> Iterator[tuple[str, float]]:
    """Words with their weights, those within parentheses by themselves."""
    start = at = 0
    while at < len(text):
        if text[at] == "\\" and text[at + 1 : at + 2] in ("(", ")"):
            yield text[start:at], weight
            start, at = at + 1, at + 2
        elif text[at] == "(" and (end := _closing(text, at)) is not None:
            inner, factor, after = end
            yield text[start:at], weight
            yield from _weigh(inner, weight * factor)
            start = at = after
        else:
            at += 1
    yield text[start:], weight


def _closing(text: str, opening: int) -> tuple[str, float, int] | None:
    """Of a parenthesis: what it holds, its weight, and the place after it; ``None`` where it has no weight."""
    depth = 0
    for at in range(opening, len(text)):
        if at > opening and text[at - 1] == "\\" and text[at] in "()":
            continue
        if depth == 1 and text[at] in ":)" and (match := WEIGHT.match(text, at)):
            return text[opening + 1 : at], float(match[1] or match[2]), match.end()
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0:
            return None
    return None


def _merged(parts: Iterator[tuple[str, float]]) -> list[tuple[str, float]]:
    """Neighbours of the same weight as one."""
    merged: list[tuple[str, float]] = []
    for words, weight in parts:
        if merged and merged[-1][1] == weight:
            merged[-1] = (merged[-1][0] + words, weight)
        elif words:
            merged.append((words, weight))
    return merged


def _plain_words(parsed: Any) -> Iterator[str]:
    """Words of all that compel's language is made of."""
    if hasattr(parsed, "text"):
        yield parsed.text
    parts = (getattr(parsed, name, ()) for name in ("prompts", "children", "original"))
    for part in chain.from_iterable(parts):
        yield from _plain_words(part)
