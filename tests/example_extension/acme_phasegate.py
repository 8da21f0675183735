"""What phasegate does not know of Acme: is enough of the error budget left to launch, and how are
the tenants of a product closed when it leaves the market?"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from phasegate.extending import (
    CheckAnswer,
    CheckQuery,
    TaskAnswer,
    TaskDone,
    TaskNotDone,
    TaskOrder,
    cannot_tell,
    met,
    not_met,
)


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


class Tenants:
    """Closes the tenants of a product: a folder with a file for each stands for the real system."""

    async def carry_out(self, order: TaskOrder) -> TaskAnswer:
        """Close those that are open. Called again it finds them closed."""
        try:
            names = await asyncio.to_thread(self._close, self._folder(order), order.key)
        except FileNotFoundError as error:
            return TaskNotDone(f"there are no tenants of {order.product}: {error.strerror}")
        return TaskDone(f"{len(names)} tenants are closed", data={"tenants": len(names)})

    async def probe(self, order: TaskOrder) -> TaskAnswer:
        """Whether an earlier call came to its end: nothing is changed here."""
        left = await asyncio.to_thread(lambda: list(self._folder(order).glob("*.open")))
        if left:
            return TaskNotDone(f"{len(left)} tenants are open")
        return TaskDone("no tenant is open")

    async def undo(self, order: TaskOrder) -> TaskAnswer:
        """Open them again: what an abort asks for."""
        names = await asyncio.to_thread(self._open, self._folder(order))
        return TaskDone(f"{len(names)} tenants are open again", data={"tenants": len(names)})

    def _folder(self, order: TaskOrder) -> Path:
        return Path(order.options["folder"])

    def _close(self, folder: Path, key: str) -> list[str]:
        folder.stat()
        for tenant in folder.glob("*.open"):
            tenant.write_text(key, encoding="utf-8")
            tenant.rename(tenant.with_suffix(".closed"))
        return [tenant.stem for tenant in folder.glob("*.closed")]

    def _open(self, folder: Path) -> list[str]:
        names = [tenant.stem for tenant in folder.glob("*.closed")]
        for name in names:
            (folder / f"{name}.closed").rename(folder / f"{name}.open")
        return names


close_tenants = Tenants()
