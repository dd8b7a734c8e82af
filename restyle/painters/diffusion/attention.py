"""Self-attention across keyframes, as attention processors of the UNet's own layers.

A *row* is one keyframe in the batch. What a row looks at is not chosen here: a ``Call`` says it, for one call of the UNet
(``window.py`` knows the modes and where they come from). Two devices:

*Sources*: keys and values are those of the row's sources laid side by side; queries are the row's own. With the anchor and the
previous keyframe as sources this is Rerender-A-Video's cross-frame attention (Yang et al. 2023), with all keyframes of the
window TokenFlow's joint attention of pivots (Geyer et al. 2023), with the first frame that of Text2Video-Zero (Khachatryan et
al. 2023).

*Trails*: after that, each token looks along its own path through time: softmax over itself and the tokens that show the same
point of the scene in other rows (queries and keys are the layer's, values are the attention's outputs so far), as FRESCO's
temporal-guided attention does (Yang et al. 2024) and FLATTEN's (Cong et al. 2023). Paths are cut where the point is hidden.

Rows that were in an earlier call of the same step can be sources: what they are asked for is kept in the call's ``memory``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch.nn import functional

__all__ = ["Call", "Kept", "Loom", "Trails", "tie"]


class Trails(Protocol):
    """Where the tokens of one row lie in another (``paths.Paths``)."""

    def tokens(self, here: int, there: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Of a grid of ``count`` tokens: int64 index of each token of row ``here`` in row ``there``, and bool: seen there."""
        ...


@dataclass(frozen=True)
class Kept:
    """What of one row in one layer others look at: heads x tokens x depth each."""

    key: torch.Tensor
    value: torch.Tensor
    output: torch.Tensor


@dataclass(frozen=True)
class Call:
    """One call of the UNet. The batch is ``halves`` times the rows (with guidance two: what is not to be seen comes first)."""

    rows: tuple[int, ...]
    halves: int
    sources: Mapping[int, tuple[int, ...]]
    """Row -> rows whose tokens it looks at."""
    trails: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """Row -> rows along whose paths it looks; rows that are not in here look along none."""
    paths: Trails | None = None
    keep: frozenset[int] = frozenset()
    """Rows that later calls of this step look at."""
    memory: dict[str, dict[tuple[int, int], Kept]] = field(default_factory=dict)
    """Layer -> (row, half) -> what was kept; shared by the calls of one step."""

    def attend(self, layer: str, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """All arrays: batch x heads x tokens x depth. Gives the outputs, of ``query``'s shape."""
        kept = self.memory.setdefault(layer, {})
        place = {row: number for number, row in enumerate(self.rows)}
        count = len(self.rows)

        def seen(row: int, half: int, own: torch.Tensor, what: str) -> torch.Tensor:
            if row in place:
                return own[half * count + place[row]]
            there = (
                kept.get((row, half)) or kept[row, 1 - half]
            )  # a row that rode along without guidance has one half only
            return getattr(there, what)

        groups: dict[int, list[tuple[int, int]]] = {}
        for half in range(self.halves):
            for row in self.rows:
                groups.setdefault(len(self.sources[row]), []).append((row, half))
        output = torch.empty_like(query)
        for members in groups.values():
            where = [half * count + place[row] for row, half in members]
            keys = torch.stack(
                [torch.cat([seen(s, half, key, "key") for s in self.sources[row]], 1) for row, half in members]
            )
            values = torch.stack(
                [torch.cat([seen(s, half, value, "value") for s in self.sources[row]], 1) for row, half in members]
            )
            output[where] = functional.scaled_dot_product_attention(query[where], keys, values)
        for half in range(self.halves):
            for row in self.keep.intersection(place):
                at = half * count + place[row]
                # copies: views would keep the whole batch in memory
                kept[row, half] = Kept(key[at].clone(), value[at].clone(), output[at].clone())
        return self._along(query, key, output, seen) if self.trails else output

    def _along(self, query: torch.Tensor, key: torch.Tensor, output: torch.Tensor, seen: Any) -> torch.Tensor:
        """The outputs, mixed along the tokens' paths."""
        assert self.paths is not None
        made = output.clone()
        tokens, depth = query.shape[2], query.shape[3]
        scale = depth**-0.5
        for half in range(self.halves):
            for number, row in enumerate(self.rows):
                others = self.trails.get(row, ())
                if not others:
                    continue
                at = half * len(self.rows) + number
                scores = [(query[at] * key[at]).sum(-1) * scale]
                values = [output[at]]
                for other in others:
                    index, open_ = self.paths.tokens(row, other, tokens)
                    index, open_ = index.to(query.device), open_.to(query.device)
                    score = (query[at] * seen(other, half, key, "key")[:, index]).sum(-1) * scale
                    scores.append(score.masked_fill(~open_, -torch.inf))
                    values.append(seen(other, half, output, "output")[:, index])
                weights = torch.stack(scores).float().softmax(0).to(output.dtype)
                made[at] = (weights[..., None] * torch.stack(values)).sum(0)
        return made


class Loom:
    """Holds the ``Call`` that the processors of one UNet work on; without one they do what the library's own do."""

    def __init__(self) -> None:
        self.call: Call | None = None


class _Processor:
    """Self-attention of one layer, with the loom's call."""

    def __init__(self, name: str, loom: Loom) -> None:
        self._name = name
        self._loom = loom

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

        def heads(made: torch.Tensor) -> torch.Tensor:
            return made.view(batch, tokens, attn.heads, -1).transpose(1, 2)

        query, key, value = (heads(layer(hidden_states)) for layer in (attn.to_q, attn.to_k, attn.to_v))
        call = self._loom.call
        if call is None:
            made = functional.scaled_dot_product_attention(query, key, value)
        else:
            made = call.attend(self._name, query, key, value)
        made = made.transpose(1, 2).reshape(batch, tokens, -1)
        made = attn.to_out[1](attn.to_out[0](made))
        if attn.residual_connection:
            made = made + hidden_states
        return made / attn.rescale_output_factor


def tie(unet: Any, *, layers: str = "decoder") -> Loom:
    """Put processors into a UNet's self-attention: of its ``decoder`` only (where appearance is decided, as in
    Rerender-A-Video), or of ``all`` blocks. Cross-attention keeps the library's, and with it IP-Adapters; LoRA lies inside of
    the layers that are called. Gives the loom."""
    loom = Loom()
    processors = dict(unet.attn_processors)
    for name in processors:
        if ".attn1." in name and (layers == "all" or name.startswith("up_blocks")):
            processors[name] = _Processor(name, loom)
    unet.set_attn_processor(processors)
    return loom
