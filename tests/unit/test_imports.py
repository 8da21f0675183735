"""Import rules of the two modules at the root; import-linter holds those between packages."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {
    "phasegate",
    "workflows",
    "activities",
    "ledger",
    "client",
    "serving",
    "commands",
    "cli",
    "worker",
}


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("cli", {"phasegate", "commands", "client"}),
        ("worker", {"phasegate", "client", "workflows", "activities", "ledger"}),
    ],
)
def test_root_module_imports_only_what_the_architecture_allows(
    module: str, allowed: set[str]
) -> None:
    assert _imports(ROOT / f"{module}.py") & OURS <= allowed


def _imports(path: Path) -> set[str]:
    """Top-level names of everything the file imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found
