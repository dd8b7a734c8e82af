"""The panels beside the viewer, one a file: each builds its elements once, and shows in ``refresh`` what is there now."""
