"""Fillers, one a file."""
