"""`python -m demo [--keep]`: what `phasegate demo` runs."""

from __future__ import annotations

import asyncio
import sys

from demo.story import main
from phasegate.errors import PhasegateError

if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(keep="--keep" in sys.argv[1:])))
    except PhasegateError as error:
        print(f"error: {error.what}\nwhy: {error.why}\nhint: {error.hint}", file=sys.stderr)
        sys.exit(1)
