"""Temporal stabilisation: control maps that hold still along the footage's motion."""
