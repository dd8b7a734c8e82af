"""Rendering: runs a plan, one shot at a time, through bounded queues. Knows no model, no codec and no file."""
