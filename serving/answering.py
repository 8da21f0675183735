"""What answers requests have in common: one object for a refusal, and one line in the log."""

from __future__ import annotations

import re
import traceback
from contextlib import AbstractContextManager
from typing import Any

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from client.runtime import core_runtime
from integrations import tracing
from integrations.refused import Refused
from phasegate.measures import SERVED

log = structlog.get_logger("serving")

TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""https://www.w3.org/TR/trace-context/#traceparent-header-field-values"""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Answering:
    """An ASGI application for one kind of address, so that it sees every method.

    `brought` is what comes in, `named` what the address names.
    """

    brought = "event"
    named = "source"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        name = str(request.path_params[self.named])
        noted = {self.named: shown(name)}
        response = await self._answered(name, noted, request)
        status = str(response.status_code) if response else "none"
        labels = {"brought": self.brought, "status": status}
        counter = core_runtime().metric_meter.create_counter(SERVED.name, SERVED.meaning)
        counter.add(1, labels)
        if response:
            await response(scope, receive, send)

    async def _answered(
        self, name: str, noted: dict[str, str], request: Request
    ) -> Response | None:
        """The answer, also where it fails; None for a sender that has left."""
        try:
            return await self.answer(name, request)
        except Refused as refused:
            return self.refusal(name, refused)
        except ClientDisconnect:
            log.warning(f"{self.brought} refused", **noted, code="left", reason="it broke off")
            return None
        except Exception as error:
            # Its message may hold a piece of the body; where it came from does not.
            where = traceback.format_tb(error.__traceback__)[-3:]
            log.error("serve failed", **noted, error=type(error).__name__, where=where)
            why = "an error of phasegate's own, which its log has"
            what = f"the {self.brought} is not taken"
            return self.refusal(name, Refused(500, "failed", what, why, "send it again later"))

    async def answer(self, name: str, request: Request) -> Response:
        """The answer. Raises Refused."""
        raise NotImplementedError

    def traced(self, request: Request) -> AbstractContextManager[None]:
        """The span of what is done for whoever has proven who they are.

        Not of a stranger's request: it would choose the trace, and whether that is kept.
        """
        return tracing.span(f"take {self.brought}", _trace(request), kind="server", root=True)

    def refusal(self, name: str, refused: Refused, **more: Any) -> Response:
        """One line in the log, and one object for the sender, with `more` in it."""
        note = log.error if refused.status >= 500 else log.warning
        note(
            f"{self.brought} refused",
            **{self.named: shown(name)},
            status=refused.status,
            code=refused.code,
            reason=refused.why,
        )
        return JSONResponse({**document(refused), **more}, refused.status, refused.headers)


def _trace(request: Request) -> str:
    """The trace that the sender says it is part of; what is no such thing starts none of ours."""
    found = request.headers.get("traceparent", "")
    return found if TRACEPARENT.fullmatch(found) else ""


def document(refused: Refused) -> dict[str, Any]:
    """A refusal for machines."""
    return {
        "schema_version": 1,
        "error": refused.what,
        "reason": refused.why,
        "hint": refused.hint,
        "code": refused.code,
    }


def shown(name: str) -> str:
    """A name as it may be logged: whoever asks for another chose that text."""
    return name if _NAME.fullmatch(name) else "?"
