"""`phasegate doctor`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from commands.options import Output


async def doctor(
    *,
    fix: Annotated[
        bool, Parameter(negative=(), help="Register missing search attributes on the server")
    ] = False,
    output: Output = "table",
) -> int:
    """Say what is wrong with this set-up, and how to mend it.

    Exit code 0 if nothing fails (warnings are no failures), else 1.
    """
    from client.health import examine
    from client.settings import Settings
    from commands.failing import FAILED, OK
    from commands.output import Grid, emit

    checks = [check async for check in examine(Settings.load(), fix=fix)]
    failed = any(check.state == "fail" for check in checks)
    document = {"schema_version": 1, "ok": not failed, "checks": checks}
    cells = [(check.state, check.check, check.what, check.mend) for check in checks]
    emit(document, lambda: [Grid(("state", "check", "what", "to mend it"), cells)], output)
    return FAILED if failed else OK
