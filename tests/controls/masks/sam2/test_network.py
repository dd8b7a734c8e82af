"""Our streaming SAM 2 against its makers' video predictor and against transformers' own session, on the same random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sam2_weights import FILE, SIDE, Drift, matte_of

from controls.masks import MASKERS
from controls.types import Box, Matte, Point, Prompted

TWO = [
    Prompted("a", 2, Point(30, 20)),
    Prompted("b", 2, Box(40, 10, 80, 50)),
    Prompted("b", 2, Point(60, 30)),
    Prompted("b", 2, Point(45, 12, positive=False)),
]
CASES = {
    "two objects": (19, TWO),  # longer than memory (7 frames, 16 pointers) reaches
    "a matte": (6, [Prompted("a", 3, matte_of(20, 10, 50, 40))]),
    "several prompts": (8, [
        Prompted("a", 1, Point(30, 20)), Prompted("a", 1, Point(34, 22)), Prompted("b", 1, matte_of(5, 5, 40, 40)),
        Prompted("b", 6, Box(20, 10, 60, 50)),
    ]),
}  # fmt: skip


@pytest.fixture
def session_model(folder: Path) -> Any:
    """transformers' own network, as it comes."""
    from transformers import Sam2VideoModel

    from controls.masks.sam2.transformers_network import look_at

    config = Sam2VideoModel.config_class.from_pretrained(folder)
    look_at(config, SIDE)
    return Sam2VideoModel.from_pretrained(folder, config=config).eval()


def made(model: Path) -> Any:
    return MASKERS.make("sam2", {"model": str(model), "image_size": SIDE, "holes": 0, "device": "cpu"})


def theirs(
    reference: Any, clip: Drift, prompts: list[Prompted], *, reverse: bool, monkeypatch: pytest.MonkeyPatch
) -> dict[int, dict[str, np.ndarray]]:
    """The makers' logits by frame and object, on the same frames."""
    import torch

    on_frames(reference, clip, monkeypatch)
    state = reference.init_state("unused")
    names = list(dict.fromkeys(one.name for one in prompts))
    for name, frame in dict.fromkeys((one.name, one.frame) for one in prompts):
        given = [one.prompt for one in prompts if (one.name, one.frame) == (name, frame)]
        mattes = [prompt.values >= 0.5 for prompt in given if isinstance(prompt, Matte)]
        if mattes:
            reference.add_new_mask(state, frame, names.index(name), torch.from_numpy(mattes[0]))
            continue
        points = [(prompt.x + 0.5, prompt.y + 0.5) for prompt in given if isinstance(prompt, Point)]
        labels = [int(prompt.positive) for prompt in given if isinstance(prompt, Point)]
        boxes = [prompt for prompt in given if isinstance(prompt, Box)]
        corners = (
            [boxes[0].left + 0.5, boxes[0].top + 0.5, boxes[0].right + 0.5, boxes[0].bottom + 0.5] if boxes else None
        )
        reference.add_new_points_or_box(
            state, frame, names.index(name), points=points or None, labels=labels or None, box=corners
        )
    found = {}
    for frame, ids, logits in reference.propagate_in_video(state, reverse=reverse):
        found[frame] = {names[ids[n]]: logits[n, 0].numpy() for n in range(len(ids))}
    return found


def on_frames(reference: Any, clip: Drift, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the makers' predictor see a clip."""
    seen = clip.as_the_network_sees_them(), clip.size[1], clip.size[0]
    monkeypatch.setattr("sam2.sam2_video_predictor.load_video_frames", lambda **_: seen)
    monkeypatch.setattr("sam2.sam2_video_predictor.tqdm", lambda order, **_: order)


def test_logits_equal_the_session_of_transformers(folder: Path, session_model: Any) -> None:
    import torch
    from transformers import Sam2VideoInferenceSession

    count, prompts = 10, TWO
    clip = Drift(count)
    ours = dict(made(folder).logits(clip, prompts))
    scale = torch.tensor(clip.size, dtype=torch.float32)

    def scaled(*corners: tuple[float, float]) -> Any:
        return ((torch.tensor([[corners]]) + 0.5) / scale * SIDE).float()

    points = [
        (scaled((30, 20)), [1]),
        (scaled((40, 10), (80, 50), (60, 30), (45, 12)), [2, 3, 1, 0]),
    ]
    for reverse, frames in ((False, range(2, count)), (True, range(1, -1, -1))):
        session = Sam2VideoInferenceSession(clip.as_the_network_sees_them(), *clip.size[::-1], dtype=torch.float32)
        for number, (places, labels) in enumerate(points):
            session.add_point_inputs(
                session.obj_id_to_idx(number), 2, {"point_coords": places, "point_labels": torch.tensor([[labels]])}
            )
        session.obj_with_new_inputs = [0, 1]
        found = {2: session_model(session, frame_idx=2)} | {
            frame: session_model(session, frame_idx=frame, reverse=reverse) for frame in frames if frame != 2
        }
        for frame, out in found.items():
            full = torch.nn.functional.interpolate(
                out.pred_masks, size=clip.size[::-1], mode="bilinear", align_corners=False
            )
            for number, name in enumerate("ab"):
                np.testing.assert_allclose(
                    ours[frame][name], full[number, 0].numpy(), rtol=1e-4, atol=1e-5, err_msg=f"{name}, frame {frame}"
                )
                assert float(np.ptp(ours[frame][name])) > 0.1, "logits that are all alike prove nothing"


@pytest.mark.parametrize("case", CASES)
def test_logits_equal_the_makers(folder: Path, reference: Any, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    count, prompts = CASES[case]
    clip = Drift(count)
    start = min(one.frame for one in prompts)
    ahead = theirs(reference, clip, prompts, reverse=False, monkeypatch=monkeypatch)
    back = theirs(reference, clip, prompts, reverse=True, monkeypatch=monkeypatch)
    for way in (folder, folder / FILE):
        ours = dict(made(way).logits(clip, prompts))
        assert sorted(ours) == list(range(count))
        spread = 0.0
        for frame in range(count):
            for name, logits in ours[frame].items():
                expected = (ahead if frame >= start else back)[frame][name]
                np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=2e-3, err_msg=f"{name}, frame {frame}")
                spread = max(spread, float(np.ptp(expected)))
        assert spread > 0.1, "logits that are all alike prove nothing"


def test_a_drawn_mattes_memory_equals_the_makers(folder: Path) -> None:
    """Its object pointer, too: transformers alone takes another one."""
    from controls.masks.sam2.network import ObjectMemory

    clip = Drift(1)
    kept = []
    for way, pointer in ((folder, "object_pointer"), (folder / FILE, "obj_ptr")):
        _, network = made(way)._load(1)
        memory = ObjectMemory()
        network.prompt(memory, network.encode(clip.frames[0], 0), [matte_of(20, 10, 50, 40)])
        features = memory.prompted[0]["maskmem_features"].float().numpy()
        kept.append((memory.prompted[0][pointer].numpy().ravel(), features))
    (ours, encoded), (makers, theirs) = kept
    np.testing.assert_allclose(ours, makers, atol=1e-5)
    np.testing.assert_allclose(encoded[:, 0], theirs[0].reshape(64, -1).T, rtol=1e-2, atol=1e-3)
    assert float(np.ptp(makers)) > 0.1


def test_a_correction_equals_the_makers(weights: Path, reference: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference is prompted, run, prompted again on a frame that it has reached, and run on."""
    from controls.masks.sam2.network import ObjectMemory

    clip = Drift(8)
    _, network = made(weights)._load(len(clip))
    box, more = Prompted("a", 0, Box(20, 10, 60, 50)), Prompted("a", 4, Point(70, 40))
    past = ObjectMemory()
    network.prompt(past, network.encode(clip.frames[0], 0), [box.prompt])
    for t in range(1, 5):
        seen = network.encode(clip.frames[t], t)
        network.follow(past, seen, reverse=False)
    plain = network.logits(past, seen)
    network.prompt(past, seen, [more.prompt])
    ours = network.logits(past, seen)

    on_frames(reference, clip, monkeypatch)
    state = reference.init_state("unused")
    reference.add_new_points_or_box(state, 0, 1, box=[20.5, 10.5, 60.5, 50.5])
    for frame, _, _ in reference.propagate_in_video(state):
        if frame == 4:
            break
    _, _, logits = reference.add_new_points_or_box(state, 4, 1, points=[(70.5, 40.5)], labels=[1])
    np.testing.assert_allclose(ours, logits[0, 0].numpy(), rtol=1e-3, atol=2e-3)
    assert np.abs(plain - ours).max() > 0.01, "the correction changed nothing"


def test_the_past_is_forgotten_beyond_what_attention_looks_at(weights: Path) -> None:
    from controls.masks.sam2.network import ObjectMemory

    _, network = made(weights)._load(20)
    still = network.encode(Drift(1).frames[0], 0)
    past = ObjectMemory()
    network.prompt(past, still, [Point(30, 20)])
    for t in range(1, 20):
        network.follow(past, replace(still, frame=t), reverse=False)
        assert len(past.followed) <= 16
    assert min(past.followed) == 4
