"""Self-attention across the two pictures of a pair, while the small model is trained: each may look at the other's keys and
values, as keyframes do when they are painted together.

The batch holds all first pictures, then all second ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F

__all__ = ["MODES", "Joining"]

MODES = ("single", "joint", "first", "other", "none")
"""Whose keys and values a picture sees: its own; both pictures'; its own and, the second, the first's; the other's; only each
place its own (which shows what self-attention is worth)."""


class _Processor:
    def __init__(self, joining: Joining) -> None:
        self._joining = joining

    def __call__(self, attn: Any, hidden_states: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        rows, places, _ = hidden_states.shape
        query, key, value = (
            make(hidden_states).view(rows, places, attn.heads, -1).transpose(1, 2)
            for make in (attn.to_q, attn.to_k, attn.to_v)
        )
        mode = self._joining.current
        if mode == "none":
            seen = value
        elif mode == "first":
            half = rows // 2
            seen = torch.cat(
                [
                    F.scaled_dot_product_attention(query[:half], key[:half], value[:half]),
                    F.scaled_dot_product_attention(query[half:], _both(key)[half:], _both(value)[half:]),
                ]
            )
        else:
            if mode == "joint":
                key, value = _both(key), _both(value)
            elif mode == "other":
                key, value = key.roll(rows // 2, 0), value.roll(rows // 2, 0)
            seen = F.scaled_dot_product_attention(query, key, value)
        return attn.to_out[1](attn.to_out[0](seen.transpose(1, 2).reshape(rows, places, -1)))


def _both(values: torch.Tensor) -> torch.Tensor:
    return torch.cat([values, values.roll(len(values) // 2, 0)], dim=2)


class Joining:
    """Joins the self-attention of a UNet while a mode is set."""

    def __init__(self, unet: Any) -> None:
        self._unet, self._before = unet, unet.attn_processors
        self.current = "single"
        ours = _Processor(self)
        unet.set_attn_processor(
            {name: ours if name.endswith("attn1.processor") else each for name, each in self._before.items()}
        )

    @contextmanager
    def mode(self, mode: str) -> Iterator[None]:
        """Set one of ``MODES`` for a while."""
        if mode not in MODES:
            raise ValueError(f"no mode of attention {mode!r}")
        self.current = mode
        try:
            yield
        finally:
            self.current = "single"

    def remove(self) -> None:
        """Give the UNet its own attention back."""
        self._unet.set_attn_processor(self._before)
