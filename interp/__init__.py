"""What happens between frames: motion, and in-betweens along it."""
