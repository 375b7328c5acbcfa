"""`python -m bitten`."""

from __future__ import annotations

import sys

from bitten.cli import main

if __name__ == "__main__":
    sys.exit(main())
