"""``python -m restyle``: the same as the command ``restyle``."""

import sys

from restyle.cli import main

if __name__ == "__main__":
    sys.exit(main())
