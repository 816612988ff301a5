"""`python -m bonafix` is the `bonafix` command."""

import sys

# `-m` puts the working directory first: inside a project, its modules would be ours.
if not sys.flags.safe_path and sys.path:
    del sys.path[0]

from bonafix.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
