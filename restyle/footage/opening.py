"""Opening media files for reading: regular files, of kinds that hold their own pictures and name no others."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import av

from restyle.errors import FootageError, show_path, why

__all__ = ["file_url", "open_container", "reason"]

# Left out: playlists and scripts (concat, hls, dash, imf, sdp, avs), patterns and single pictures (image2, the pipes), devices,
# subtitles, typed-in text, and formats whose footage goes on in files beside them (mlv, vobsub).
_DEMUXERS = (
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,m4v,h261,h263,h264,hevc,vvc,evc,av1,obu,apv,ivf,vc1,vc1test,cavsvideo,avs2,avs3,"
    "dirac,dnxhd,jpeg_pipe,mjpeg,mjpeg_2000,smjpeg,flv,live_flv,kux,asf,asf_o,ogg,mxf,gxf,lxf,nut,nuv,nsv,rm,dv,wtv,pva,ty,swf,gif,apng,"
    "yuv4mpegpipe,flic,roq,bink,smk,idcin,4xm,ea,film_cpk,dxa,cine,ser,r3d,dhav,ipu,cdxl,filmstrip,jpegxl_anim,usm,moflex"
)


def reason(error: BaseException) -> str:
    """The reason in an error of FFmpeg's or the system's, as a few words on one line, without paths and numbers."""
    if isinstance(error, av.FFmpegError):
        if (
            isinstance(error, OSError)
            and not isinstance(error, av.error.InvalidDataError)
            and error.errno
            and error.errno > 0
        ):
            return why(OSError(error.errno, error.strerror))
        text = " ".join(str(error.strerror or error).split())
        return text[:1].lower() + text[1:]
    return why(error)


def file_url(path: str | os.PathLike[str]) -> str:
    """A path such that FFmpeg takes every character of it as it is (no protocols, no options, no patterns)."""
    return "file:" + os.fspath(path)


def open_container(path: str | os.PathLike[str]) -> av.container.InputContainer:
    """Open a media file for reading. Nothing but the file itself is opened, whatever it says. Raises ``FootageError``."""
    shown = show_path(path)
    _require_readable(Path(path))
    options = {"protocol_whitelist": "file", "format_whitelist": _DEMUXERS}
    try:
        return av.open(file_url(path), container_options=options, metadata_errors="replace")
    except av.error.InvalidDataError as error:
        raise FootageError(
            f"{shown} is no video that can be read, or is damaged ({reason(error)}); check that it plays, or export it again"
        ) from error
    except av.error.ArgumentError as error:
        raise FootageError(
            f"{shown} is no footage that is opened: a playlist, a single picture, text or another kind of file; "
            "give the film itself"
        ) from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise FootageError(f"cannot read {shown}: {reason(error)}") from error


def _require_readable(path: Path) -> None:
    shown = show_path(path)
    try:
        state = path.stat()
        if stat.S_ISDIR(state.st_mode):
            raise FootageError(f"{shown} is a folder")
        if not stat.S_ISREG(state.st_mode):
            raise FootageError(f"{shown} is a pipe or a device; footage is read several times: save it as a file first")
        if state.st_size == 0:
            raise FootageError(f"{shown} is empty (0 bytes); copy or export it again")
        with open(path, "rb"):
            pass
    except FileNotFoundError as error:
        parent = path.parent
        what = (
            f"there is no file {shown}"
            if parent.is_dir()
            else f"there is no folder {show_path(parent)} to hold {shown}"
        )
        raise FootageError(what) from error
    except OSError as error:
        raise FootageError(f"cannot read {shown}: {why(error)}") from error
