"""Self-attention across keyframes, as attention processors of the UNet's own layers.

A *row* is one keyframe in the batch. What a row attends to is not chosen here: an ``AttentionCall`` says it, for one call of
the UNet (``window.py`` knows the modes and where they come from). Two devices:

*Sources*: keys and values are those of the row's sources laid side by side; queries are the row's own. With the anchor and the
previous keyframe as sources this is Rerender-A-Video's cross-frame attention (Yang et al. 2023), with all keyframes of the
window TokenFlow's joint attention of pivots (Geyer et al. 2023), with the first frame that of Text2Video-Zero (Khachatryan et
al. 2023).

*Trajectories*: after that, each token attends along its own path through time: softmax over itself and the tokens that show the
same point of the scene in other rows (queries and keys are the layer's, values are the attention's outputs so far), as FRESCO's
temporal-guided attention does (Yang et al. 2024) and FLATTEN's (Cong et al. 2023). Paths are cut where the point is hidden.

Rows that were in an earlier call of the same step can be sources: their keys, values and outputs are in the call's ``cache``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch.nn import functional

__all__ = [
    "AttentionCall",
    "AttentionController",
    "CachedRow",
    "KeyValueCache",
    "TokenCorrespondences",
    "install_processors",
]

_RowTensor = Callable[[int, int], torch.Tensor]
"""(row, half) -> heads x tokens x depth."""


class TokenCorrespondences(Protocol):
    """Places of one row's tokens in another row (``correspondences.Correspondences``)."""

    def tokens(self, here: int, there: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Give, for a grid of ``count`` tokens, the int64 index of each token of row ``here`` in row ``there``, and bool:
        visible there."""
        ...


@dataclass(frozen=True)
class CachedRow:
    """One row in one layer, kept for rows of later calls: heads x tokens x depth each."""

    key: torch.Tensor
    value: torch.Tensor
    output: torch.Tensor


KeyValueCache = dict[str, dict[tuple[int, int], CachedRow]]
"""Layer -> (row, half) -> keys, values and outputs."""


@dataclass(frozen=True)
class AttentionCall:
    """One call of the UNet. The batch is ``halves`` times the rows (with guidance two: the negative prompt's first)."""

    rows: tuple[int, ...]
    halves: int
    sources: Mapping[int, tuple[int, ...]]
    """Row -> rows whose tokens it attends to."""
    trajectories: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """Row -> rows along whose trajectories it attends; rows that are not in here attend along none."""
    correspondences: TokenCorrespondences | None = None
    cached_rows: frozenset[int] = frozenset()
    """Rows that later calls of this step attend to."""
    cache: KeyValueCache = field(default_factory=dict)
    """Shared by the calls of one step."""
    own_weight: float = 1.0
    """Times which a row's own tokens count beside those of its other sources."""
    disoccluded: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    """Row -> another row and a third: it attends also to those tokens of the other that are not to be seen in the third."""

    def attend(self, layer: str, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """Give the outputs, of ``query``'s shape. All arrays: batch x heads x tokens x depth."""
        cached = self.cache.setdefault(layer, {})
        position = {row: number for number, row in enumerate(self.rows)}
        count = len(self.rows)

        def key_of(row: int, half: int) -> torch.Tensor:
            return key[half * count + position[row]] if row in position else cached[row, half].key

        def value_of(row: int, half: int) -> torch.Tensor:
            return value[half * count + position[row]] if row in position else cached[row, half].value

        def output_of(row: int, half: int) -> torch.Tensor:
            return output[half * count + position[row]] if row in position else cached[row, half].output

        groups: dict[tuple[int, tuple[int, int] | None], list[tuple[int, int]]] = {}
        for half in range(self.halves):
            for row in self.rows:
                groups.setdefault((len(self.sources[row]), self.disoccluded.get(row)), []).append((row, half))
        output = torch.empty_like(query)
        for (_, new), members in groups.items():
            more = None if new is None else (new[0], self._unseen(*new, key.shape[2]))
            indices = [half * count + position[row] for row, half in members]
            keys, values = (
                torch.stack([self._gathered(of, row, half, more) for row, half in members]) for of in (key_of, value_of)
            )
            bias = self._own_bias([row for row, _ in members], key, 0 if more is None else len(more[1]))
            output[indices] = functional.scaled_dot_product_attention(query[indices], keys, values, attn_mask=bias)
        for half in range(self.halves):
            for row in self.cached_rows.intersection(position):
                index = half * count + position[row]
                # copies: views would keep the whole batch in memory
                cached[row, half] = CachedRow(key[index].clone(), value[index].clone(), output[index].clone())
        return self._attend_along_trajectories(query, key_of, output_of, output) if self.trajectories else output

    def _gathered(self, of: _RowTensor, row: int, half: int, more: tuple[int, torch.Tensor] | None) -> torch.Tensor:
        """Heads x tokens x depth of all that a row attends to; ``more``: some tokens of another row."""
        parts = [of(source, half) for source in self.sources[row]]
        if more is not None:
            parts.append(of(more[0], half)[:, more[1]])
        return torch.cat(parts, 1)

    def _unseen(self, row: int, other: int, count: int) -> torch.Tensor:
        """Indices of a row's tokens, of a grid of ``count``, that are not to be seen in another."""
        assert self.correspondences is not None
        return (~self.correspondences.tokens(row, other, count)[1]).nonzero()[:, 0]

    def _own_bias(self, rows: Sequence[int], key: torch.Tensor, more: int) -> torch.Tensor | None:
        """The bias of the scores, rows x 1 x 1 x sources' tokens and ``more``; ``None``: there is none."""
        if self.own_weight == 1.0 or len(self.sources[rows[0]]) == 1:
            return None
        weights = [[self.own_weight if source == row else 1.0 for source in self.sources[row]] for row in rows]
        bias = torch.tensor(weights, device=key.device).log().to(key.dtype)
        bias = bias.repeat_interleave(key.shape[2], dim=1)
        return functional.pad(bias, (0, more))[:, None, None]

    def _attend_along_trajectories(
        self, query: torch.Tensor, key_of: _RowTensor, output_of: _RowTensor, output: torch.Tensor
    ) -> torch.Tensor:
        assert self.correspondences is not None
        mixed = output.clone()
        tokens, depth = query.shape[2], query.shape[3]
        scale = depth**-0.5
        for half in range(self.halves):
            for number, row in enumerate(self.rows):
                others = self.trajectories.get(row, ())
                if not others:
                    continue
                index = half * len(self.rows) + number
                own = query[index].float()  # products of many numbers overflow in half precision
                scores = [(own * key_of(row, half)).sum(-1) * scale]
                values = [output[index]]
                for other in others:
                    target, visible = self.correspondences.tokens(row, other, tokens)
                    score = (own * key_of(other, half)[:, target]).sum(-1) * scale
                    scores.append(score.masked_fill(~visible, -torch.inf))
                    values.append(output_of(other, half)[:, target])
                weights = torch.stack(scores).softmax(0).to(output.dtype)
                mixed[index] = (weights[..., None] * torch.stack(values)).sum(0)
        return mixed


class AttentionController:
    """Holds the ``AttentionCall`` that the processors of one UNet work on; without one they do what the library's own do."""

    def __init__(self) -> None:
        self.call: AttentionCall | None = None


class _Processor:
    """Self-attention of one layer, by the controller's call."""

    def __init__(self, name: str, controller: AttentionController) -> None:
        self._name = name
        self._controller = controller

    def __call__(
        self,
        attn: Any,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        temb: torch.Tensor | None = None,
        *_: Any,
        **__: Any,
    ) -> torch.Tensor:
        batch, tokens, _width = hidden_states.shape

        def split_heads(states: torch.Tensor) -> torch.Tensor:
            return states.view(batch, tokens, attn.heads, -1).transpose(1, 2)

        query, key, value = (split_heads(layer(hidden_states)) for layer in (attn.to_q, attn.to_k, attn.to_v))
        call = self._controller.call
        if call is None:
            output = functional.scaled_dot_product_attention(query, key, value)
        else:
            output = call.attend(self._name, query, key, value)
        output = output.transpose(1, 2).reshape(batch, tokens, -1)
        output = attn.to_out[1](attn.to_out[0](output))
        if attn.residual_connection:
            output = output + hidden_states
        return output / attn.rescale_output_factor


def install_processors(unet: Any, *, layers: str = "decoder") -> AttentionController:
    """Put processors into a UNet's self-attention, and give the controller that they obey.

    ``layers``: those of the ``decoder`` only (where appearance is decided, as in Rerender-A-Video), or of ``all`` blocks.
    Cross-attention keeps the library's, and with it IP-Adapters; LoRA lies inside of the layers that are called.
    """
    controller = AttentionController()
    processors = dict(unet.attn_processors)
    for name in processors:
        if ".attn1." in name and (layers == "all" or name.startswith("up_blocks")):
            processors[name] = _Processor(name, controller)
    unet.set_attn_processor(processors)
    return controller
