"""Fillers: paintings propagated to the frames between them, one kind a file; ``repair``: what no painting explains."""
