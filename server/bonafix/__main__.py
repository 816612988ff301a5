"""`python -m bonafix` is the `bonafix` command."""

import sys

from bonafix.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
