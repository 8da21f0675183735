"""Commands wait for what they load: nothing that only workers or other databases need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ASK = "client.inbox, client.gates, client.products"


@pytest.mark.parametrize(
    "heavy",
    ["workflows.product_lifecycle", "workflows.gate_review", "sqlalchemy.dialects.postgresql"],
)
def test_a_client_does_not_load(heavy: str) -> None:
    code = (
        f"import sys, {ASK}; from client.plugin import phasegate_plugin; phasegate_plugin();"
        f"print({heavy!r} in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
