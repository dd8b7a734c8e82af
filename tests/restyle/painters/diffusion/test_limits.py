"""How much is computed at once: measured, narrowed where memory runs out, and kept, so that what goes on goes on the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from restyle.errors import PainterError  # noqa: E402
from restyle.job.settings import JobSettings  # noqa: E402
from restyle.job.store import JobStore  # noqa: E402
from restyle.painters.diffusion import limits, loading  # noqa: E402
from restyle.painters.diffusion.painter import DiffusionPainter  # noqa: E402
from restyle.painters.networks import devices, memory  # noqa: E402
from restyle.painters.settings import RunSettings  # noqa: E402
from restyle.types import TextPrompt  # noqa: E402

from .conftest import job, picture  # noqa: E402

MIB = 1 << 20


def painter(tiny: Any, **options: Any) -> DiffusionPainter:
    return DiffusionPainter(**{"model": tiny("sd15"), "steps": 4, "resolution": 0, "guidance_scale": 1.0, **options})


def with_room_for(one: DiffusionPainter, rows: int) -> list[int]:
    """Have its UNet run out of memory for more than so many rows; gives the sizes of its calls."""
    unet = one.ready(job([picture(0)])).models.pipe.unet
    calls: list[int] = []

    def hook(_: Any, given: Any) -> None:
        calls.append(len(given[0]))
        if len(given[0]) > rows:
            raise torch.OutOfMemoryError("CUDA out of memory")

    unet.register_forward_pre_hook(hook)
    return calls


@pytest.mark.parametrize(
    "options", [{}, {"start": "inversion"}, {"warp_noise": False, "schedule": "lcm", "steps": None}]
)
def test_a_window_is_begun_again_with_fewer(tiny: Any, options: dict[str, Any]) -> None:
    """Bit for bit what it is if fewer are computed from the start, whatever had been drawn and inverted before."""
    request = job([picture(n) for n in range(5)])
    wanted, carry = painter(tiny, batch=2, **options).paint(request, None)
    short = painter(tiny, batch=4, **options)
    calls = with_room_for(short, 3)
    made, handed_on = short.paint(request, None)
    assert all(np.array_equal(a, b) for a, b in zip(made, wanted, strict=True))
    assert all(np.array_equal(carry.arrays[name], handed_on.arrays[name]) for name in carry.arrays)
    assert calls[0] == 4
    assert max(calls[1:]) == 2


def test_what_a_run_found_out_the_next_one_begins_with(tiny: Any, tmp_path: Path) -> None:
    """Another process, with more memory, or with as little."""
    request = job([picture(n) for n in range(5)])
    with JobStore(tmp_path / "job") as store:
        settings = JobSettings(store)
        first = painter(tiny, batch=4)
        with_room_for(first, 3)
        made, _ = first.paint(replace(request, settings=settings), None)
        for room in (3, 8):
            later = painter(tiny, batch=4)
            calls = with_room_for(later, room)
            again, _ = later.paint(replace(request, settings=JobSettings(store)), None)
            assert max(calls) == 2, "no more than the job knows to fit"
            assert all(np.array_equal(a, b) for a, b in zip(made, again, strict=True))
        calls = with_room_for(other := painter(tiny, batch=3), 8)
        other.paint(replace(request, settings=settings), None)
        assert max(calls) == 3, "asked for something else"
        store.clear()
        assert settings.get({"a": 1}) is None
        assert len([*(tmp_path / "job" / "settings").iterdir()]) == 3, (
            "they stay, for what is made again is to be the same"
        )


def test_values_are_kept_one_after_another(tmp_path: Path) -> None:
    facts = {"painter": "x", "size": [8, 8]}
    with JobStore(tmp_path / "job") as store:
        settings = JobSettings(store)
        assert settings.get(facts) is None
        for value in ({"rows": 8}, {"rows": 4}, {"rows": 4}, {"rows": 8}):
            settings.put(facts, value)
            assert settings.get(facts) == value
        assert settings.get({**facts, "size": [8, 16]}) is None
    (damaged := next((tmp_path / "job" / "settings").iterdir()) / "value.json").write_text("{")
    with JobStore(tmp_path / "job") as store:
        assert JobSettings(store).get(facts) in (None, {"rows": 8}, {"rows": 4})
    assert not damaged.exists()


@pytest.mark.parametrize(
    "wrong", [7, {"rows": 0, "tiled": False}, {"rows": True, "tiled": False}, {"rows": 2}, {"rows": 2, "tiled": 1}]
)
def test_what_was_kept_and_cannot_be_is_passed_over(tiny: Any, wrong: Any) -> None:
    class Wrong(RunSettings):
        def get(self, facts: Any) -> Any:
            return wrong

    one = painter(tiny, batch=3)
    one.paint(replace(job([picture(1)]), settings=Wrong()), None)
    assert one.ready(job([picture(1)])).limits.rows == 3


def test_tiles_are_kept_too(tiny: Any) -> None:
    settings = RunSettings()
    request = replace(job([picture(1), picture(2)]), settings=settings)
    first = painter(tiny)
    models = first.ready(request).models
    models.pipe.vae.tile_sample_min_size, models.pipe.vae.tile_latent_min_size = 32, 4

    def hook(_: Any, given: Any) -> None:
        if given[0].shape[-1] > 4:
            raise RuntimeError("CUDA error: out of memory")

    models.pipe.vae.decoder.register_forward_pre_hook(hook)
    made, _ = first.paint(request, None)
    later = painter(tiny)
    vae = later.ready(request).models.pipe.vae
    vae.tile_sample_min_size, vae.tile_latent_min_size = 32, 4
    again, _ = later.paint(request, None)
    assert vae.use_tiling
    assert all(np.array_equal(a, b) for a, b in zip(made, again, strict=True)), (
        "what was encoded before was begun again, too"
    )


def test_rows_are_measured_by_one(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The GPU's own figures are stood in for: a row takes 100 MiB, 700 are free."""
    monkeypatch.setattr(limits, "ON_CPU", None)
    monkeypatch.setattr(limits, "peak_of", lambda _, work: (work(), 100 * MIB)[1])
    monkeypatch.setattr(limits, "free_memory", lambda _: 700 * MIB)
    told: list[str] = []
    settings = RunSettings()
    request = job([picture(n) for n in range(6)], tick=told.append, settings=settings)
    one = painter(tiny)
    one.ready(request)
    calls = with_room_for(one, 99)
    made, _ = one.paint(request, None)
    assert calls[0] == 1
    assert max(calls) == 4, "six tenths of what is free"
    assert any("a keyframe takes 100 MiB: up to 4 at once" in line for line in told)
    one.paint(request, None)
    assert calls.count(1) == 1, "once"
    monkeypatch.setattr(limits, "free_memory", lambda _: 10_000 * MIB)
    later = painter(tiny)
    calls = with_room_for(later, 99)
    again, _ = later.paint(request, None)
    assert max(calls) == 4
    assert all(np.array_equal(a, b) for a, b in zip(made, again, strict=True))
    wanted, _ = painter(tiny, batch=4).paint(request, None)
    assert all(np.array_equal(a, b) for a, b in zip(made, wanted, strict=True))


@pytest.mark.parametrize(("free", "row", "wanted"), [(10, 100, 1), (1000, 100, 6), (10**9, 1, 64), (0, 0, 1)])
def test_rows_that_fit(free: int, row: int, wanted: int) -> None:
    assert limits.rows_that_fit(free, row) == wanted


def test_the_peak_of_some_work_by_the_gpus_own_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    taken = iter([30, 75])
    for name, given in {
        "synchronize": lambda device=None: None, "reset_peak_memory_stats": lambda device: None,
        "memory_allocated": lambda device: 20, "max_memory_allocated": lambda device: 90, "memory_reserved": lambda device: 50,
        "mem_get_info": lambda device: (7, 99),
    }.items():  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, given)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: next(taken))
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: None)
    monkeypatch.setattr(torch.mps, "synchronize", lambda: None)
    peaks = [memory.peak_of(torch.device(name), lambda: done.append("done")) for name in ("cuda", "mps", "cpu")]
    assert peaks == [70, 45, 0]
    assert len(done) == 3
    assert devices.free_memory("cuda:0") == 7 + 50 - 20


def test_memory_that_runs_out_in_the_text_encoders_is_told(tiny: Any) -> None:
    one = painter(tiny, model=tiny("sdxl"))
    encoder = one.ready(job([picture(1)])).models.pipe.text_encoder_2

    def fail(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    encoder.register_forward_pre_hook(fail)
    with pytest.raises(PainterError, match=r"^out of memory on cpu in the text encoders: .* or offload=true"):
        one.paint(job([picture(1)]), None)


@pytest.mark.parametrize("part", ["unet", "text_encoder", "encoder", "decoder"])
def test_networks_take_turns_where_nothing_else_is_left(tiny: Any, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    """As on a GPU, whose memory is too small for all networks and one keyframe, or one tile."""
    request = job([picture(1)])
    plain, one = painter(tiny, batch=1), painter(tiny, batch=1)
    for each in (plain, one):
        each.ready(request).limits._tiled = part in ("encoder", "decoder")
    wanted, _ = plain.paint(request, None)
    models = one.ready(request).models
    turns: list[Any] = []
    monkeypatch.setattr(models.pipe, "enable_model_cpu_offload", lambda device: turns.append(str(device)))
    models.placing._may = True

    def hook(*_: Any) -> None:
        if not turns:
            raise torch.OutOfMemoryError("CUDA out of memory")

    getattr(models.pipe if hasattr(models.pipe, part) else models.pipe.vae, part).register_forward_pre_hook(hook)
    made, _ = one.paint(request, None)
    assert turns == ["cpu"]
    assert np.array_equal(made[0], wanted[0])
    assert "networks take turns, for memory ran out on cpu" in one.notes
    turns.clear()
    with pytest.raises(PainterError, match="out of memory on cpu") as error:
        one.paint(replace(request, prompts=(TextPrompt("another"),)), None)
    assert "offload=true" not in str(error.value)
    assert not turns


def test_memory_that_runs_out_while_loading_moves_parts_in_as_needed(
    tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    load = loading._load

    def short(options: Any, *rest: Any) -> Any:
        asked.append(options.offload)
        if not options.offload:
            raise RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)")
        return load(options, *rest)

    monkeypatch.setattr(loading, "_load", short)
    told: list[str] = []
    painter(tiny).ready(job([picture(1)], tick=told.append))
    assert asked == [None, True]
    assert "out of memory while the model is loaded: its parts are moved in as needed" in told
    with pytest.raises(PainterError, match="while the model is loaded; use offload=true"):
        painter(tiny, offload=False).ready(job([picture(1)]))
    monkeypatch.setattr(
        loading, "_load", lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError("CUDA out of memory"))
    )
    with pytest.raises(PainterError, match="while the model is loaded; use a smaller model"):
        painter(tiny).ready(job([picture(1)]))
