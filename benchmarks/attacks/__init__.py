"""What ``benchmarks/attack.py`` is made of: four sweeps of trials, one judge, one way to run the command line."""
