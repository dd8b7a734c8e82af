"""Memory that painting takes: reckoned from files, and told before hours of work."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from clips import moving_frames, write_clip
from command import Caller

from restyle.errors import PainterError
from restyle.painters.memory import MemoryEstimate, MemoryNeed
from restyle.painters.networks.work import Load, work_bytes

GIB = 1 << 30
Tiny = Callable[[str], str]


def model(folder: Path, **parts: dict[str, object]) -> Path:
    """A folder with configurations alone."""
    for name, config in parts.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "config.json").write_text(json.dumps(config))
    return folder


def test_what_is_computed_with_is_near_what_was_counted(tmp_path: Path) -> None:
    """Live tensors of the published architectures at their own sizes, in GiB at two bytes a number."""

    def counted(name: str, load: Load, **parts: dict[str, object]) -> tuple[float, float]:
        network, decoding = work_bytes(model(tmp_path / name, **parts), load, 2)
        return network / GIB, decoding / GIB

    vace = {"num_attention_heads": 12, "attention_head_dim": 128, "vace_layers": list(range(0, 30, 2))}
    wan = {"_class_name": "AutoencoderKLWan", "base_dim": 96}
    found = counted("vace", Load((832, 480), 81, (4, 16)), transformer=vace, vae=wan)
    assert found == pytest.approx((3.0, 3.8), rel=0.1)
    flux = {"num_attention_heads": 24, "attention_head_dim": 128}
    found = counted("flux", Load((1024, 1024), stride=(1, 16), shown=1), transformer=flux)
    assert found == pytest.approx((0.86, 0), rel=0.1)
    unet: dict[str, object] = {"block_out_channels": [320, 640, 1280, 1280]}
    coder: dict[str, object] = {
        "_class_name": "AutoencoderKLTemporalDecoder",
        "block_out_channels": [128, 256, 512, 512],
    }
    found = counted("svd", Load((1024, 576), 14, (1, 8), 2), unet=unet, vae=coder)
    assert found == pytest.approx((4.35, 9.0), rel=0.1)
    cog = {"num_attention_heads": 48, "attention_head_dim": 64}
    coder = {"_class_name": "AutoencoderKLCogVideoX", "block_out_channels": [128, 256, 256, 512]}
    found = counted("cog", Load((720, 480), 49, (4, 16), 2), transformer=cog, vae=coder)
    assert found == pytest.approx((3.2, 14.7), rel=0.2)
    coder = {"_class_name": "AutoencoderKLLTX2Video", "block_out_channels": [256, 512, 1024, 2048]}
    found = counted("ltx2", Load((768, 512), 121, (8, 32), 2), transformer=flux, vae=coder)
    assert found[1] == pytest.approx(3.78, rel=0.1)
    single, double = (work_bytes(None, Load((512, 512), rows=2), width) for width in (2, 4))
    assert double == (2 * single[0], 2 * single[1])


def test_more_frames_and_larger_ones_take_more(tmp_path: Path) -> None:
    folder = model(tmp_path, transformer={"num_attention_heads": 2, "attention_head_dim": 12})
    small, long, large = (
        work_bytes(folder, Load(size, frames, (4, 16)), 2)[0]
        for size, frames in (((64, 48), 9), ((64, 48), 81), ((128, 96), 9))
    )
    assert (long, large) == (7 * small, 4 * small)


@pytest.mark.parametrize(
    ("device", "room", "computer", "says"),
    [
        ("cuda", 48, 64, "painting takes about 26 GiB of memory; cuda has 48"),
        ("cuda", 24, 64, "painting takes about 26 GiB of memory; cuda has 24: networks take turns in it"),
        (
            "cuda:1",
            12,
            64,
            "painting takes about 26 GiB of memory; cuda:1 has 12: weights are moved in layer by layer, which",
        ),
        (
            "cuda",
            4,
            64,
            "painting takes about 6.0 GiB of memory beside the weights, cuda has 4.0: use a smaller resolution",
        ),
        ("cuda", 48, 16, "painting takes about 20 GiB of memory, this computer has 16: take a smaller model"),
        ("cpu", None, 64, "painting takes about 26 GiB of memory; this computer has 64"),
        ("cpu", None, 24, "painting takes about 26 GiB of memory, this computer has 24: take a smaller model"),
    ],
)
def test_what_is_told(device: str, room: int | None, computer: int, says: str) -> None:
    need = MemoryNeed(20 * GIB, 10 * GIB, 6 * GIB, 5 * GIB)
    estimate = MemoryEstimate(need, device, None if room is None else room * GIB, computer * GIB)
    assert estimate.line.startswith(says)
    assert (estimate.lack is not None) == (", this computer" in says or "beside" in says)


def test_a_vae_that_is_too_large_works_in_tiles() -> None:
    need = MemoryNeed(GIB, GIB, GIB, 30 * GIB)
    assert need.way(24 * GIB) == "turns"
    assert MemoryEstimate(need, "cuda", 24 * GIB, 64 * GIB).lack is None
    assert MemoryEstimate(need, "cpu", None, 24 * GIB).lack is None


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mkv", moving_frames(6, (64, 48)), codec="ffv1", pixel_format="bgr0", rate=24)


def words(clip: Path, model: str) -> list[object]:
    options = [f"model={model}", "device=cpu", "frames=5"]
    return [clip, "--painter", "video", *(word for option in options for word in ("--painter-option", option))]


def test_a_plan_tells_what_painting_takes(tiny: Tiny, clip: Path, restyle_command: Caller) -> None:
    pytest.importorskip("diffusers")
    said = restyle_command("plan", *words(clip, tiny("vace")), "--json").json
    assert any(note.startswith("painting takes about 0.6 GiB of memory; this computer has") for note in said["notes"])
    said = restyle_command("plan", *words(clip, "vace-14b"), "--json").json  # not here: by its known size
    assert any("about 88 GiB of memory" in note for note in said["notes"])


def test_a_run_that_no_memory_holds_ends_before_anything_is_done(
    tiny: Tiny, clip: Path, tmp_path: Path, restyle_command: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("diffusers")
    from restyle.painters.networks import devices

    monkeypatch.setattr(devices.os, "sysconf", lambda name: 1000)
    line = ["run", *words(clip, tiny("vace")), "-o", tmp_path / "out.mkv", "--offline"]
    assert "GiB of memory, this computer has 0.0: take a smaller" in restyle_command.fails(
        *line, code=PainterError.exit_code
    )
    assert not [*(tmp_path / "out.mkv.restyle").rglob("*.npy")]
