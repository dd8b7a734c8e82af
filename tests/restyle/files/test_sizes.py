"""Sizes as people write them."""

from __future__ import annotations

import pytest

from restyle.errors import RecipeError
from restyle.files.sizes import parse_size

GB = 1 << 30


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("500M", 500 << 20), ("1.5g", 3 * GB // 2), (" 20 GB", 20 * GB), ("2TiB", 2 << 40)]
)
def test_sizes_are_read_as_they_are_written(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1G", "1P", "1e3"])
def test_other_sizes_are_told(text: str) -> None:
    with pytest.raises(RecipeError, match="a size is such as 500M"):
        parse_size(text)
