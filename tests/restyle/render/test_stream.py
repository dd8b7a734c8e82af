from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restyle.render.stream import WriteBehind, prefetch


def threads() -> int:
    return sum(thread.name.startswith("restyle-") for thread in threading.enumerate())


@given(st.lists(st.integers()), st.integers(1, 5))
def test_everything_comes_through_in_order(items: list[int], depth: int) -> None:
    assert list(prefetch(items, depth)) == items


def test_it_runs_ahead_but_not_far() -> None:
    made = []

    def source():
        for number in range(100):
            made.append(number)
            yield number

    stream = prefetch(source(), depth=3)
    assert next(stream) == 0
    time.sleep(0.3)
    assert 2 <= len(made) <= 6
    stream.close()


def test_what_the_source_raises_arrives_after_what_came_before() -> None:
    def source():
        yield 1
        raise ValueError("broken")

    stream = prefetch(source())
    assert next(stream) == 1
    with pytest.raises(ValueError, match="broken"):
        next(stream)


def test_closing_the_consumer_closes_the_source() -> None:
    closed = threading.Event()

    def source():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    stream = prefetch(source(), depth=2)
    next(stream)
    stream.close()
    assert closed.is_set()
    assert threads() == 0


def test_a_source_that_fails_as_it_is_closed_does_not_hang() -> None:
    class Source:
        def __init__(self) -> None:
            self.left = 2

        def __iter__(self) -> Source:
            return self

        def __next__(self) -> int:
            if not self.left:
                raise StopIteration
            self.left -= 1
            return self.left

        def close(self) -> None:
            raise OSError("the disk is gone")

    stream = prefetch(Source())
    assert [next(stream), next(stream)] == [1, 0]
    with pytest.raises(OSError, match="the disk is gone"):
        next(stream)
    again = prefetch(Source())
    next(again)
    again.close()
    assert threads() == 0


def test_write_behind_writes_all_in_order() -> None:
    written: list[int] = []
    with WriteBehind(written.append, depth=2) as sink:
        for number in range(50):
            sink.put(number)
    assert written == list(range(50))
    assert threads() == 0


@pytest.mark.parametrize("failing", [0, 30, 49])
def test_a_failing_sink_stops_the_producer(failing: int) -> None:
    def write(number: int) -> None:
        if number == failing:
            raise OSError("disk full")

    def produce() -> None:
        with WriteBehind(write, depth=2) as sink:
            for number in range(50):
                sink.put(number)

    with pytest.raises(OSError, match="disk full"):
        produce()
    assert threads() == 0


def test_leaving_through_an_exception_does_not_wait_for_the_queue() -> None:
    written: list[int] = []

    def write(number: int) -> None:
        time.sleep(0.05)
        written.append(number)

    def produce() -> None:
        with WriteBehind(write, depth=8) as sink:
            for number in range(8):
                sink.put(number)
            raise KeyError("elsewhere")

    with pytest.raises(KeyError):
        produce()
    assert len(written) < 8
    assert threads() == 0
