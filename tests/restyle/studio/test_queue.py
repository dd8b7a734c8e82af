"""The queue of renders: one after the other, in their order; who is stopped or dies falls out of it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from studio_browser import wait_until

from restyle import Cancelled
from restyle.studio.queue import Waiting, turn_in, waiting_in


class Somebody(threading.Thread):
    """Waits in a queue, and keeps the turn until it is let go."""

    def __init__(self, queue: Path, title: str, done: list[str]) -> None:
        super().__init__()
        self.queue, self.title, self.done = queue, title, done
        self.cancel, self.let_go, self.ahead = threading.Event(), threading.Event(), -1
        self.start()

    def run(self) -> None:
        try:
            with turn_in(self.queue, self.title, self.queue, self.cancel, lambda ahead: setattr(self, "ahead", ahead)):
                self.done.append(self.title)
                self.let_go.wait(30)
        except Cancelled:
            self.done.append(f"{self.title} was stopped")


def test_they_work_in_their_order_and_who_is_stopped_falls_out(tmp_path: Path) -> None:
    done: list[str] = []
    people = []
    for number, title in enumerate(("one", "two", "three")):
        people.append(Somebody(tmp_path / "queue", title, done))
        wait_until(title, lambda: len(waiting_in(tmp_path / "queue")) == number + 1)  # noqa: B023
    wait_until("the third one's place", lambda: people[2].ahead == 2)
    assert waiting_in(tmp_path / "queue")[1] == Waiting("two", tmp_path / "queue")
    assert done == ["one"]
    people[1].cancel.set()
    wait_until("the second one's end", lambda: done == ["one", "two was stopped"])
    people[0].let_go.set()
    wait_until("the third one's turn", lambda: done[-1] == "three")
    people[2].let_go.set()
    for each in people:
        each.join(10)
    assert waiting_in(tmp_path / "queue") == []
    assert list((tmp_path / "queue").glob("*.turn")) == []


def test_who_died_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "00000001.turn").write_text('{"title": "gone", "folder": "x"}')
    with turn_in(tmp_path, "next", tmp_path, threading.Event(), lambda ahead: pytest.fail(f"{ahead} are ahead")):
        assert [each.title for each in waiting_in(tmp_path)] == ["next"]
