"""`phasegate demo`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter


async def demo(
    *,
    keep: Annotated[
        bool, Parameter(negative=(), help="Leave the server up to explore, until Ctrl-C")
    ] = False,
) -> int:
    """Play two real products on a local server, from inception to end of life.

    The exit code is 0 only if everything ended as it should.
    """
    from demo.story import main

    return await main(keep)
