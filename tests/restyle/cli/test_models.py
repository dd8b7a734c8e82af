"""``restyle models``: list, pull, where; and what ``restyle doctor`` says of it."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from command import Caller, start
from hub_server import Hub, Repository, digest

from restyle.weights.catalogue import BASE_MODELS
from restyle.weights.hub import cache_folder

torch = pytest.importorskip("torch")
pytest.importorskip("huggingface_hub")

NET = "diffusion_pytorch_model.safetensors"
FILES = {"config.json": b"{}", NET: b"net" * 50_000}


@pytest.fixture
def sd15(tiny: Any, hub: Hub) -> Hub:
    """A hub with the preset ``sd15`` and its VAE, both tiny."""
    preset = BASE_MODELS["sd15"]
    assert preset.vae is not None
    hub.repositories[preset.model] = Repository.of(tiny("sd15"), licence="creativeml-openrail-m")
    hub.repositories[preset.vae] = Repository.of(Path(tiny("sd15")) / "vae", licence=None)
    return hub


def test_a_preset_is_fetched_with_its_vae_and_told_of_before(sd15: Hub, restyle_command: Caller) -> None:
    assert restyle_command("models", "list", "--json").json["models"][0]["folder"] is None
    line = restyle_command.fails("models", "where", "sd15", code=6)
    assert line.endswith("is not on this machine: restyle models pull sd15")
    said = restyle_command("models", "pull", "sd15")
    told = said.err.splitlines()
    assert "licence: creativeml-openrail-m" in told[0]
    assert "MiB to fetch" in told[0]
    assert "VAE stabilityai/sd-vae-ft-mse" in told[1]
    assert "licence: none told on its page" in told[1]
    assert "fetching 100 %" in told[-1]
    assert sum("fetching 100 %" in line for line in told) == 2, "one for each, said once"
    rows = [row.split(maxsplit=1) for row in said.out.splitlines()]
    assert [row[0] for row in rows] == [BASE_MODELS["sd15"].model, BASE_MODELS["sd15"].vae]
    sent = len(sd15.sent)
    again = restyle_command("models", "pull", "sd15", "--json").json["models"]
    assert [one["fetched"] for one in again] == [0, 0]
    assert len(sd15.sent) == sent
    sd15.down = True
    where = restyle_command("models", "where", "sd15", "--json").json["models"]
    assert [one["folder"] for one in where] == [one["folder"] for one in again]
    assert (
        where[0]["size"]
        == again[0]["size"]
        == sum(file.stat().st_size for file in Path(where[0]["folder"]).rglob("*") if file.is_file())
    )
    shown = restyle_command("models", "where", "sd15").out.splitlines()
    assert shown[0].startswith(where[0]["folder"] + "  ")
    assert shown[0].endswith("MiB")
    first = restyle_command("models", "list", "--json").json["models"][0]
    assert (first["name"], first["folder"]) == ("sd15", where[0]["folder"])


def test_the_list_names_everything_with_the_line_that_fetches_it(hub: Hub, restyle_command: Caller) -> None:
    from controls.maps import kinds

    listed = restyle_command("models", "--json").json
    assert [one["name"] for one in listed["models"]] == list(BASE_MODELS)
    nets = {net for facts in kinds().values() for net in facts.controlnets.values()}
    assert {one["hub_id"] for one in listed["controlnets"]} == nets
    text = restyle_command("models", "list").out
    for one in (one for group in listed.values() for one in group):
        assert one["pull"] in text or one["folder"]
        assert one["hub_id"] in text
        assert one["licence"] in text
    assert {row.split()[1] for row in text.splitlines() if "  here  " in row} <= {"small:"}  # from no hub
    assert hub.sent == []


def test_every_line_that_the_list_gives_can_be_typed(hub: Hub, restyle_command: Caller) -> None:
    listed = restyle_command("models", "list", "--json").json
    for one in listed.pop("packaged"):
        line = restyle_command.fails("models", "pull", one["name"], code=2)
        assert line.endswith(f"comes in a package, and is not on the hub: {one['pull']}")
    for one in (one for group in listed.values() for one in group):
        word = one["pull"].split()[-1]
        line = restyle_command.fails("models", "pull", word, code=6)
        assert f"there is no {one['what']} {one['hub_id']!r} on the model hub" in line


def test_one_ip_adapter_here_is_not_the_other(hub: Hub, restyle_command: Caller) -> None:
    from restyle.weights.catalogue import IP_ADAPTERS

    both = [file for adapter in IP_ADAPTERS.values() for file in adapter.files]
    hub.repositories["h94/IP-Adapter"] = Repository({file: file.encode() for file in [*both, "much_more.safetensors"]})
    restyle_command("models", "pull", "ip-adapter-sd15", "-q")
    assert {name for name, _ in hub.sent} == set(IP_ADAPTERS["sd15"].files)
    size = sum(len(file) for file in IP_ADAPTERS["sd15"].files)
    assert restyle_command("models", "where", "ip-adapter-sd15", "--json").json["models"][0]["size"] == size
    assert "(what is there lacks sdxl_models" in restyle_command.fails("models", "where", "ip-adapter-sdxl", code=6)
    here = restyle_command("models", "list", "--json").json["ip_adapters"]
    assert [one["folder"] is not None for one in here] == [True, False]


def test_any_id_and_one_file_of_many(hub: Hub, restyle_command: Caller) -> None:
    hub.repositories["owner/loras"] = Repository({"a.safetensors": b"a", "b.safetensors": b"b"})
    assert "say which: a.safetensors, b.safetensors" in restyle_command.fails("models", "pull", "owner/loras", code=2)
    got = restyle_command("models", "pull", "owner/loras", "--file", "b.safetensors", "--json").json["models"][0]
    assert [file.name for file in Path(got["folder"]).iterdir()] == ["b.safetensors"]
    assert got["folder"] in restyle_command("models", "where", "owner/loras", "--file", "b.safetensors").out
    line = restyle_command.fails("models", "where", "owner/loras", "--file", "a.safetensors", code=6)
    assert line.endswith("restyle models pull owner/loras --file a.safetensors")


def test_without_room_for_all_nothing_is_fetched(
    sd15: Hub, restyle_command: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room for the model, not for the VAE as well."""
    from restyle.weights.hub import look_up

    usage = shutil.disk_usage("/")
    free = look_up(BASE_MODELS["sd15"].model, selection=BASE_MODELS["sd15"].selection).size + 10
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free))
    said = restyle_command("models", "pull", "sd15", code=4)
    assert f"'{BASE_MODELS['sd15'].model}', '{BASE_MODELS['sd15'].vae}' take " in said.err.splitlines()[-1]
    assert sd15.sent == [("model_index.json", 0)], "which tells what there is"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["pull", "sd15", "--offline"], 2, "--offline fetches nothing"),
        (["pull"], 2, "which? restyle models pull NAME"),
        (["where"], 2, "which?"),
        (["fetch", "sd15"], 2, "restyle models does list, pull, where; not 'fetch'"),
        (["pull", "sd16"], 2, "there is no model 'sd16'"),
        (["list", "sd15"], 2, "takes no name"),
        (["pull", "a/b", "c/d", "--file", "e"], 2, "--file is of one id"),
        (["pull", "owner/none"], 6, "there is no model 'owner/none' on the model hub"),
        (["where", "owner/none"], 6, "'owner/none' is not on this machine: restyle models pull owner/none"),
    ],
)
def test_what_cannot_be_is_one_line(hub: Hub, restyle_command: Caller, words: list[str], code: int, says: str) -> None:
    assert says in restyle_command.fails("models", *words, code=code)
    assert hub.sent == []


def test_stopped_it_says_what_goes_on_and_that_does(hub: Hub, restyle_command: Caller) -> None:
    big = bytes(range(250)) * 160_000
    hub.repositories["owner/net"] = Repository({"config.json": b"{}", NET: big})
    hub.slow = 0.01
    process = start("models", "pull", "owner/net")
    until = time.monotonic() + 60
    part = cache_folder("owner/net") / "blobs" / f"{digest(NET, big)}.part"
    while not (part.is_file() and part.stat().st_size):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "models pull owner/net" in err.splitlines()[-1], err
    assert "what is there lacks" in restyle_command.fails("models", "where", "owner/net", code=6)
    hub.slow = 0
    hub.sent.clear()
    restyle_command("models", "pull", "owner/net")
    ((name, begin),) = hub.sent
    assert name == NET
    assert begin > 0


def test_the_painter_uses_what_was_pulled_and_fetches_what_was_not(
    tiny: Any, sd15: Hub, restyle_command: Caller
) -> None:
    from clips import moving_frames, write_clip

    sd15.repositories["owner/net"] = Repository.of(tiny("controlnet-sd15"))
    write_clip(Path("in.mkv"), moving_frames(3, (64, 64)), codec="ffv1", pixel_format="bgr0", rate=24)
    words = [
        "preview", "in.mkv", "-o", "sheet.png", "--painter", "diffusion", "--painter-option", "steps=1",
        "--painter-option", "resolution=64", "--prompt", "a", "--control", "canny:model=owner/net",
    ]  # fmt: skip
    line = restyle_command.fails(*words, "--offline", code=6)
    assert line.endswith("restyle models pull sd15")
    restyle_command("models", "pull", "sd15")
    line = restyle_command.fails(*words, "--offline", code=6)
    assert line.endswith("restyle models pull owner/net")
    restyle_command(*words)
    sd15.down = True
    Path("sheet.png").unlink()
    restyle_command(*words, "--offline")
    assert Path("sheet.png").is_file()


def test_the_doctor_tells_the_device_and_what_is_here(
    sd15: Hub, restyle_command: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("restyle.weights.packaged.PackagedModel.folder", None)

    def told() -> dict[str, Any]:
        checks = restyle_command("doctor", "--json").json["checks"]
        return {check["name"]: check for check in checks if check["group"] == "Painters diffusion, edit and video"}

    before = told()
    assert torch.__version__ in before["device"]["detail"]
    assert (before["models"]["state"], before["models"]["remedy"]) == ("absent", "restyle models list")
    restyle_command("models", "pull", "sd15")
    after = told()
    assert after["models"]["state"] == "good"
    assert "sd15 (" in after["models"]["detail"]


def test_sam2_is_two_lines_away(
    hub: Hub, restyle_command: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pulled, it is told by the doctor, and follows objects without being asked for."""
    from clips import moving_frames, write_clip
    from sam2_weights import save_small_folder

    from controls.torchvision_guard import make_torchvision_importable

    def told() -> dict[str, Any]:
        checks = restyle_command("doctor", "--json").json["checks"]
        return next(check for check in checks if check["group"] == "Masker SAM 2" and check["name"] == "sam2")

    make_torchvision_importable()
    save_small_folder(tmp_path / "sam2")
    files = {file.name: file.read_bytes() for file in (tmp_path / "sam2").iterdir()}
    hub.repositories["facebook/sam2.1-hiera-small"] = Repository(files | {"sam2.1_hiera_small.pt": b"pickled"})
    clip = write_clip(tmp_path / "in.mkv", moving_frames(3, (96, 64)), codec="ffv1", pixel_format="bgr0")
    words = ("matte", clip, "--object", "thing=box:20,16,60,50@1", "--masker-option", "image_size=128")
    assert (told()["state"], told()["remedy"]) == ("absent", "restyle models pull sam2")
    notes = restyle_command(*words, "-o", tmp_path / "a", "--json").json["notes"]
    assert any(note.endswith("SAM 2 would follow them better: restyle models pull sam2") for note in notes), notes
    restyle_command("models", "pull", "sam2")
    assert {name for name, _ in hub.sent} == {"config.json", "model.safetensors"}
    hub.down = True
    assert told()["state"] == "good"
    notes = restyle_command(*words, "-o", tmp_path / "b", "--json").json["notes"]
    assert "objects were followed by SAM 2" in notes
    monkeypatch.setattr("restyle.cli.environment.find_spec", lambda name: None)
    assert told()["remedy"] == "pip install 'restyle[sam2]' && restyle models pull sam2"
