"""Files elsewhere: addresses, and what goes wrong."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest
from object_store import Bucket

from restyle.errors import MissingExtraError, RecipeError
from restyle.files import remote
from restyle.files.remote import (
    BLOCK,
    RemoteError,
    Url,
    fetch,
    files_below,
    look_up,
    matching,
    names_in,
    place_of,
    read_bytes,
    remove,
    require_usable,
    send,
    send_bytes,
)


def test_addresses_are_told_from_paths_and_keep_their_form() -> None:
    url = place_of("s3://bucket/day1/clip.mov")
    assert isinstance(url, Url)
    assert (str(url), url.scheme, url.name, url.stem, str(url.parent)) == (
        "s3://bucket/day1/clip.mov",
        "s3",
        "clip.mov",
        "clip",
        "s3://bucket/day1",
    )
    assert str(url.parent / "other") == "s3://bucket/day1/other"
    assert str(url.with_name("b.mov")) == "s3://bucket/day1/b.mov"
    assert place_of(url) is url
    assert pickle.loads(pickle.dumps(url)) == copy.deepcopy(url) == url
    assert place_of("clip.mov") == Path("clip.mov")
    assert place_of("file:///tmp/clip.mov") == Path("/tmp/clip.mov")
    assert place_of("C:/clip.mov") == Path("C:/clip.mov")


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("zip://a.mov::s3://bucket/all.zip", "through another file system"),
        ("simplecache::s3://bucket/a.mov", "through another file system"),
        ("local://etc/passwd", "through another file system"),
        ("git://home/somebody/repository", "through another file system"),
        ("s3://", "no address of a file"),
        ("s3://bucket/../other/a.mov", "no address of a file"),
        ("ftp://me:secret@host/a.mov", "password"),
    ],
)
def test_addresses_that_are_not_taken(address: str, line: str) -> None:
    with pytest.raises(RecipeError, match=line) as raised:
        require_usable(place_of(address))  # type: ignore[arg-type]
    assert "secret" not in str(raised.value)


def test_what_is_missing_is_said_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecipeError, match=r"no file system s4://; fsspec knows .*\bs3\b"):
        require_usable(Url("s4://bucket/a.mov"))
    with pytest.raises(RecipeError, match="--offline"):
        require_usable(Url("s3://bucket/a.mov"), offline=True)
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    with pytest.raises(MissingExtraError, match=r"s3:// needs .* pip install s3fs$"):
        require_usable(Url("s3://bucket/a.mov"))
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'restyle\[remote\]'$"):
        require_usable(Url("s3://bucket/a.mov"))


def test_nothing_of_it_is_loaded_without_an_address() -> None:
    code = "import sys, restyle.job.job, restyle.batch.batch, restyle.cli.run; print('fsspec' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "False"


def test_files_go_there_and_come_back(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "BLOCK", 1000)
    data = {"a/small.txt": b"x", "a/b/large.bin": bytes(range(256)) * 16, "a/b/odd # name+é.txt": b"y" * 999}
    paths = [tmp_path / f"{number}" for number in range(3)]
    for path, content in zip(paths, data.values(), strict=True):
        path.write_bytes(content)
    root = Url(bucket.url)
    send(paths, [root / name for name in data])
    assert bucket.contents() == data
    found = files_below(root / "a")
    assert {name: file.size for name, file in found.items()} == {
        name.removeprefix("a/"): len(content) for name, content in data.items()
    }
    targets = [tmp_path / f"back-{number}" for number in range(3)]
    fetch([found[name.removeprefix("a/")] for name in data], targets)
    assert [target.read_bytes() for target in targets] == list(data.values())
    assert [(file.url.name, file.is_folder) for file in names_in(root / "a")] == [("b", True), ("small.txt", False)]
    assert [str(file.url) for file in matching(root / "a/**/*.txt")] == [
        f"{bucket.url}/a/b/odd # name+é.txt",
        f"{bucket.url}/a/small.txt",
    ]
    assert look_up(root / "a/none") is None
    assert read_bytes(root / "none", largest=10) is None
    with pytest.raises(RemoteError, match="larger"):
        read_bytes(root / "a/b/large.bin", largest=10)
    remove([root / "a/small.txt", root / "a/none"])
    assert "a/small.txt" not in bucket.names()


def test_the_same_content_is_the_same_thing_and_other_content_is_not(bucket: Bucket) -> None:
    url = Url(bucket.url) / "a.bin"
    seen = []
    for data in (b"one", b"one", b"two"):
        send_bytes(url, data)
        found = look_up(url)
        assert found is not None
        seen.append(found.identity)
    assert seen[0] == seen[1] != seen[2]


def test_a_file_that_is_cut_off_is_told(bucket: Bucket, tmp_path: Path) -> None:
    url = Url(bucket.url) / "a.bin"
    send_bytes(url, b"long enough")
    found = look_up(url)
    assert found is not None
    send_bytes(url, b"short")
    with pytest.raises(RemoteError, match=r"a\.bin changed while it was fetched"):
        fetch([found], [tmp_path / "a"])


def test_a_file_that_is_replaced_while_it_is_read_is_read_again(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs.core

    url = Url(bucket.url) / "a.txt"
    send_bytes(url, b"first")
    fetch_range = s3fs.core._fetch_range
    again = [b"second", b"third"]

    def late(*words: object, **more: object) -> object:
        if again:
            send_bytes(url, again.pop(0))
        return fetch_range(*words, **more)

    monkeypatch.setattr(s3fs.core, "_fetch_range", late)
    assert read_bytes(url, largest=10) == b"third"
    again += [b"x%d" % number for number in range(9)]
    with pytest.raises(RemoteError, match="replaced again and again"):
        read_bytes(url, largest=10)


def test_a_server_that_is_not_there_is_told(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        fsspec.config.conf,
        "s3",
        {"endpoint_url": "http://127.0.0.1:9", "config_kwargs": {"retries": {"total_max_attempts": 1}}},
    )
    with pytest.raises(RemoteError, match="its server cannot be reached"):
        look_up(Url(f"{bucket.url}/a.mov"))


def test_where_files_grow_before_ones_eyes_they_get_their_names_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all but object stores. Memory's is no such system; what matters is how it is asked."""
    monkeypatch.setattr(remote, "_AT_ONCE", frozenset())
    memory = fsspec.filesystem("memory")
    seen: list[list[str]] = []
    moved = type(memory).mv

    def mv(self: object, old: str, new: str, **more: object) -> None:
        seen.append(sorted(Path(name).name for name in memory.find("/there")))
        moved(self, old, new, **more)

    monkeypatch.setattr(type(memory), "mv", mv)
    send_bytes(Url("memory://there/a.txt"), b"first")
    send_bytes(Url("memory://there/a.txt"), b"second")
    assert memory.cat_file("/there/a.txt") == b"second"
    assert all(name.endswith(".part") for name in seen[0])
    assert memory.find("/there") == ["/there/a.txt"]
    memory.rm("/there", recursive=True)
    assert BLOCK == 16 << 20
