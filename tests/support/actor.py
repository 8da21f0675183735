"""Carries out one act in a process of its own, that can be killed: `LEDGER ORDER [MAIL-PORT]`."""

from __future__ import annotations

import asyncio
import sys

from acting import Acting

from integrations.document import Mail
from ledger import Ledger
from phasegate.sunset_ports import ActOrder


async def main(url: str, order: str, port: str = "") -> None:
    known = {"host": "127.0.0.1", "port": port, "tls": "none", "sender": "atlas@acme.example"}
    mail = Mail.model_validate(known) if port else None
    result = await Acting(Ledger(url), mail=mail).carry_out(ActOrder.model_validate_json(order))
    print(result.model_dump_json())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
