"""The guard before everything that the studio serves: this machine alone, this page alone, with the token alone."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

__all__ = ["Guard"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws://{host}; frame-ancestors 'none'; "
    "base-uri 'self'; form-action 'self'; object-src 'none'"
)
REFUSED = """<!doctype html><html lang="en"><meta charset="utf-8"><title>restyle studio</title>
<style>body{{font:15px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:34rem;padding:0 1rem;color:#222;background:#f6f6f4}}
@media(prefers-color-scheme:dark){{body{{color:#ddd;background:#181818}}}}h1{{font-size:1.1rem}}</style>
<h1>This is not the way in</h1><p>{why}</p>
<p>Open the address that <code>restyle studio</code> printed in its terminal, with all that stands behind the question mark.</p>
</html>"""


class Guard:
    """ASGI middleware: lets in who names this server by its own address, comes from no other page, and has the token.

    The token stands in the address of the first page; a cookie of this port then carries it, for pictures and the socket. Every
    answer forbids the browser to ask any other machine for anything (Content Security Policy, W3C).
    """

    def __init__(self, app: Any, *, token: str, port: int) -> None:
        self._app, self._token, self._port = app, token, port
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._cookie = f"restyle-studio-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        refusal = self._refusal(headers, given)
        if refusal is not None:
            await _refuse(scope, receive, send, *refusal)
            return
        host = headers["host"]

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                fields = [(n, v) for n, v in message["headers"] if n.lower() != b"access-control-allow-origin"]
                if all(name.lower() != b"content-security-policy" for name, _ in fields):
                    fields.append((b"content-security-policy", POLICY.format(host=host).encode()))
                fields += [
                    (b"referrer-policy", b"no-referrer"),
                    (b"x-content-type-options", b"nosniff"),
                ]
                if given:
                    cookie = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"
                    fields.append((b"set-cookie", cookie.encode()))
                message = {**message, "headers": fields}
            await send(message)

        await self._app(scope, receive, guarded)

    def _refusal(self, headers: MutableMapping[str, str], given: str) -> tuple[int, str] | None:
        """Status and reason, if the request is not let in."""
        if headers.get("host") not in self._hosts:  # a name of somebody else's that leads here
            return 421, "This address is not the studio's own."
        origin = headers.get("origin")
        if origin is not None and origin not in {f"http://{host}" for host in self._hosts}:
            return 403, "The request comes from another page."
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate":
            return 403, "The request comes from another page."
        if not hmac.compare_digest((given or self._carried(headers)).encode(), self._token.encode()):
            return 403, "The token in the address is missing, or it is that of an earlier studio."
        return None

    def _carried(self, headers: MutableMapping[str, str]) -> str:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return ""
        return "" if cookie is None else cookie.value


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4403})
        return
    body = REFUSED.format(why=why).encode()
    fields = [(b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
