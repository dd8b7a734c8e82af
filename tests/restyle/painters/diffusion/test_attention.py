"""Every mode against a slow one written plainly from its definition: on random arrays, and in a UNet."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from restyle.painters.diffusion.attention import AttentionCall, install_processors  # noqa: E402
from restyle.painters.diffusion.correspondences import Correspondences  # noqa: E402
from restyle.painters.diffusion.window import (  # noqa: E402
    Rows,
    batches,
    disoccluded_of,
    partners_of,
    sources_of,
    trajectories_of,
)

from .conftest import Shift  # noqa: E402

GRID = (8, 6)
MODES = ("none", "anchor-previous", "joint", "trajectory", "woven")


def correspondences(rows: Rows) -> Correspondences:
    """Four pixels of 32 a frame: one latent of eight."""
    positions = {row: row for row in range(rows.first, rows.count)}
    return Correspondences(Shift((32, 24), (4.0, 0.0)), positions, GRID, torch.device("cpu"))


def slowly(query, key, value, sources, trajectories, matches: Correspondences):
    """Rows x heads x tokens x depth, token by token: softmax over the sources' tokens, then over the path's."""
    rows, heads, tokens, depth = query.shape
    plain = torch.zeros_like(query)
    for row in range(rows):
        for head in range(heads):
            for token in range(tokens):
                weights, seen = [], []
                for source in sources[row]:
                    weights.append(key[source, head] @ query[row, head, token] / math.sqrt(depth))
                    seen.append(value[source, head])
                plain[row, head, token] = torch.softmax(torch.cat(weights), 0) @ torch.cat(seen)
    made = plain.clone()
    for row, others in trajectories.items():
        for head in range(heads):
            for token in range(tokens):
                weights = [query[row, head, token] @ key[row, head, token] / math.sqrt(depth)]
                seen = [plain[row, head, token]]
                for other in others:
                    index, open_ = matches.tokens(row, other, tokens)
                    if open_[token]:
                        there = int(index[token])
                        weights.append(query[row, head, token] @ key[other, head, there] / math.sqrt(depth))
                        seen.append(plain[other, head, there])
                made[row, head, token] = torch.softmax(torch.stack(weights), 0) @ torch.stack(seen)
    return made


CASES = [Rows(4, frozenset(), False), Rows(5, frozenset({0, 1}), True), Rows(1, frozenset(), False)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rows", CASES, ids=["start", "later", "alone"])
def test_on_random_arrays(mode: str, rows: Rows) -> None:
    torch.manual_seed(1)
    tokens = GRID[0] * GRID[1] // 4
    query, key, value = (torch.randn(rows.count, 2, tokens, 5) for _ in range(3))
    sources, matches = sources_of(mode, rows), correspondences(rows)
    trajectories = {
        row: found
        for row, others in trajectories_of(mode, rows).items()
        if (found := tuple(other for other in others if matches.known(row, other)))
    }
    made = AttentionCall(tuple(range(rows.count)), 1, sources, trajectories, matches).attend("layer", query, key, value)
    assert torch.allclose(made, slowly(query, key, value, sources, trajectories, matches), atol=1e-5)


def test_scores_along_trajectories_do_not_overflow_in_half_precision() -> None:
    """Products of 64 numbers of 60 are more than half precision holds; their places are found once, and kept on the device."""
    torch.manual_seed(2)
    rows = Rows(3, frozenset(), False)
    query, key, value = (torch.randn(3, 2, GRID[0] * GRID[1], 64, dtype=torch.float16) for _ in range(3))
    query[..., :], key[..., :] = 60.0, 60.0 + 4 * torch.rand_like(key[..., :1])
    sources, matches = {row: (row,) for row in range(3)}, correspondences(rows)
    trajectories = trajectories_of("trajectory", rows)
    made = AttentionCall((0, 1, 2), 1, sources, trajectories, matches).attend("layer", query, key, value)
    plain = AttentionCall((0, 1, 2), 1, sources).attend("layer", query, key, value)
    assert torch.isfinite(made).all()
    assert not torch.equal(made, plain)
    assert matches.tokens(1, 0, GRID[0] * GRID[1])[0] is matches.tokens(1, 0, GRID[0] * GRID[1])[0]


def test_own_tokens_count_as_much_as_they_are_said_to() -> None:
    torch.manual_seed(5)
    query, key, value = (torch.randn(3, 2, 12, 4) for _ in range(3))
    sources = {0: (0,), 1: (1, 0), 2: (2, 0)}

    def attend(sources: Any, weight: float) -> Any:
        return AttentionCall((0, 1, 2), 1, sources, own_weight=weight).attend("layer", query, key, value)

    alone = {0: (0,), 1: (0,), 2: (0,)}
    assert torch.allclose(attend(sources, 0.0), attend(alone, 1.0), atol=1e-5)
    scores = torch.cat([query[1] @ key[row].transpose(1, 2) / 2 for row in (1, 0)], -1).exp()
    scores[..., :12] *= 0.3
    wanted = scores / scores.sum(-1, keepdim=True) @ torch.cat([value[1], value[0]], 1)
    assert torch.allclose(attend(sources, 0.3)[1], wanted, atol=1e-5)
    assert torch.equal(attend(sources, 0.3)[0], attend(sources, 1.0)[0]), "what attends to itself alone does so in full"


@pytest.mark.parametrize("own_weight", [1.0, 0.3])
def test_what_has_come_into_view_is_attended_to_as_well(own_weight: float) -> None:
    """By keyframes between a window's ends: those tokens of its last that its first does not show, and the one before along the
    paths."""
    torch.manual_seed(6)
    rows = Rows(5, frozenset({0, 1}), True)
    tokens = GRID[0] * GRID[1] // 4
    query, key, value = (torch.randn(rows.count, 2, tokens, 5) for _ in range(3))
    sources, matches, new = sources_of("woven", rows), correspondences(rows), disoccluded_of("woven", rows)
    assert new == {2: (4, 1), 3: (4, 1)}
    assert disoccluded_of("trajectory", rows) == {}
    unseen = (~matches.tokens(4, 1, tokens)[1]).nonzero()[:, 0]
    assert 0 < len(unseen) < tokens
    made = AttentionCall(
        tuple(range(rows.count)), 1, sources, correspondences=matches, disoccluded=new, own_weight=own_weight
    ).attend("layer", query, key, value)
    for row in range(rows.count):
        weights = [key[source] for source in sources[row]] + ([key[4][:, unseen]] if row in new else [])
        seen = [value[source] for source in sources[row]] + ([value[4][:, unseen]] if row in new else [])
        scores = (query[row] @ torch.cat(weights, 1).transpose(1, 2) / math.sqrt(5)).exp()
        if len(sources[row]) > 1:
            scores[..., :tokens] *= own_weight  # itself comes first
        assert torch.allclose(made[row], scores / scores.sum(-1, keepdim=True) @ torch.cat(seen, 1), atol=1e-5), row


def test_neighbours_are_those_before_and_decide_no_end() -> None:
    rows = Rows(6, frozenset({0, 1}), True)
    assert trajectories_of("woven", rows, neighbours=True) == {2: (1, 5), 3: (1, 5, 2), 4: (1, 5, 3), 5: (1,)}
    assert trajectories_of("none", rows, neighbours=True) == {}
    order = [row for group in batches("woven", rows, 1) for row in group]
    done = set(rows.fixed)
    for row in order:
        assert set(trajectories_of("woven", rows, neighbours=True)[row]) <= done
        done.add(row)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("most", [1, 8])
@pytest.mark.parametrize("rows", CASES[:2], ids=["start", "later"])
def test_in_a_unet_batch_by_batch(mode: str, most: int, rows: Rows) -> None:
    """A whole step, fixed rows first, in batches of some size: as all rows in one batch with the slow definition inside."""
    import tiny_diffusion

    torch.manual_seed(2)
    unet = tiny_diffusion.unet(xl=False)
    sample = torch.randn(rows.count, 4, GRID[1], GRID[0])
    prompts = torch.randn(2, 7, 32)
    matches = correspondences(rows)
    sources = sources_of(mode, rows)
    trajectories = {
        row: found
        for row, others in trajectories_of(mode, rows).items()
        if (found := tuple(other for other in others if matches.known(row, other)))
    }

    def call(controller: Any, group: tuple[int, ...], halves: int, cached: frozenset[int], cache: dict) -> Any:
        controller.call = AttentionCall(
            group, halves, sources, {r: trajectories[r] for r in group if r in trajectories}, matches, cached, cache
        )
        batch = torch.cat([sample[list(group)]] * halves)
        embeds = torch.cat([prompts[half : half + 1].expand(len(group), -1, -1) for half in range(2 - halves, 2)])
        try:
            with torch.no_grad():
                return unet(batch, 50, encoder_hidden_states=embeds).sample
        finally:
            controller.call = None

    controller = install_processors(unet)
    cache: dict = {}
    made = {}
    everyone = frozenset(range(rows.count))
    if rows.fixed:
        call(controller, tuple(sorted(rows.fixed)), 2, everyone, cache)
    for group in batches(mode, rows, most):
        found = call(controller, group, 2, everyone, cache)
        made |= {row: found[[n, len(group) + n]] for n, row in enumerate(group)}

    class Slow:
        """One batch of every row: what is not to be seen, and what is."""

        def __call__(self, attn: Any, hidden_states: Any, *_: Any, **__: Any) -> Any:
            batch, tokens, _ = hidden_states.shape
            parts = [
                layer(hidden_states).view(batch, tokens, attn.heads, -1).transpose(1, 2)
                for layer in (attn.to_q, attn.to_k, attn.to_v)
            ]
            half = batch // 2
            out = [
                slowly(*(part[at : at + half] for part in parts), sources, trajectories, matches) for at in (0, half)
            ]
            return attn.to_out[0](torch.cat(out).transpose(1, 2).reshape(batch, tokens, -1))

    processors = dict(unet.attn_processors)
    unet.set_attn_processor(
        {name: Slow() if type(one).__name__ == "_Processor" else one for name, one in processors.items()}
    )
    embeds = torch.cat([prompts[half : half + 1].expand(rows.count, -1, -1) for half in (0, 1)])
    with torch.no_grad():
        wanted = unet(torch.cat([sample, sample]), 50, encoder_hidden_states=embeds).sample
    for row in rows.live:
        assert torch.allclose(made[row], wanted[[row, rows.count + row]], atol=2e-4), (mode, row)


def test_modes_differ_and_encoders_are_left_alone() -> None:
    import tiny_diffusion

    torch.manual_seed(3)
    unet = tiny_diffusion.unet(xl=True)
    names = {name for name, one in unet.attn_processors.items() if type(one).__name__ == "_Processor"}
    assert not names
    install_processors(unet)
    names = {name for name, one in unet.attn_processors.items() if type(one).__name__ == "_Processor"}
    assert names
    assert all(name.startswith("up_blocks") and ".attn1." in name for name in names)
    install_processors(unet, layers="all")
    more = {name for name, one in unet.attn_processors.items() if type(one).__name__ == "_Processor"}
    assert more > names
    assert any(name.startswith("down_blocks") for name in more)


def test_paths_point_where_the_footage_went_and_are_cut_at_its_border() -> None:
    matches = correspondences(Rows(3, frozenset(), False))
    index, seen = matches.tokens(0, 2, 48)
    rows, columns = np.divmod(np.arange(48), 8)
    assert (seen.numpy().reshape(6, 8)[:, :6]).all()
    assert not seen.numpy().reshape(6, 8)[:, 6:].any()
    inside = seen.numpy()
    assert (index.numpy()[inside] == (rows * 8 + columns + 2)[inside]).all()
    assert matches.tokens(1, 1, 12)[0].tolist() == list(range(12))
    with pytest.raises(ValueError, match="13 tokens"):
        matches.tokens(0, 1, 13)


def test_within_a_window_no_keyframe_decides_the_window_after() -> None:
    """In the default mode the last keyframe looks at the anchor and the first, and nothing else reaches it."""
    rows = Rows(6, frozenset({0, 1}), True)
    for mode in ("woven", "trajectory"):
        assert set(sources_of(mode, rows)[rows.last]) <= {rows.anchor, rows.first, rows.last}
    assert partners_of(rows.last, rows) == (rows.first,)
    assert partners_of(3, rows) == (rows.first, rows.last)
    assert list(batches("woven", rows, 2)) == [(5, 2), (3, 4)]


def test_in_the_default_mode_each_looks_at_itself_the_anchor_and_the_windows_first() -> None:
    later = Rows(5, frozenset({0, 1}), True)
    assert sources_of("woven", later) == {0: (0,), 1: (1,), 2: (2, 0, 1), 3: (3, 0, 1), 4: (4, 0, 1)}
    opening = Rows(3, frozenset(), False)
    assert sources_of("woven", opening) == {0: (0,), 1: (1, 0), 2: (2, 0)}
