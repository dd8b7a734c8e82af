"""Our streaming SAM 2 against the package's own video predictor, on the same random weights."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from controls.errors import ControlError
from controls.masks import MASKERS
from controls.masks.sam2.weights import find_checkpoint, published_weights
from controls.types import Box, Matte, Point, Prompted, PublishedWeights, Text
from interp.errors import MissingWeightsError

CONFIG = "configs/sam2.1/sam2.1_hiera_t.yaml"
SIDE = 128
SIZE = (96, 64)


class Clip:
    """Noise that drifts; ``last`` is the highest frame read so far."""

    def __init__(self, count: int) -> None:
        random = np.random.default_rng(4)
        world = np.asarray(
            Image.fromarray(random.integers(0, 255, (20, 40, 3), np.uint8)).resize((240, 120), Image.Resampling.BICUBIC)
        )
        self.size = SIZE
        self.frames = [np.ascontiguousarray(world[20:84, 3 * t : 3 * t + 96]) for t in range(count)]

    def __len__(self) -> int:
        return len(self.frames)

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        yield from self.frames[start:stop]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights, larger than those a network is born with, so that memory matters."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("sam2")
    safetensors = pytest.importorskip("safetensors.torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sam2.build_sam import build_sam2_video_predictor
    torch.manual_seed(7)
    network = build_sam2_video_predictor(
        CONFIG, None, device="cpu", hydra_overrides_extra=[f"++model.image_size={SIDE}"]
    )
    with torch.no_grad():
        for name, value in network.named_parameters():
            if value.ndim == 1 and name.endswith("gamma"):  # layer scales are born at a millionth
                value.fill_(0.3)
        # an object that is there: else every logit is the same
        network.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(4.0)
    path = tmp_path_factory.mktemp("sam2") / "sam2.1_hiera_tiny.safetensors"
    safetensors.save_file(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def reference(weights: Path) -> Any:
    """The package's predictor."""
    from safetensors.torch import load_file
    from sam2.build_sam import build_sam2_video_predictor

    network = build_sam2_video_predictor(
        CONFIG, None, device="cpu", hydra_overrides_extra=[f"++model.image_size={SIDE}"]
    )
    network.load_state_dict(load_file(weights))
    network.fill_hole_area = 0  # needs its compiled CUDA part
    return network.eval()


def theirs(
    reference: Any, clip: Clip, prompts: list[Prompted], *, reverse: bool, monkeypatch: pytest.MonkeyPatch
) -> dict[int, dict[str, np.ndarray]]:
    """The reference's logits by frame and object, on the same frames."""
    import torch

    def load(**_: Any) -> tuple[Any, int, int]:
        mean, spread = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        small = [np.asarray(Image.fromarray(frame).resize((SIDE, SIDE))) / 255.0 for frame in clip.frames]
        images = torch.from_numpy(np.stack(small)).float()
        return ((images - mean) / spread).permute(0, 3, 1, 2), clip.size[1], clip.size[0]

    monkeypatch.setattr("sam2.sam2_video_predictor.load_video_frames", load)
    monkeypatch.setattr("sam2.sam2_video_predictor.tqdm", lambda order, **_: order)
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


def matte_of(left: int, top: int, right: int, bottom: int) -> Matte:
    values = np.zeros(SIZE[::-1], np.float32)
    values[top:bottom, left:right] = 1
    return Matte(values)


TWO = [
    Prompted("a", 2, Point(30, 20)),
    Prompted("b", 2, Box(40, 10, 80, 50)),
    Prompted("b", 2, Point(60, 30)),
    Prompted("b", 2, Point(45, 12, positive=False)),
]


@pytest.mark.parametrize(
    ("count", "prompts"),
    [
        (22, TWO),  # longer than memory (7 frames, 16 pointers) reaches
        (6, [Prompted("a", 3, matte_of(20, 10, 50, 40))]),
        (9, [Prompted("a", 1, Point(30, 20)), Prompted("a", 1, Point(34, 22)), Prompted("b", 1, matte_of(5, 5, 40, 40)),
             Prompted("b", 6, Box(20, 10, 60, 50))]),
    ],
    ids=["two objects", "a matte", "several prompts"],
)  # fmt: skip
def test_logits_equal_the_reference_predictors(
    weights: Path, reference: Any, count: int, prompts: list[Prompted], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = Clip(count)
    masker: Any = MASKERS.make("sam2", {"model": str(weights), "image_size": SIDE, "holes": 0, "device": "cpu"})
    start = min(one.frame for one in prompts)
    ours = dict(masker.logits(clip, prompts))
    assert sorted(ours) == list(range(count))
    ahead = theirs(reference, clip, prompts, reverse=False, monkeypatch=monkeypatch)
    back = theirs(reference, clip, prompts, reverse=True, monkeypatch=monkeypatch)
    spread = 0.0
    for frame in range(count):
        for name, logits in ours[frame].items():
            expected = (ahead if frame >= start else back)[frame][name]
            np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=2e-3, err_msg=f"{name}, frame {frame}")
            spread = max(spread, float(np.ptp(expected)))
    assert spread > 0.1, "logits that are all alike prove nothing"


def test_a_correction_equals_the_references(weights: Path, reference: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference is prompted, run, prompted again on a frame that it has reached, and run on."""
    import torch

    clip = Clip(8)
    box, more = Prompted("a", 0, Box(20, 10, 60, 50)), Prompted("a", 4, Point(70, 40))
    from controls.masks.sam2.network import Network, ObjectMemory

    network = Network(reference, frames=8, holes=0)
    past = ObjectMemory()
    network.prompt(past, network.encode(clip.frames[0], 0), [box.prompt])
    for t in range(1, 5):
        seen = network.encode(clip.frames[t], t)
        network.follow(past, seen, reverse=False)
    network.prompt(past, seen, [more.prompt])
    ours = network.logits(past, seen)

    monkeypatch.setattr("sam2.sam2_video_predictor.load_video_frames", lambda **_: (
        torch.cat([torch.from_numpy(_tensor(frame)) for frame in clip.frames]), clip.size[1], clip.size[0],
    ))  # fmt: skip
    monkeypatch.setattr("sam2.sam2_video_predictor.tqdm", lambda order, **_: order)
    state = reference.init_state("unused")
    reference.add_new_points_or_box(state, 0, 1, box=[20.5, 10.5, 60.5, 50.5])
    for frame, _, _ in reference.propagate_in_video(state):
        if frame == 4:
            break
    _, _, logits = reference.add_new_points_or_box(state, 4, 1, points=[(70.5, 40.5)], labels=[1])
    np.testing.assert_allclose(ours, logits[0, 0].numpy(), rtol=1e-3, atol=2e-3)
    plain = ObjectMemory()
    network.prompt(plain, network.encode(clip.frames[0], 0), [box.prompt])
    for t in range(1, 5):
        network.follow(plain, network.encode(clip.frames[t], t), reverse=False)
    assert np.abs(network.logits(plain, seen) - ours).max() > 0.01, "the correction changed nothing"


def _tensor(frame: np.ndarray) -> np.ndarray:
    small = np.asarray(Image.fromarray(frame).resize((SIDE, SIDE))) / 255.0
    normal = (small - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return normal.transpose(2, 0, 1)[None].astype(np.float32)


def test_the_past_is_forgotten_beyond_what_attention_looks_at(weights: Path, reference: Any) -> None:
    clip = Clip(24)
    from controls.masks.sam2.network import Network, ObjectMemory

    network = Network(reference, frames=len(clip), holes=0)
    past = ObjectMemory()
    network.prompt(past, network.encode(clip.frames[0], 0), [Point(30, 20)])
    for t in range(1, 24):
        network.follow(past, network.encode(clip.frames[t], t), reverse=False)
        assert len(past.followed) <= 16
    assert min(past.followed) == 8


def test_every_frame_gets_a_matte_of_the_pictures_size(weights: Path) -> None:
    masker = MASKERS.make("sam2", {"model": str(weights), "image_size": SIDE, "device": "cpu"})
    found = list(masker.follow(Clip(5), [Prompted("a", 3, Point(30, 20)), Prompted("b", 1, matte_of(5, 5, 40, 40))]))
    assert [masked.frame for masked in found] == list(range(5))
    for masked in found:
        assert set(masked.mattes) == {"a", "b"}
        for name, matte in masked.mattes.items():
            assert matte.shape == SIZE[::-1]
            assert matte.dtype == np.float32
            assert (name in masked.lost) == (not (matte > 0.5).any())
    assert found[1].mattes["b"][20, 20] == 1
    assert found[1].mattes["b"][60, 90] == 0


def test_what_cannot_be_followed_is_refused_at_once(weights: Path) -> None:
    masker = MASKERS.make("sam2", {"model": str(weights), "image_size": SIDE, "device": "cpu"})
    with pytest.raises(ValueError, match="cannot look for words"):
        masker.follow(Clip(2), [Prompted("a", 0, Text("cat"))])
    with pytest.raises(ValueError, match="outside of the picture, 96x64"):
        masker.follow(Clip(2), [Prompted("a", 0, Point(96, 3))])
    with pytest.raises(ValueError, match="one box or one matte"):
        masker.follow(Clip(2), [Prompted("a", 0, Box(1, 1, 9, 9)), Prompted("a", 0, Box(20, 20, 29, 29))])


def test_weights_that_are_not_there_say_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(MissingWeightsError, match=r"no file 'none\.safetensors'.*facebook/sam2\.1-hiera-small"):
        find_checkpoint("none.safetensors", config=None, allow_pickle=False)
    with pytest.raises(MissingWeightsError, match=r"hf download facebook/sam2\.1-hiera-small sam2\.1_hiera_small\.pt"):
        find_checkpoint(None, config=None, allow_pickle=False)
    pickled = tmp_path / "sam2.1_hiera_tiny.pt"
    pickled.write_bytes(b"")
    with pytest.raises(ControlError, match="allow_pickle"):
        find_checkpoint(str(pickled), config=None, allow_pickle=False)
    odd = tmp_path / "mine.safetensors"
    odd.write_bytes(b"")
    with pytest.raises(ControlError, match="name its configuration"):
        find_checkpoint(str(odd), config=None, allow_pickle=False)


def test_the_file_that_a_hub_id_stands_for() -> None:
    tiny = {"model": "facebook/sam2.1-hiera-tiny", "allow_pickle": True}
    wanted = PublishedWeights("facebook/sam2.1-hiera-tiny", "sam2.1_hiera_tiny.pt", "model")
    assert published_weights(tiny) == wanted
    assert published_weights({"model": "some/where"}) is published_weights({"model": 5}) is None
    for options in ({"model": "facebook/sam2.1-hiera-tiny"}, {}):
        with pytest.raises(ControlError, match="published as a pickled file"):
            published_weights(options)
    with pytest.raises(ControlError, match="config is one of the package's own"):
        published_weights(tiny | {"config": "evil.yaml"})


def test_a_pickled_checkpoint_is_read_without_running_it(weights: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    good = tmp_path / "sam2.1_hiera_tiny.pt"
    torch.save({"model": load_file(weights)}, good)
    masker = MASKERS.make("sam2", {"model": str(good), "image_size": SIDE, "allow_pickle": True, "device": "cpu"})
    assert next(iter(masker.follow(Clip(1), [Prompted("a", 0, matte_of(5, 5, 40, 40))]))).mattes["a"][20, 20] == 1
    bad = tmp_path / "sam2.1_hiera_small.pt"
    from controls.masks.sam2.network import ObjectMemory

    torch.save({"model": {"x": ObjectMemory()}}, bad)
    wrong = MASKERS.make("sam2", {"model": str(bad), "image_size": SIDE, "allow_pickle": True, "device": "cpu"})
    with pytest.raises(ControlError, match="holds more than weights"):
        next(iter(wrong.follow(Clip(1), [Prompted("a", 0, Point(5, 5))])))


def test_weights_of_another_size_are_refused(weights: Path) -> None:
    masker = MASKERS.make(
        "sam2",
        {"model": str(weights), "config": "configs/sam2.1/sam2.1_hiera_s.yaml", "image_size": SIDE, "device": "cpu"},
    )
    with pytest.raises(ControlError, match=r"is no checkpoint of configs/sam2\.1/sam2\.1_hiera_s\.yaml"):
        next(iter(masker.follow(Clip(1), [Prompted("a", 0, Point(5, 5))])))
