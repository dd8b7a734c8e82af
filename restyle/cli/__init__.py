"""The command line: arguments -> ``Recipe`` -> ``Job``. No logic of its own; one small file a group of commands."""

from restyle.cli.app import main

__all__ = ["main"]
