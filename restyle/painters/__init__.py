"""Painters, one a file; ``restyle.registry`` finds them by name."""
