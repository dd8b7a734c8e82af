"""Fixtures of the tests of batches."""

from batches import footage, own_history

__all__ = ["footage", "own_history"]
