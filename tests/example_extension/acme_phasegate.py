"""A milestone check of Acme's: is enough of the error budget left to launch?"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from phasegate.extending import CheckAnswer, CheckQuery, cannot_tell, met, not_met


async def error_budget(query: CheckQuery) -> CheckAnswer:
    """Read the report that `options.report` names, and compare it with `options.left` (a share)."""
    report, wanted = Path(query.options["report"]), float(query.options["left"])
    try:
        text = await asyncio.to_thread(report.read_text, encoding="utf-8")
    except OSError as error:
        return cannot_tell(f"the report of {query.product} is not there: {error.strerror}")
    left = float(json.loads(text)["error_budget_left"])
    said = f"{left:.0%} of the error budget of {query.product} is left, {wanted:.0%} is wanted"
    return met(said) if left >= wanted else not_met(said)
