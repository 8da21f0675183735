"""What answers requests have in common: one object for a refusal, and one line in the log."""

from __future__ import annotations

import re
import traceback
from typing import Any

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from integrations.refused import Refused

log = structlog.get_logger("serving")

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
        try:
            response = await self.answer(name, request)
        except Refused as refused:
            response = self.refusal(name, refused)
        except ClientDisconnect:
            log.warning(f"{self.brought} refused", **noted, code="left", reason="it broke off")
            return
        except Exception as error:
            # Its message may hold a piece of the body; where it came from does not.
            where = traceback.format_tb(error.__traceback__)[-3:]
            log.error("serve failed", **noted, error=type(error).__name__, where=where)
            why = "an error of phasegate's own, which its log has"
            what = f"the {self.brought} is not taken"
            response = self.refusal(name, Refused(500, "failed", what, why, "send it again later"))
        await response(scope, receive, send)

    async def answer(self, name: str, request: Request) -> Response:
        """The answer. Raises Refused."""
        raise NotImplementedError

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
