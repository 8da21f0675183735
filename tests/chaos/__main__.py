"""`make chaos`: the long form. CHAOS_LIFECYCLES, CHAOS_KILLS, CHAOS_SEED, CHAOS_LEDGER (sqlite or
postgres), CHAOS_AT_ONCE, CHAOS_PATIENCE (seconds), CHAOS_FOLDER (kept; else it is removed)."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.figures import table
from tests.chaos.running import run


def main() -> int:
    if len(sys.argv) > 1:  # nothing is asked by arguments, and a run takes long
        print(__doc__, file=sys.stderr)
        return 2
    asked = {name: os.environ.get(f"CHAOS_{name.upper()}") for name in ("seed", "folder", "ledger")}
    lifecycles = int(os.environ.get("CHAOS_LIFECYCLES", "200"))
    seed = int(asked["seed"] or time.time())
    print(f"seed {seed}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="phasegate-chaos-") as scratch:
        folder = Path(asked["folder"] or scratch)
        folder.mkdir(parents=True, exist_ok=True)
        found = asyncio.run(
            run(
                folder,
                kind=asked["ledger"] or "sqlite",
                lifecycles=lifecycles,
                kills=int(os.environ.get("CHAOS_KILLS", "100")),
                seed=seed,
                at_once=int(os.environ.get("CHAOS_AT_ONCE", "20")),
                sample=300,
                patience=float(os.environ.get("CHAOS_PATIENCE", "3600")),
                say=lambda text: print(text, file=sys.stderr, flush=True),
            )
        )
    print(table(found))
    return 1 if found.violations else 0


if __name__ == "__main__":
    sys.exit(main())
