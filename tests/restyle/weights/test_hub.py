"""Fetching from a hub: what arrives is what it has, once, and what goes wrong is one line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from hub_server import Hub, Repository, digest

pytest.importorskip("huggingface_hub")

from command import start

from restyle.errors import MissingModelError, OutputError, RecipeError
from restyle.weights.digests import fingerprint
from restyle.weights.fetching import fetch
from restyle.weights.finding import Wanted, find_all, find_weights
from restyle.weights.folders import loaded_bytes, loaded_files
from restyle.weights.hub import cache_folder, cached, is_hub_id, look_up, pull_line
from restyle.weights.selection import Selection

NET = "diffusion_pytorch_model.safetensors"


def blob(number: int, size: int = 300_000) -> bytes:
    return bytes((number + place * place) % 251 for place in range(1000)) * (size // 1000)


@pytest.fixture
def net(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub with one ControlNet, ``owner/net``."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 50_000)  # what is written at once; else 10 MiB
    hub.repositories["owner/net"] = Repository({"config.json": b'{"a": 1}', NET: blob(1), "README.md": b"read me"})
    return hub


def test_what_is_fetched_is_what_is_there_and_never_twice(net: Hub) -> None:
    folder = find_weights("owner/net", "ControlNet", offline=False)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {"config.json": b'{"a": 1}', NET: blob(1)}
    sent = list(net.sent)
    assert sorted(sent) == [("config.json", 0), (NET, 0)]
    assert find_weights("owner/net", "ControlNet", offline=False) == folder
    assert fetch(look_up("owner/net")) == folder
    net.down = True
    assert find_weights("owner/net", "ControlNet", offline=True) == folder
    assert net.sent == sent


def test_the_librarys_own_cache_is_filled_and_used(net: Hub) -> None:
    """Other programs find what we fetched; we find what they did."""
    import huggingface_hub

    folder = fetch(look_up("owner/net"))
    assert Path(huggingface_hub.hf_hub_download("owner/net", NET, local_files_only=True)) == folder / NET
    shutil.rmtree(cache_folder("owner/net"))
    assert cached("owner/net") is None
    theirs = huggingface_hub.snapshot_download("owner/net")
    assert cached("owner/net") == Path(theirs)


@pytest.mark.parametrize("ranges", [True, False])
def test_cut_off_within_a_file_it_goes_on_there(net: Hub, ranges: bool) -> None:
    net.cut[NET] = 200_000
    with pytest.raises(MissingModelError, match=r"^cannot (fetch|reach).*'owner/net'.*goes on where it was") as failed:
        fetch(look_up("owner/net"))
    assert "\n" not in str(failed.value)
    assert cached("owner/net") is None, "an unfinished model must not count as one"
    part = cache_folder("owner/net") / "blobs" / f"{digest(NET, blob(1))}.part"
    assert part.stat().st_size == 200_000
    net.cut.clear()
    net.down, net.ranges = False, ranges
    net.sent.clear()
    told: list[tuple[str, int, int]] = []
    offer = look_up("owner/net")
    assert offer.missing == 100_000
    folder = fetch(offer, progress=lambda *said: told.append(said))
    assert (folder / NET).read_bytes() == blob(1)
    assert net.sent == [(NET, 200_000 if ranges else 0)]
    assert told[-1] == (NET, 300_008, 300_008)
    assert all(total == 300_008 for _, _, total in told)
    assert not part.exists()


def test_a_connection_that_is_cut_once_is_no_error(net: Hub) -> None:
    """The server is up again by the next try, which follows within the same call."""
    net.cut[NET], net.recovers = 100_000, True
    assert (fetch(look_up("owner/net")) / NET).read_bytes() == blob(1)
    assert (NET, 100_000) in net.sent


@pytest.mark.parametrize(
    "wrong", [blob(2), blob(1)[:-1000], blob(1) + b"more"], ids=["other bytes", "too short", "too long"]
)
def test_what_is_not_as_told_is_thrown_away(net: Hub, wrong: bytes) -> None:
    net.lies[NET] = wrong
    with pytest.raises(MissingModelError, match="owner/net"):
        fetch(look_up("owner/net"))
    assert cached("owner/net") is None
    net.lies.clear()
    assert (fetch(look_up("owner/net")) / NET).read_bytes() == blob(1)


def test_a_damaged_beginning_is_found_at_the_end_and_the_next_try_is_clean(net: Hub) -> None:
    blobs = cache_folder("owner/net") / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{digest(NET, blob(1))}.part").write_bytes(b"x" * 1000)
    with pytest.raises(MissingModelError, match=r"did not arrive as the hub describes it.*try again"):
        fetch(look_up("owner/net"))
    assert (fetch(look_up("owner/net")) / NET).read_bytes() == blob(1)


def test_without_room_nothing_is_fetched(net: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=299_000))
    with pytest.raises(OutputError, match=r"'owner/net' takes .* more.*set HF_HOME"):
        fetch(look_up("owner/net"))
    assert net.sent == []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=301_000))
    fetch(look_up("owner/net"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_cannot_be_written_is_named(net: Hub, tmp_path: Path) -> None:
    (tmp_path / "hf").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="hf"):
        fetch(look_up("owner/net"))


def test_a_cache_that_is_no_folder_is_named(net: Hub, tmp_path: Path) -> None:
    (tmp_path / "hf").write_text("a file")
    with pytest.raises(OutputError, match="hf"):
        fetch(look_up("owner/net"))


def test_no_network_no_such_id_and_closed_doors(net: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        MissingModelError, match=r"there is no ControlNet 'owner/none' on the model hub, or it is private"
    ):
        find_weights("owner/none", "ControlNet", offline=False)
    net.repositories["owner/gated"] = Repository({"config.json": b"{}", NET: blob(1)}, gated=True)
    with pytest.raises(MissingModelError, match="'owner/gated' is given only to people who accepted its terms"):
        find_weights("owner/gated", "model", offline=False)
    net.down = True
    with pytest.raises(MissingModelError, match=r"'owner/net' \(the hub answers 503 ") as failed:
        find_weights("owner/net", "model", offline=False)
    assert "\n" not in str(failed.value)
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(MissingModelError, match=r"cannot reach the model hub for model 'owner/net'"):
        find_weights("owner/net", "model", offline=False)


def test_offline_asks_nobody_and_names_the_line_that_fetches(net: Hub) -> None:
    with pytest.raises(
        MissingModelError, match=r"LoRA 'owner/net' .*: restyle models pull owner/net --file a.safetensors$"
    ):
        find_weights("owner/net", "LoRA", Selection(["a.safetensors"]), offline=True)
    assert net.sent == []


def test_a_file_that_is_not_there_is_named(net: Hub) -> None:
    with pytest.raises(MissingModelError, match=r"'owner/net' on the model hub has no file 'a.safetensors'"):
        find_weights("owner/net", "LoRA", Selection(["a.safetensors"]), offline=False)


def test_only_some_files_fetched_are_not_the_whole(tiny: Any, hub: Hub) -> None:
    hub.repositories["owner/base"] = Repository.of(tiny("sd15"))
    fetch(look_up("owner/base", selection=Selection(["model_index.json", "unet/config.json"])))
    assert cached("owner/base") is None
    assert cached("owner/base", Selection(["unet/config.json"])) is not None
    assert cached("owner/base", Selection(["unet/other.json"])) is None
    folder = find_weights("owner/base", "model", offline=False)
    for part in ("unet", "vae", "text_encoder", "tokenizer", "scheduler"):
        assert any((folder / part).iterdir())
        gone = folder / part
        kept = gone.rename(folder.parent / part)
        assert cached("owner/base") is None, part
        kept.rename(gone)
    assert cached("owner/base") == folder


NETWORKS = ["diffusers", "UNet2DConditionModel"], ["diffusers", "AutoencoderKL"], ["transformers", "CLIPTextModel"]
INDEX = {
    "_class_name": "StableDiffusionPipeline", "unet": NETWORKS[0], "vae": NETWORKS[1], "text_encoder": NETWORKS[2],
    "tokenizer": ["transformers", "CLIPTokenizer"], "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
    "feature_extractor": ["transformers", "CLIPImageProcessor"], "image_encoder": [None, None],
}  # fmt: skip
TWINS = {
    "model_index.json": json.dumps(INDEX).encode(), "README.md": b"", "unet/config.json": b"{}", "vae/config.json": b"{}",
    "unet/diffusion_pytorch_model.safetensors": b"full", "unet/diffusion_pytorch_model.fp16.safetensors": b"half",
    "unet/diffusion_pytorch_model.non_ema.safetensors": b"ema", "unet/diffusion_pytorch_model.bin": b"pickled",
    "unet/diffusion_pytorch_model.fp16.bin": b"pickled", "unet/model.onnx": b"onnx", "unet/openvino_model.bin": b"o",
    "vae/diffusion_pytorch_model.safetensors": b"full", "base_pruned.safetensors": b"everything",
    "vae/diffusion_flax_model.msgpack": b"flax", "vae_1_0/config.json": b"{}", "vae_decoder/model.onnx": b"onnx",
    "vae_1_0/diffusion_pytorch_model.safetensors": b"old", "vae_decoder/config.json": b"{}",
    "safety_checker/config.json": b"{}", "safety_checker/model.safetensors": b"unused", "tokenizer/merges.txt": b"",
    "tokenizer/vocab.json": b"{}", "tokenizer/tokenizer_config.json": b"{}", "feature_extractor/preprocessor_config.json": b"",
    "text_encoder/config.json": b"{}", "text_encoder/flax_model.msgpack": b"flax", "text_encoder/pytorch_model.bin": b"p",
    "text_encoder/model.fp16-00001-of-00002.safetensors": b"1", "text_encoder/model.fp16-00002-of-00002.safetensors": b"2",
    "text_encoder/model.safetensors.index.fp16.json": b'{"weight_map": {}}',
    "text_encoder/model-00001-of-00001.safetensors": b"3",
    "text_encoder/model.safetensors.index.json": b'{"weight_map": {}}', "text_encoder/openvino_model.xml": b"o",
}  # fmt: skip
TWINS = {name: data + b" " * number for number, (name, data) in enumerate(TWINS.items())}  # no two the same
LOADED = {
    "model_index.json", "unet/config.json", "vae/config.json", "tokenizer/merges.txt", "tokenizer/vocab.json",
    "tokenizer/tokenizer_config.json", "text_encoder/config.json",
}  # fmt: skip
HALF_TEXT = {f"text_encoder/model.fp16-0000{n}-of-00002.safetensors" for n in (1, 2)}
HALF_TEXT.add("text_encoder/model.safetensors.index.fp16.json")
UNUSED = ("safety_checker", "feature_extractor")
VAE = "vae/diffusion_pytorch_model.safetensors"


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(unused=UNUSED), {"unet/diffusion_pytorch_model.fp16.safetensors", VAE}),
        (Selection(unused=UNUSED, replaced=("vae",)), {"unet/diffusion_pytorch_model.fp16.safetensors"}),
        (Selection(unused=UNUSED, variant="non_ema"), {"unet/diffusion_pytorch_model.non_ema.safetensors", VAE}),
        (
            Selection(),
            {"unet/diffusion_pytorch_model.fp16.safetensors", VAE, "feature_extractor/preprocessor_config.json"},
        ),
    ],
    ids=["a painter's", "with another VAE", "a variant", "all parts"],
)
def test_of_a_model_what_is_loaded_is_fetched_and_nothing_else(
    hub: Hub, selection: Selection, wanted: set[str]
) -> None:
    hub.repositories["owner/base"] = Repository(TWINS)
    offer = look_up("owner/base", selection=selection)
    assert {file.name for file in offer.files} == LOADED | HALF_TEXT | wanted
    assert offer.size == sum(len(TWINS[name]) for name in LOADED | HALF_TEXT | wanted)
    assert {name for name, _ in hub.sent} == {"model_index.json"}
    assert cached("owner/base", selection) is None, "the one file is no model"
    folder = fetch(offer)
    assert {name for name, _ in hub.sent} == LOADED | HALF_TEXT | wanted
    assert cached("owner/base", selection) == folder
    if "vae" in selection.replaced:
        assert cached("owner/base", Selection(unused=UNUSED)) is None


def test_of_a_folder_what_is_loaded_counts_and_nothing_else(tmp_path: Path) -> None:
    for name, data in TWINS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)

    def loaded(**options: Any) -> set[str]:
        files = loaded_files(tmp_path, Selection(unused=UNUSED, **options))
        return {file.relative_to(tmp_path).as_posix() for file in files}

    full = {"text_encoder/model-00001-of-00001.safetensors", "text_encoder/model.safetensors.index.json"}
    assert loaded() == LOADED | full | {"unet/diffusion_pytorch_model.safetensors", VAE}
    assert loaded(replaced=("vae",)) == LOADED | full | {"unet/diffusion_pytorch_model.safetensors"}
    assert loaded(variant="fp16") == LOADED | HALF_TEXT | {"unet/diffusion_pytorch_model.fp16.safetensors", VAE}
    (tmp_path / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    (tmp_path / "unet" / "diffusion_pytorch_model.non_ema.safetensors").unlink()
    assert loaded() == loaded(variant="fp16"), "of the UNet there is nothing else"


def test_weights_count_as_they_are_computed_with(tiny: Any) -> None:
    from safetensors.torch import load_file

    files = loaded_files(Path(tiny("sd15")))
    numbers = sum(
        tensor.numel() for file in files if file.suffix == ".safetensors" for tensor in load_file(file).values()
    )
    assert [loaded_bytes(files, width) for width in (2, 4)] == [2 * numbers, 4 * numbers]


def test_a_part_that_is_there_pickled_only_is_told_before_anything_is_fetched(hub: Hub) -> None:
    files = {name: data for name, data in TWINS.items() if not name.startswith("text_encoder/model")}
    hub.repositories["owner/base"] = Repository(files)
    with pytest.raises(MissingModelError, match=r"'owner/base' .* no safetensors files .* in its part 'text_encoder';"):
        find_weights("owner/base", "model", offline=False)
    assert {name for name, _ in hub.sent} == {"model_index.json"}


def test_there_is_room_for_all_or_nothing_is_fetched(net: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    net.repositories["owner/other"] = net.repositories["owner/net"]
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=400_000))
    wanted = [Wanted(name, "ControlNet") for name in ("owner/net", "owner/other")]
    with pytest.raises(OutputError, match=r"'owner/net', 'owner/other' take .* more"):
        find_all(wanted, offline=False)
    assert net.sent == []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=700_000))
    assert all((folder / NET).is_file() for folder in find_all(wanted, offline=False))


def test_several_single_files_have_to_be_told_apart_and_pickled_ones_are_no_weights(hub: Hub) -> None:
    hub.repositories["owner/loras"] = Repository({"a.safetensors": b"a", "b.safetensors": b"b"})
    with pytest.raises(RecipeError, match=r"'owner/loras' .* several files, say which: a.safetensors, b.safetensors"):
        look_up("owner/loras")
    assert [file.name for file in look_up("owner/loras", selection=Selection(["b.safetensors"])).files] == [
        "b.safetensors"
    ]
    hub.repositories["owner/old"] = Repository({"config.json": b"{}", "diffusion_pytorch_model.bin": b"x"})
    with pytest.raises(MissingModelError, match=r"'owner/old' .* no safetensors .*allow_pickle=true"):
        look_up("owner/old")


def test_a_new_version_on_the_hub_is_fetched_when_asked_for_and_only_what_changed(net: Hub) -> None:
    old = fetch(look_up("owner/net"))
    net.repositories["owner/net"].files["config.json"] = b'{"a": 2}'
    assert find_weights("owner/net", "model", offline=False) == old, "a job does not ask"
    net.sent.clear()
    new = fetch(look_up("owner/net"))
    assert new != old
    assert net.sent == [("config.json", 0)]
    assert find_weights("owner/net", "model", offline=True) == new


def test_killed_in_the_middle_the_command_goes_on(net: Hub) -> None:
    net.repositories["owner/net"].files[NET] = big = blob(3, 40_000_000)
    net.slow = 0.01  # 6 s in all
    process = start("models", "pull", "owner/net")
    part = cache_folder("owner/net") / "blobs" / f"{digest(NET, big)}.part"
    until = time.monotonic() + 60
    while not (part.is_file() and part.stat().st_size > 500_000):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    here = part.stat().st_size
    assert here < len(big)
    net.slow = 0
    net.sent.clear()
    folder = fetch(look_up("owner/net"))
    assert net.sent == [(NET, here)]
    assert (folder / NET).read_bytes() == big


def test_what_a_fingerprint_tells(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"1" * 1000)
    (tmp_path / "config.json").write_text("{}")

    def told() -> list[Any]:
        return fingerprint(tmp_path, loaded_files(tmp_path))

    before = told()
    (tmp_path / "notes.md").write_text("no weights")
    assert told() == before
    (tmp_path / "a.safetensors").write_bytes(b"1" * 999 + b"2")
    assert told() != before


def test_what_can_be_an_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_hub_id("owner/name")
    assert not any(is_hub_id(word) for word in ("name", "./name", "~/name", "/name", "a/b/c", "owner/"))
    (tmp_path / "owner" / "name").mkdir(parents=True)
    assert not is_hub_id("owner/name")
    assert pull_line("owner/a b", Selection(["c"])) == "restyle models pull 'owner/a b' --file c"
