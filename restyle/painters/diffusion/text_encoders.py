"""Text encoders as compel wants them: without their last layers, and with words that were trained."""

from __future__ import annotations

from typing import Any

import torch

from restyle.errors import RecipeError

__all__ = ["SkippingEncoder", "TrainedWords"]


class SkippingEncoder:
    """A text encoder of transformers, called as one, without what its last ``count`` layers do ("clip skip").

    As in diffusers' pipelines, but for negative prompts, too: SD 1.5 takes an earlier layer's states, through the last norm;
    SDXL that many layers before the last but one; summaries are those of all layers. Raises ``RecipeError`` where it has no
    more layers than that.
    """

    def __init__(self, encoder: Any, count: int) -> None:
        layers = int(encoder.config.num_hidden_layers)
        if count > layers - 1:
            raise RecipeError(f"painter option clip_skip is 0 to {layers - 1} with this model, got {count}")
        self._encoder = encoder
        self._norm = getattr(
            encoder, "text_model", encoder
        ).final_layer_norm  # transformers 5 has it on the encoder itself
        self._count = count

    def __call__(self, token_ids: torch.Tensor, attention_mask: torch.Tensor | None = None, **more: Any) -> Any:
        """Give the encoder's output, its states as if the last layers were not there."""
        output = self._encoder(token_ids, attention_mask, **{**more, "output_hidden_states": True})
        states = output.hidden_states[: -self._count]
        output.hidden_states = states
        output.last_hidden_state = self._norm(states[-1])
        return output

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)


class TrainedWords:
    """Words of several vectors: a tokenizer knows the second and following as ``word_1``, ``word_2`` ..."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def expand_textual_inversion_token_ids_if_necessary(self, token_ids: list[int]) -> list[int]:  # noqa: D102 (compel's name)
        added = self._tokenizer.added_tokens_encoder
        names = {number: name for name, number in added.items()}
        expanded = []
        for number in token_ids:
            expanded.append(number)
            place = 1
            while number in names and (more := added.get(f"{names[number]}_{place}")) is not None:
                expanded.append(more)
                place += 1
        return expanded
