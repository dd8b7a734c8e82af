"""The addresses of pictures: frames, results, mattes, paintings, and what lies in job folders. Each is served by a thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import FileResponse

from restyle.errors import RestyleError
from restyle.studio.frames import VIEW_SIDE
from restyle.studio.open_clip import OpenClip

__all__ = ["add_routes"]

FOREVER = {"Cache-Control": "private, max-age=86400, immutable"}
NEVER = {"Cache-Control": "no-store"}
ALONE = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; media-src data: blob:; font-src data:; frame-ancestors 'none'"
)
"""A report's policy: whoever made the job folder, it does nothing in the studio's name."""


def add_routes(app: FastAPI, clip_of: Callable[[str], OpenClip | None], poster: Callable[[str], bytes]) -> None:
    """Add the addresses below ``/clips/NAME``. ``clip_of``: the open clip of a name; ``poster``: a clip of the folder."""

    def opened(name: str) -> OpenClip:
        clip = clip_of(name)
        if clip is None:
            raise HTTPException(404, "this clip is not open")
        return clip

    def picture(make: Callable[[], bytes | None], kind: str = "jpeg", *, keep: bool = True) -> Response:
        try:
            data = make()
        except RestyleError as error:
            raise HTTPException(404, str(error)) from error
        if data is None:
            raise HTTPException(404, "there is no such picture")
        return Response(data, media_type=f"image/{kind}", headers=FOREVER if keep else NEVER)

    @app.get("/clips/{name}/frame/{frame}.jpg")
    def frame_of(name: str, frame: int, side: int = VIEW_SIDE) -> Response:
        return picture(lambda: opened(name).frames.jpeg(frame, max(32, min(side, VIEW_SIDE))))

    @app.get("/clips/{name}/result/{frame}.jpg")
    def result_of(name: str, frame: int, side: int = VIEW_SIDE) -> Response:
        results = opened(name).results
        return picture(lambda: None if results is None else results.jpeg(frame, max(32, min(side, VIEW_SIDE))))

    @app.get("/clips/{name}/version/{version}/{frame}.jpg")
    def version_of(name: str, version: str, frame: int, side: int = VIEW_SIDE) -> Response:
        served = opened(name).versions.served(version)
        return picture(lambda: None if served is None else served.frames.jpeg(frame, max(32, min(side, VIEW_SIDE))))

    @app.get("/clips/{name}/comparison/{layout}.mp4")
    def comparison_of(name: str, layout: str) -> Response:
        clip = opened(name).project.folder / "comparison" / f"{layout}.mp4"
        if layout not in ("wipe", "beside") or clip.is_symlink() or not clip.is_file():
            raise HTTPException(404, "there is no such clip")
        return FileResponse(clip, media_type="video/mp4", headers=NEVER)

    @app.get("/clips/{name}/matte/{frame}.png")
    def matte_of(name: str, frame: int) -> Response:
        return picture(lambda: opened(name).overlay(frame), "png")

    @app.get("/clips/{name}/made/{made}.jpg")
    def made_of(name: str, made: str) -> Response:
        return picture(lambda: opened(name).made.get((made,)), keep=True)

    @app.get("/clips/{name}/moment/{number}/{side}.jpg")
    def moment_of(name: str, number: int, side: str) -> Response:
        return picture(lambda: opened(name).moment_picture(number, side), keep=False)

    @app.get("/folder/poster")
    def poster_of(clip: str) -> Response:
        return picture(lambda: poster(clip), keep=False)

    @app.get("/clips/{name}/report")
    def report_of(name: str) -> Response:
        page: Path = opened(name).project.job / "report.html"
        if page.is_symlink() or not page.is_file():
            raise HTTPException(404, "there is no report")
        return FileResponse(page, media_type="text/html", headers={**NEVER, "Content-Security-Policy": ALONE})
