"""restyle: repaint footage in a new look, frame for frame."""
