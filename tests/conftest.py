"""What all tests share."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import Caller
from hub_server import Hub, hub_server
from object_store import bucket, object_store

__all__ = ["bucket", "object_store"]


@pytest.fixture
def restyle_command(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """The command line, called in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Caller(capfd)


@pytest.fixture(scope="session")
def all_furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the documentation's commands use, made once."""
    from documentation import furnish

    folder = tmp_path_factory.mktemp("furnished")
    furnish(folder)
    return folder


@pytest.fixture
def furnished(all_furnished: Path, tmp_path: Path) -> Path:
    """The test's own folder, with all that the documentation's commands use."""
    shutil.copytree(all_furnished, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Kind of ``tiny_diffusion`` -> a folder of it, made once."""
    import tiny_diffusion

    made: dict[str, str] = {}

    def of(kind: str) -> str:
        if kind not in made:
            made[kind] = str(tiny_diffusion.build(kind, tmp_path_factory.mktemp(kind)))
        return made[kind]

    return of


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub of its own with an empty cache, in this process and in those that it starts."""
    from huggingface_hub import constants

    with hub_server() as made:
        cache = tmp_path / "hf" / "hub"
        monkeypatch.setenv("HF_ENDPOINT", made.url)
        monkeypatch.setenv("HF_HOME", str(cache.parent))
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # as it was imported, perhaps after an --offline
        monkeypatch.setattr(constants, "ENDPOINT", made.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", made.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
        yield made
