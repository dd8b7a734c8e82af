"""Compositing: layers over the footage, the edges of their mattes, and what is put behind objects."""
