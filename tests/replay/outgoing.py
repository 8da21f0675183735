"""What record.py plays of what goes out: a receiver that fails at first, mail, a letter."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from mailserver import mail_server
from receiver import Request, receiving
from stage import Stage

from integrations.document import Integrations
from phasegate.delivery import COURIER_SWEEP, PORTFOLIO_DIGEST

DIRECTORY = """
directory: default
people: {olga: {email: o@acme.example}, ana: {email: a@acme.example}, bo: {}, cy: {}, lea: {}}
groups: {product: {members: [ana, olga]}, eng: {members: [bo, cy]}, legal: {members: [lea]}}
"""
OUTWARDS = "WorkflowType IN ('Courier', 'MailCourier', 'CourierSweep', 'PortfolioDigest')"


@contextmanager
def receivers(refused: list[str]) -> Iterator[Integrations]:
    """A subscriber that refuses twice, and a mail server. Its secret is in CRM_KEY."""

    def failing(request: Request) -> tuple[int, dict[str, str]]:
        if len(refused) < 2:
            refused.append(request.id)
            return 503, {}
        return 200, {}

    with receiving() as receiver, mail_server() as post:
        receiver.answer = failing
        yield Integrations.model_validate(
            {
                "subscribers": {"crm": {"url": receiver.url, "secret": {"env": "CRM_KEY"}}},
                "mail": {
                    "host": "127.0.0.1",
                    "port": post.port,
                    "tls": "none",
                    "sender": "gates@acme.example",
                    "gather": "1 second",
                },
                "digest": {"to": ["head@acme.example"]},
            }
        )


async def outgoing_life(stage: Stage, refused: list[str]) -> None:
    """A receiver that fails at first, mail to those concerned, a sweep, a letter."""

    async def failed() -> bool | None:
        return True if len(refused) >= 2 else None

    await stage.start(directory=DIRECTORY)
    await stage.becomes(phase="build")
    await stage.until(failed, "the receiver fails")
    await stage.report("done")
    await stage.gate_opens("launch")
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await stage.becomes(phase="market")
    await asyncio.sleep(8)  # until couriers have nothing left
    for type, id in ((COURIER_SWEEP, "courier-sweep"), (PORTFOLIO_DIGEST, "portfolio-digest")):
        queue = stage.engine.settings.task_queue
        await stage.engine.client.execute_workflow(type, id=id, task_queue=queue)
