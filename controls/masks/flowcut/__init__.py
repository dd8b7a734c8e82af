"""The masker flowcut: colour models and a min-cut, carried along the flow. OpenCV and nothing else."""
