"""Prompts that are longer than what a model reads."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["cut_note"]


def cut_note(tokenizer: Any, prompt: str, most: int, title: str) -> str | None:
    """A line for a person about a prompt of which the model of that ``title`` reads the first tokens alone, ``most`` of them;
    ``None``: it reads all."""
    tokens = np.asarray(tokenizer(text=prompt)["input_ids"]).size
    if tokens <= most:
        return None
    return f"the prompt {prompt[:40]!r} ... has {tokens} tokens: {title} reads the first {most}"
