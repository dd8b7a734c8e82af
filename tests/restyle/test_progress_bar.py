from __future__ import annotations

import io

from restyle.progress import Progress
from restyle.progress_bar import ProgressBar


def at(stage: str, done: int, total: int | None) -> Progress:
    return Progress(stage, done, total, 1.0, None)  # type: ignore[arg-type]


def test_each_stage_has_a_bar_of_its_own() -> None:
    said = io.StringIO()
    with ProgressBar(file=said, mininterval=0, ascii=True) as bar:
        for done in range(5):
            bar(at("analyse", done, 4))
        bar(at("render", 0, 4))
        bar(at("render", 2, 4))
    lines = said.getvalue().replace("\n", "\r").split("\r")
    assert any(line.startswith("looking: 100%") and "4/4" in line for line in lines)
    assert any(line.startswith("restyling:  50%") and "2/4" in line for line in lines)


def test_a_length_that_nobody_knows_is_no_hindrance() -> None:
    said = io.StringIO()
    with ProgressBar(file=said, mininterval=0, ascii=True) as bar:
        bar(at("analyse", 3, None))
    assert "looking: 3frame" in said.getvalue()


def test_the_same_stage_again_begins_anew() -> None:
    said = io.StringIO()
    with ProgressBar(file=said, mininterval=0, ascii=True) as bar:
        bar(at("analyse", 4, 4))
        bar(at("analyse", 1, 4))
    assert "1/4" in said.getvalue()
