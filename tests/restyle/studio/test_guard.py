"""Who is let in to the studio, and what it lets be seen."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from studio_browser import harbour, studio

from restyle.errors import RecipeError
from restyle.studio.allowed import Allowed


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("clips") / "footage"
    folder.mkdir()
    harbour(folder)
    harbour(folder.parent, "outside.mp4")
    with studio(folder) as told:
        yield told


def ask(address: str, path: str | None = None, **headers: str) -> tuple[int, str, http.client.HTTPMessage]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 0, timeout=20)
    connection.request("GET", path or f"/?{parts.query}", headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, answer.headers


def test_only_this_machine_listens(address: str) -> None:
    assert urlsplit(address).hostname == "127.0.0.1"
    port = urlsplit(address).port or 0
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert [place.split(":")[0] for place in listening if int(place.split(":")[1], 16) == port] == ["0100007F"]


def test_with_the_token_and_then_with_the_cookie(address: str) -> None:
    status, _, headers = ask(address)
    assert status == 200
    cookie = headers["set-cookie"].split(";")[0]
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=Strict" in headers["set-cookie"]
    assert "default-src 'self'" in headers["content-security-policy"]
    assert ask(address, "/studio/studio.css", cookie=cookie)[0] == 200


@pytest.mark.parametrize(
    "path", ["/", "/?token=", "/?token=wrong", "/studio/studio.css", "/clips/x/frame/0.jpg", "/_nicegui_ws/socket.io/"]
)
def test_without_the_token(address: str, path: str) -> None:
    status, text, headers = ask(address, path)
    assert status == 403
    assert "Open the address that" in text
    assert headers["set-cookie"] is None


def test_another_page_and_another_name_are_refused(address: str) -> None:
    port = urlsplit(address).port
    assert ask(address, origin="https://example.com")[0] == 403
    assert ask(address, origin=f"http://127.0.0.1:{port}")[0] == 200
    assert ask(address, host=f"example.com:{port}")[0] == 421
    for site in ("cross-site", "same-site"):  # another port of this machine is the same site
        assert ask(address, **{"sec-fetch-site": site, "sec-fetch-mode": "no-cors"})[0] == 403
    assert ask(address, **{"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"})[0] == 200


@pytest.mark.parametrize("name", ["../outside.mp4", "/etc/passwd", "/proc/self/environ", "\0", "a" * 5000])
def test_nothing_outside_of_the_folder_is_opened(address: str, name: str) -> None:
    query = urlsplit(address).query
    status, text, _ = ask(address, f"/?{query}&clip={quote(name)}")
    assert status == 200
    assert "outside" in text or "names no file" in text
    assert ask(address, f"/folder/poster?{query}&clip={quote(name)}")[0] == 404


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret").touch()
    (inside / "link").symlink_to(tmp_path / "secret")
    allowed = Allowed([inside])
    assert allowed.path(inside / "clip.mp4") == inside / "clip.mp4"
    for outside in (inside / "link", inside / ".." / "secret", tmp_path / "inside-too"):
        with pytest.raises(RecipeError, match="lies outside of"):
            allowed.path(outside)
