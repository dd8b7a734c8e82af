"""The masker sam2, by transformers and by its makers' package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sam2_weights
from sam2_weights import FILE, SIDE, Drift, matte_of, save_small_folder

from controls.errors import ControlError
from controls.masks import MASKERS
from controls.types import Box, Point, Prompted, Text

SIZE = Drift.size


def made(model: Path, **options: Any) -> Any:
    return MASKERS.make("sam2", {"model": str(model), "image_size": SIDE, "device": "cpu", **options})


def test_every_frame_gets_a_matte_of_the_pictures_size(weights: Path) -> None:
    prompts = [Prompted("a", 3, Point(30, 20)), Prompted("b", 1, matte_of(5, 5, 40, 40))]
    found = list(made(weights).follow(Drift(5), prompts))
    assert [masked.frame for masked in found] == list(range(5))
    for masked in found:
        assert set(masked.mattes) == {"a", "b"}
        for name, matte in masked.mattes.items():
            assert matte.shape == SIZE[::-1]
            assert matte.dtype == np.float32
            assert (name in masked.lost) == (not (matte > 0.5).any())
    assert found[1].mattes["b"][20, 20] == 1
    assert found[1].mattes["b"][60, 90] == 0


def test_half_the_bits_give_much_the_same(folder: Path) -> None:
    prompts = [Prompted("a", 0, matte_of(20, 10, 60, 50))]
    whole, half = (dict(made(folder, dtype=dtype).logits(Drift(2), prompts)) for dtype in ("float32", "bfloat16"))
    exact, rough = whole[1]["a"], half[1]["a"]
    assert 0 < np.median(np.abs(exact - rough)) < 0.02 * float(np.ptp(exact))


def test_what_cannot_be_followed_is_refused_at_once(weights: Path) -> None:
    masker = made(weights)
    with pytest.raises(ValueError, match="cannot look for words"):
        masker.follow(Drift(2), [Prompted("a", 0, Text("cat"))])
    with pytest.raises(ValueError, match="outside of the picture, 96x64"):
        masker.follow(Drift(2), [Prompted("a", 0, Point(96, 3))])
    with pytest.raises(ValueError, match="one box or one matte"):
        masker.follow(Drift(2), [Prompted("a", 0, Box(1, 1, 9, 9)), Prompted("a", 0, Box(20, 20, 29, 29))])


def test_a_pickled_checkpoint_is_read_without_running_it(folder: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    from controls.masks.sam2.network import ObjectMemory

    good = tmp_path / "sam2.1_hiera_tiny.pt"
    torch.save({"model": load_file(folder / FILE)}, good)
    masker = made(good, allow_pickle=True)
    assert next(iter(masker.follow(Drift(1), [Prompted("a", 0, matte_of(5, 5, 40, 40))]))).mattes["a"][20, 20] == 1
    bad = tmp_path / "sam2.1_hiera_small.pt"
    torch.save({"model": {"x": ObjectMemory()}}, bad)
    with pytest.raises(ControlError, match="holds more than weights"):
        next(iter(made(bad, allow_pickle=True).follow(Drift(1), [Prompted("a", 0, Point(5, 5))])))


def test_weights_that_are_not_whole_are_refused(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    small = made(folder / FILE, config="configs/sam2.1/sam2.1_hiera_s.yaml")
    with pytest.raises(ControlError, match=r"is no checkpoint of configs/sam2\.1/sam2\.1_hiera_s\.yaml"):
        next(iter(small.follow(Drift(1), [Prompted("a", 0, Point(5, 5))])))
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    tensors = load_file(folder / "model.safetensors")
    save_file({name: tensors[name] for name in tensors if "memory" not in name}, tmp_path / "model.safetensors")
    with pytest.raises(ControlError, match="is not all of a SAM 2 video model: it lacks memory"):
        next(iter(made(tmp_path).follow(Drift(1), [Prompted("a", 0, Point(5, 5))])))
    (tmp_path / "model.safetensors").write_bytes(b"none")
    with pytest.raises(ControlError, match="no SAM 2 that transformers can load"):
        next(iter(made(tmp_path).follow(Drift(1), [Prompted("a", 0, Point(5, 5))])))


PEAK = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from sam2_weights import SIDE, Drift, matte_of
from controls.masks import MASKERS
from controls.types import Prompted

class Long(Drift):
    def __init__(self, count):
        super().__init__(30)
        self.count = count
    def __len__(self):
        return self.count
    def read(self, start, stop):
        return (self.frames[number % 30] for number in range(start, stop))

masker = MASKERS.make("sam2", {{"model": {folder!r}, "image_size": SIDE, "device": "cpu"}})
count = int(sys.argv[1])
prompts = [Prompted("a", count // 2, matte_of(20, 10, 60, 50))]
assert sum(1 for _ in masker.follow(Long(count), prompts)) == count
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])  # rusage counts the parent's, too
"""


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_times_the_frames_take_no_more_memory(tmp_path: Path) -> None:
    """Followed both ways from the middle; each in a process of its own."""
    program = PEAK.format(tests=str(Path(sam2_weights.__file__).parent), folder=str(save_small_folder(tmp_path)))
    few, many = (
        int(subprocess.run([sys.executable, "-c", program, count], capture_output=True, text=True, check=True).stdout)
        for count in ("60", "600")
    )
    assert many < 1.15 * few


def test_no_more_is_held_after_many_frames_than_after_some(tmp_path: Path) -> None:
    import gc

    import torch

    masker, held = made(save_small_folder(tmp_path)), []
    for count in (20, 40):
        steps = masker.follow(Drift(count), [Prompted("a", 0, matte_of(20, 10, 60, 50))])
        for _ in range(count):  # the generator still runs: all that it keeps is there
            next(steps)
        gc.collect()
        held.append(sum(thing.nbytes for thing in gc.get_objects() if issubclass(type(thing), torch.Tensor)))
        steps.close()
    assert held[1] == held[0]


def test_what_the_network_remembers_of_a_prompted_frame_obeys_the_prompts(weights: Path) -> None:
    """Random weights obey nothing: a positive point far from what they find, and a box that they leave."""
    from controls.masks.binding import obeys
    from controls.masks.sam2 import following

    masker, clip = made(weights), Drift(4)
    module, network = masker._load(len(clip))
    assert module is following
    box, off = Box(20, 10, 60, 50), Point(40, 30, False)
    prompts: dict[str, dict[int, list[Any]]] = {"boxed": {0: [box]}, "pointed": {0: [Point(30, 20)], 2: [off]}}

    def logits(*, mended: bool) -> dict[tuple[str, int], np.ndarray]:
        memories = following.condition(network, clip, prompts, mended=mended)
        read = {frame: network.encode(next(iter(clip.read(frame, frame + 1))), frame) for frame in (0, 2)}
        return {(name, t): network.logits(memories[name], read[t]) for name in prompts for t in prompts[name]}

    plain, found = logits(mended=False), logits(mended=True)
    outside = np.ones(SIZE[::-1], bool)
    outside[6:56, 16:66] = False  # the memory's own pixels are coarse
    assert (plain["boxed", 0][outside] > 0).mean() > 0.05
    assert not (found["boxed", 0][outside] > 0).any()
    assert obeys((found["pointed", 0] > 0).astype(np.float32), Point(30, 20), [Point(30, 20)])
    assert obeys((found["pointed", 2] > 0).astype(np.float32), off, [off])
    assert not all(np.array_equal(found[key], plain[key]) for key in found)
