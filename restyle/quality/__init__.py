"""How good a result is: the measures, measuring frame by frame, comparing two files, and the report."""
