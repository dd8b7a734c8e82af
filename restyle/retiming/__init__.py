"""Retiming: another frame rate and slow motion; the clock, repeated frames, and the work itself."""
