"""The report: complete, self-contained, safe with hostile names, the same bytes for the same data."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from clips import as_depth, texture

from restyle.errors import OutputError
from restyle.quality.lettering import jpeg_size
from restyle.quality.page import page_of
from restyle.quality.pictures import facts_of, jpeg_of
from restyle.quality.report import (
    MOST_CARDS,
    FrameRow,
    KeyCard,
    Moment,
    MovingPair,
    Pair,
    ReportData,
    ShotRow,
    write_report,
)
from restyle.types import ColourTags, FootageSpec

HOSTILE = "\"><img src=x onerror=alert(1)>'&amp;<script>alert(2)</script>\n\u202egpj.--> ${title} $x %s </title>"
VOID = {"meta", "img", "br", "input", "path", "line"}


class Page(HTMLParser):
    """Walks a page, and complains where elements do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1:] == [tag], f"</{tag}> closes {self._open[-1:]}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            attrs, said = self.scripts[-1]
            self.scripts[-1] = (attrs, said + data)
        elif not self._open or self._open[-1] != "style":
            self.text += data

    def all(self, tag: str, look: str | None = None) -> list[dict[str, str | None]]:
        return [a for t, a in self.elements if t == tag and (look is None or look in (a.get("class") or "").split())]

    @property
    def curves(self) -> dict:
        return json.loads(next(said for attrs, said in self.scripts if attrs.get("id") == "curves"))


JPEG = jpeg_of(as_depth(texture(24, 40), "uint8"))
CLIP = MovingPair(first=12, frames=20, size=(64, 36), whole=False, data=b"a clip")


def rows(n: int, shot_length: int = 10**9, every: int = 12) -> list[FrameRow]:
    made = []
    for frame in range(n):
        first = frame % shot_length == 0
        made.append(
            FrameRow(
                frame=frame,
                shot=frame // shot_length,
                coverage=1 - (frame % every) / 40,
                warp_error=None if first else 4e-4 + 1e-6 * (frame % 90),
                source_warp_error=None if first else 3e-4,
                sharpness=900.0,
                painted=frame % every == 0,
                reason="coverage" if frame % every == 0 else None,
            )
        )
    return made


def report(n: int = 40, *, shots: int = 2, keys: int = 3, pairs: int = 2, every: int = 12) -> ReportData:
    length = -(-n // shots)
    return ReportData(
        title="shot_010.mov",
        rate=Fraction(24000, 1001),
        frames=rows(n, length, every),
        shots=[ShotRow(i, i * length, min(n, (i + 1) * length)) for i in range(shots) if i * length < n],
        keys=[KeyCard(i * every, f"00:00:00:{i:02d}", "coverage", JPEG, JPEG) for i in range(keys)],
        pairs=[Pair(i, f"00:00:01:{i:02d}", JPEG, JPEG, "middle") for i in range(pairs)],
        facts=[("Size", "96 × 64", "96 × 64"), ("Codec", "h264", "prores")],
        notes=["frame 12 was repaired"],
        timings={"analyse": 1.5, "render": 20.0},
        recipe={"style": "ink-wash", "strength": 0.8},
        versions={"restyle": "0.1.0", "python": "3.11"},
    )


def test_the_page_is_well_formed_and_complete() -> None:
    page = Page(page_of(report()))
    for said in ("shot_010.mov", "ink-wash", "frame 12 was repaired", "prores", "0.1.0", "render", "20.0 s"):
        assert said in page.text
    assert len(page.all("figure", "pair")) == 2
    assert len(page.all("input")) == 2
    assert len(page.all("img")) == 2 * 2 + 3 * 2
    assert all(image.get("alt") for image in page.all("img"))
    assert all((image["width"], image["height"]) == ("40", "24") for image in page.all("img"))
    assert len(page.all("svg")) == 4, "three plots and the strip"


def test_the_page_asks_nothing_of_any_network() -> None:
    lost = [replace(row, moving_blocks=9, block_losses=((1, 2, 0.9),)) for row in report().frames]
    moment = Moment(2, "00:00:00:02", 0.9, (8, 0, 48, 24), JPEG, JPEG, JPEG)
    html = page_of(replace(report(), moving_pair=CLIP, frames=lost, moments=[moment]))
    page = Page(html)
    assert page.all("a")
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data", "xlink:href", "poster"):
            value = attributes.get(name)
            if name == "href" and value is not None and value.startswith("#"):
                assert value[1:] in {attributes.get("id") for _, attributes in page.elements}
                continue
            assert value is None or value.startswith(("data:image/jpeg;base64,", "data:video/mp4;base64,")), (tag, name)
        assert not any(name.startswith("on") for name in attributes), tag
    assert "url(" not in html
    assert "@import" not in html
    assert not re.search(r"https?://", html)
    assert not page.all("link")
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'" in policy
    scripts = [said for attributes, said in page.scripts if "type" not in attributes]
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert len(digests) == 2
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    assert policy.endswith(f"script-src {allowed}"), "no other script may run"


def test_hostile_names_are_text() -> None:
    data = replace(
        report(),
        title=HOSTILE,
        verdict=HOSTILE,
        facts=[(HOSTILE, HOSTILE, HOSTILE), ("Size", HOSTILE, "x")],
        notes=[HOSTILE],
        recipe={HOSTILE: [HOSTILE, {"deep": HOSTILE}]},
        versions={HOSTILE: HOSTILE},
        timings={HOSTILE: 1.0},
        keys=[KeyCard(0, HOSTILE, HOSTILE, JPEG, JPEG)],
        pairs=[Pair(0, HOSTILE, JPEG, JPEG, HOSTILE)],
        moments_note=HOSTILE,
        shots=[ShotRow(0, 0, 20, HOSTILE), ShotRow(1, 20, 40, HOSTILE)],
    )
    html = page_of(data)
    page = Page(html)
    assert len(page.scripts) == 2
    assert len(page.all("img")) == 4
    assert "onerror=alert(1)" in page.text, "shown, not run"
    assert "${title}" in page.text
    assert "\u202e" not in html, "direction marks are made visible"
    assert "\\u202egpj" in page.text
    plain = Page(page_of(report()))
    assert {tag for tag, _ in page.elements} == {tag for tag, _ in plain.elements}


def test_undecodable_names_can_be_written(tmp_path: Path) -> None:
    name = b"caf\xe9\xff.mov".decode("utf-8", "surrogateescape")
    write_report(replace(report(), title=name, notes=[name]), tmp_path / "r.html", tmp_path / "r.json")
    assert "caf\\udce9\\udcff.mov" in (tmp_path / "r.html").read_text("utf-8")
    assert json.loads((tmp_path / "r.json").read_text("utf-8"))["title"] == name


def test_every_frame_has_its_mark() -> None:
    page = Page(page_of(report(40, shots=2)))
    assert page.curves["first"] == page.curves["last"] == list(range(40))
    assert len(page.curves["curves"]) == 4
    assert page.curves["mark"][12] == "painted"
    assert page.curves["mark"][13] == ""
    coverage = next(a["d"] for a in page.all("path", "line") if (a["d"] or "").count("L") == 39)
    assert coverage is not None
    warp = page.all("path", "line")[1]["d"]
    assert warp is not None
    assert warp.count("M") == 2, "the line is broken at the cut"
    assert warp.count("L") + warp.count("M") == 38
    marks = page.all("path", "mark")[0]["d"]
    assert marks is not None
    assert marks.count("M") == 4
    cuts = page.all("path", "cut")
    assert [cut["d"] for cut in cuts] == ["M500 0V100"] * 4


def test_values_in_the_readout_are_those_of_the_rows() -> None:
    data = report(40)
    curves = Page(page_of(data)).curves
    assert data.frames[7].warp_error == pytest.approx(0.407e-3)
    assert curves["curves"][0]["mean"][7] == 0.407, "in units of the axis, which is lettered ×10⁻³"
    assert curves["curves"][2]["mean"][6] == pytest.approx(85)
    assert curves["curves"][2]["unit"] == "%"
    assert curves["shot"][0] == 1
    assert curves["shot"][39] == 2


def test_one_frame() -> None:
    page = Page(page_of(report(1, shots=1, keys=1, pairs=1)))
    assert not page.all("svg")
    assert "1 frame in 1 shot, painted." in page.text


def test_no_pictures_no_figures() -> None:
    page = Page(page_of(ReportData(title="x", rate=Fraction(25), frames=[FrameRow(n, 0) for n in range(5)])))
    assert not page.all("img")
    assert not page.all("svg")
    assert "5 frames in 1 shot" in page.text


def test_a_long_contact_sheet_is_capped_and_says_so() -> None:
    page = Page(page_of(report(900, keys=75, every=12)))
    shown = page.all("ol", "sheet")
    assert len(shown) == 1
    cards = len(page.all("li"))
    assert cards - 1 == MOST_CARDS, "and one note"
    assert f"{MOST_CARDS} of 75 painted frames are shown, evenly spread; {75 - MOST_CARDS} more" in page.text


def test_large_pictures_are_capped_by_bytes() -> None:
    rng = np.random.default_rng(0)
    noise = jpeg_of(rng.integers(0, 256, (288, 288, 3), dtype=np.uint8), quality=95)
    large = jpeg_of(rng.integers(0, 256, (720, 960, 3), dtype=np.uint8), quality=60)
    data = replace(
        report(600, keys=0),
        keys=[KeyCard(n * 12, "0", "coverage", noise, noise) for n in range(50)],
        pairs=[Pair(n, "0", large, large) for n in range(6)],
    )
    html = page_of(data)
    assert len(html) < 3_000_000
    page = Page(html)
    assert 1 <= len(page.all("figure", "pair")) < 6
    assert re.search(r"\d+ of 50 painted frames are shown", page.text)


def test_long_footage_stays_small_and_hides_no_outlier() -> None:
    data = report(100_000, shots=900, keys=60, every=40)
    frames = list(data.frames)
    frames[77_777] = replace(frames[77_777], warp_error=0.5, coverage=0.01)
    html = page_of(replace(data, frames=frames))
    assert len(html) < 3_000_000
    page = Page(html)
    curves = page.curves
    at = next(n for n, (a, b) in enumerate(zip(curves["first"], curves["last"], strict=True)) if a <= 77_777 <= b)
    assert (curves["first"][0], curves["last"][-1], len(curves["first"])) == (0, 99_999, 600)
    assert curves["curves"][0]["high"][at] > 100 * curves["curves"][0]["mean"][0]
    assert curves["curves"][2]["low"][at] == pytest.approx(1)
    assert page.all("path", "band")
    assert "▲ 1 beyond" in page.text


def test_the_json_says_what_the_page_says(tmp_path: Path) -> None:
    data = report(60, shots=3)
    write_report(data, tmp_path / "report.html", tmp_path / "report.json")
    plain = json.loads((tmp_path / "report.json").read_text())
    assert (plain["schema"], plain["version"]) == ("restyle.report", 1)
    assert plain["summary"]["frames"] == 60
    assert plain["summary"]["painted"] == 5
    assert plain["summary"]["warp_error_over_source"] == pytest.approx(1.4, abs=0.1)
    assert [row["frame"] for row in plain["frames"]] == list(range(60))
    assert plain["frames"][0]["warp_error"] is None


def test_json_never_holds_what_json_has_not(tmp_path: Path) -> None:
    frames = [FrameRow(0, 0, warp_error=float("nan")), FrameRow(1, 0, warp_error=float("inf"), sharpness=3.0)]
    data = replace(report(), frames=frames, shots=(), recipe={"x": float("nan"), "path": Path("a"), "set": {2, 1}})
    write_report(data, tmp_path / "r.html", tmp_path / "r.json")
    plain = json.loads((tmp_path / "r.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert plain["frames"][1]["warp_error"] is None
    assert plain["recipe"] == {"x": None, "path": "a", "set": [1, 2]}


def test_same_data_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_report(report(), tmp_path / f"{name}.html", tmp_path / f"{name}.json")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert len(list(tmp_path.iterdir())) == 4, "nothing half-written stays behind"


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write the report '.*no such file or directory"):
        write_report(report(), tmp_path / "nowhere" / "r.html")


def test_data_is_checked_when_built() -> None:
    with pytest.raises(ValueError, match="one frame at least"):
        ReportData(title="x", rate=Fraction(25), frames=[])
    with pytest.raises(ValueError, match="ascending"):
        ReportData(title="x", rate=Fraction(25), frames=[FrameRow(1, 0), FrameRow(1, 0)])
    with pytest.raises(ValueError, match="positive"):
        ReportData(title="x", rate=Fraction(0), frames=[FrameRow(1, 0)])


@pytest.mark.parametrize("depth", ["uint8", "uint16", "float32"])
def test_pictures_of_every_depth(depth: str) -> None:
    picture = as_depth(texture(30, 50), depth)
    data = jpeg_of(picture, long_side=40)
    assert jpeg_size(data) == (40, 24)
    assert len(data) > 200


def test_facts_of_two_specs() -> None:
    source = FootageSpec(
        path="in.mov", kind="video", width=96, height=64, dtype="uint16", bits=10, rate=Fraction(24000, 1001),
        time_base=Fraction(1, 24000), frames=48, codec="prores", pixel_format="yuv422p10le",
        colour=ColourTags("bt709", "bt709", "bt709", "tv"), timecode="01:00:00:00", audio_streams=2,
    )  # fmt: skip
    facts = {what: (a, b) for what, a, b in facts_of(source, replace(source, codec="h264"), frames=(48, 47))}
    assert facts["Frames"] == ("48", "47")
    assert facts["Rate"][0] == "23.976 fps (24000/1001)"
    assert facts["Duration"][0] == "2.002 s"
    assert facts["Codec"] == ("prores, yuv422p10le, 10 bit", "h264, yuv422p10le, 10 bit")
    assert facts["Audio"][0] == "2 streams"
    assert "limited range" in facts["Colour"][0]


def test_the_worst_moments_are_shown_and_said_in_words() -> None:
    rows = [FrameRow(n, 0, moving_blocks=50, block_losses=((1, 2, 0.9), (1, 3, 0.2))) for n in range(4)]
    moment = Moment(2, "00:00:00:02", 0.9, (8, 0, 48, 24), JPEG, JPEG)
    data = ReportData(title="x", rate=Fraction(25), frames=rows, moments=[moment], moments_note="Ask for paintings.")
    page = Page(page_of(data))
    assert len(page.all("ol", "moments")) == 1
    assert "loss 0.90" in page.text
    assert "Ask for paintings." in page.text
    assert [image["alt"] for image in page.all("img")] == ["Source, frame 2", "Result, frame 2"]
    painted = Page(page_of(replace(data, moments=[replace(moment, painting=JPEG)])))
    assert painted.all("img")[2]["alt"] == "Painted by itself, frame 2"
    assert "2 % of it does not" in page.text or "2.0 % of it does not" in page.text
    plain = data.to_json()
    assert plain["summary"]["moving_lost"] == pytest.approx(0.02)
    assert plain["moments"] == [{"frame": 2, "timecode": "00:00:00:02", "loss": 0.9, "box": [8, 0, 48, 24]}]
    assert plain["frames"][0]["lost_blocks"] == 1
    assert "block_losses" not in plain["frames"][0]
    unhurt = ReportData(title="x", rate=Fraction(25), frames=[FrameRow(0, 0, moving_blocks=50)])
    assert "What moves keeps its shape" in Page(page_of(unhurt)).text
    still = ReportData(title="x", rate=Fraction(25), frames=[FrameRow(0, 0)])
    assert "What moves" not in Page(page_of(still)).text.replace("Worst moments", "")


def test_the_clip_plays_within_the_page() -> None:
    page = Page(page_of(replace(report(), moving_pair=CLIP)))
    (video,) = page.all("video")
    assert video["src"] == f"data:video/mp4;base64,{base64.b64encode(b'a clip').decode()}"
    assert "controls" in video, "it plays without scripts, too"
    assert "autoplay" not in video
    (canvas,) = page.all("canvas")
    assert (canvas["width"], canvas["height"], canvas["tabindex"]) == ("64", "36", "0")
    (player,) = page.all("div", "player")
    assert (player["data-first"], player["data-frames"]) == ("12", "20")
    assert float(player["data-rate"] or 0) == pytest.approx(24000 / 1001)
    labels = [button["aria-label"] for button in page.all("button")]
    assert labels == ["One frame back", "Play", "One frame on"]
    assert "The first 0.834 seconds, small and compressed" in page.text
    whole = Page(page_of(replace(report(), moving_pair=replace(CLIP, whole=True))))
    assert "The whole result, small and compressed" in whole.text
    assert not Page(page_of(report())).all("video")


def test_terms_are_explained_under_their_plots() -> None:
    text = Page(page_of(report())).text
    for panel in ("Warp error, from frame to frame", "Coverage", "Sharpness"):
        assert text.count(panel) >= 2, panel
    assert "along the footage’s own motion" in text
    assert "Area of the layers" not in text, "of what is not shown nothing is explained"
