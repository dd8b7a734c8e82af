from __future__ import annotations

import os
from pathlib import Path

import pytest
from clips import moving_frames, write_clip

from restyle.errors import FootageError
from restyle.footage import probe

PLAYLISTS = {
    "concat": "ffconcat version 1.0\nfile {film}\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\n{film}\n#EXT-X-ENDLIST\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period/></MPD>',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5000 RTP/AVP 96\n",
    "ffmetadata": ";FFMETADATA1\ntitle=x\n",
    "text": "hello there\n" * 40,
}


@pytest.mark.parametrize("suffix", [".mp4", ".m3u8", ".ffconcat", ".mpd", ".sdp", ".txt", ""])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_lists_of_other_files_are_no_footage(tmp_path: Path, kind: str, suffix: str) -> None:
    film = write_clip(tmp_path / "film.ts", moving_frames(3, (64, 48)))
    path = tmp_path / f"list{suffix}"
    path.write_text(PLAYLISTS[kind].format(film=film.name))
    with pytest.raises(FootageError, match=r"no footage that is opened|no video that can be read") as caught:
        probe(path)
    assert "list" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["http://localhost:9/x.mp4", "concat:film.ts|film.ts", "subfile,,start,0,end,0,,:film.ts"]
)
def test_addresses_are_names_of_files(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_clip(tmp_path / "film.ts", moving_frames(3, (64, 48)))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FootageError, match="there is no"):
        probe(name)


def test_pipes_and_devices_are_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(FootageError, match="a pipe or a device"):
            probe(path)
