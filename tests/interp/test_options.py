from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from interp.options import checked_options

if TYPE_CHECKING:
    from fractions import Fraction


class Part:
    def __init__(self, detail: float = 0.8, threads: int = 0, name: str | None = None) -> None: ...


class Heir(Part):
    pass


@dataclass
class Options:
    detail: float = 0.8
    threads: int = 0
    name: str | None = None


class Unknown:
    def __init__(self, rate: Fraction) -> None: ...


@pytest.mark.parametrize("part", [Part, Heir, Options])
def test_options_are_of_the_constructors_types(part: Any) -> None:
    given = {"detail": 1, "threads": 3, "name": None, "more": object}
    assert checked_options(part, given) == given
    for wrong, says in (
        ({"threads": "many"}, "option threads: .*integer.*got 'many'"),
        ({"detail": []}, "option detail: .*number"),
        ({"name": 3}, "option name"),
        ({"detail": "x" * 1000}, r"\.\.\.$"),
    ):
        with pytest.raises(ValueError, match=says):
            checked_options(part, wrong)


def test_types_that_nobody_can_look_at_pass() -> None:
    assert checked_options(Unknown, {"rate": "x"}) == {"rate": "x"}
