"""States and messages as the code at hand writes them: `python tests/states/write.py`.

They are taken out of the golden histories (tests/replay/histories/next), so those are recorded
first; tests/replay/record.py calls this. See docs/changing-workflows.md.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

BASE = Path(__file__).parents[2]
sys.path[:0] = [str(BASE), str(BASE / "tests" / "support")]

import goldens  # noqa: E402
from past_states import STATES, Types, samples, telling  # noqa: E402

from ledger import Ledger  # noqa: E402

GO_ON = {
    "Lifecycle": "product-whole-1",
    "ReviewStart": "product-renewed-gate-launch-1",
    "Retirement": "product-reviewed-sunset-1",
}
"""The histories whose last state a workflow is started from."""


def write(documents: list[dict[str, str]] | None = None) -> None:
    """`documents` are those that the plays published; without, those that are there stay."""
    folder = STATES / "next"
    kept = folder / "documents.json"
    rows = json.loads(kept.read_text("utf-8")) if documents is None else documents
    found: dict[str, list[Any]] = {}
    with tempfile.TemporaryDirectory() as data:
        types = Types.here(Ledger(f"sqlite:///{data}/ledger.db"))
    plain = [path for path in goldens.histories(goldens.NEXT) if path.parent == goldens.NEXT]
    for path in plain:
        for model, value in samples(path, types):
            name = f"{model.__module__}.{model.__qualname__}"
            found.setdefault(name, []).append(value)
            if GO_ON.get(model.__name__) == path.stem:
                found[f"go-on.{model.__name__}"] = [value]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _save(kept, sorted(rows, key=lambda row: (row["kind"], row["name"])))
    for name, values in found.items():
        _save(folder / f"{name}.json", telling(values))
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{len(found)} models in {folder}, {size / 1e6:.1f} MB")


def _save(path: Path, values: list[Any]) -> None:
    lines = (json.dumps(value, separators=(",", ":"), ensure_ascii=False) for value in values)
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", "utf-8")


if __name__ == "__main__":
    write()
