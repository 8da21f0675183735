"""Customers of a product, as another system sends them: `POST /customers/{product}`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from client.customers import Batch, NotTold, digest_of_bytes, take
from client.engine import Engine
from client.settings import Settings
from integrations.document import Feed
from integrations.proof import prove
from integrations.refused import Refused, unavailable
from ledger import Ledger
from phasegate.customer_file import CustomersError, read_csv, read_json
from phasegate.customers import ImportedView, Row
from phasegate.errors import Forbidden, NotRunning, PhasegateError, Rejected
from serving.answering import Answering, shown
from serving.link import Link
from serving.taking import Room, body_of, headers_of

log = structlog.get_logger("serving")

LARGEST = 16 * 1024 * 1024
"""Bytes of a feed: about 150,000 customers. More come in parts."""

READING, AT_ONCE = 16, 2
"""Feeds being read, and being taken, at the same time: each takes much memory."""

WITHIN = 120.0
"""Seconds in which customers are written and their lifecycle is told."""

_READERS = {"application/json": read_json, "text/csv": read_csv}


@dataclass
class _Unreadable(Exception):
    """What is wrong with a body; the sender is told of each line, the log is not."""

    found: CustomersError


class Customers(Answering):
    """Customers of any product; the feed's person says whose."""

    brought = "customers"
    named = "product"

    def __init__(self, feeds: Mapping[str, Feed], link: Link) -> None:
        self.feeds = feeds
        self.link = link
        self.ledger = Ledger(Settings.load().ledger_url)
        self.reading = Room(READING, "are being read")
        self.working = Room(AT_ONCE, "are being taken")

    async def answer(self, name: str, request: Request) -> Response:
        """The answer. Raises Refused."""
        try:
            return JSONResponse(
                (await self._take(name, request)).model_dump(mode="json"),
                headers={"Cache-Control": "private, no-store"},
            )
        except _Unreadable as error:
            return self._malformed(name, request, error.found)
        except Refused as refused:
            refused.what = "the customers are not taken"
            raise

    async def _take(self, name: str, request: Request) -> ImportedView:
        if request.method != "POST":
            why = "customers come by POST"
            raise Refused(405, "method-not-allowed", "", why, "use POST", headers={"Allow": "POST"})
        headers = headers_of(request)
        early = self._early(headers)
        with self.reading:
            body = await body_of(request, LARGEST)
        feed = early or self._proven(headers, body, "standard-webhooks")
        if shown(name) != name:
            raise Refused(404, "unknown-product", "", "that is no key", "phasegate product list")
        with self.working, self.traced(request):
            rows = await asyncio.to_thread(_rows, _media(headers), body)
            return await self._write(name, feed, Batch(rows, digest_of_bytes(body), "send it"))

    def _early(self, headers: Mapping[str, str]) -> str | None:
        """The feed whose token comes with the request: known before its body is read.

        Who neither sends one nor signs is refused here, and takes no place of others.
        """
        if "authorization" in headers or "webhook-signature" not in headers:
            return self._proven(headers, b"", "bearer")
        return None

    def _proven(self, headers: Mapping[str, str], body: bytes, kind: str) -> str:
        """The feed that the request proves to come from. Raises Refused."""
        refusals: list[Refused] = []
        for name, feed in self.feeds.items():
            if feed.kind == kind:
                try:
                    prove(feed.proven_as, headers, body)
                    return name
                except Refused as refused:
                    refusals.append(refused)
        if refusals:
            # A secret that cannot be read is our fault; a late signature is nearly right.
            raise max(refusals, key=lambda r: (r.status, r.code == "stale-timestamp"))
        raise Refused(
            401,
            "no-proof",
            "",
            "no feed of the integrations file is proven so",
            "add one below feeds, and start phasegate serve again",
            headers={"WWW-Authenticate": 'Bearer realm="phasegate"'},
        )

    async def _write(self, name: str, feed: str, batch: Batch) -> ImportedView:
        who = self.feeds[feed].who
        try:
            async with asyncio.timeout(WITHIN):
                client = await self.link.client()
                engine = Engine(client, self.ledger, Settings.load())
                done = await take(engine, name, who, batch)
        except NotRunning as error:
            raise Refused(404, "unknown-product", "", error.why, error.hint) from error
        except Forbidden as error:
            hint = "name its owner, or one of its team, as who of the feed"
            raise Refused(403, error.code, "", error.why, hint) from error
        except Rejected as error:
            raise Refused(409, error.code, "", error.why, error.hint) from error
        except NotTold as error:
            why = "they are kept, but the lifecycle gave no answer"
            raise unavailable(why, "send them again: what is kept is not changed") from error
        except TimeoutError as error:
            raise unavailable(f"it took more than {WITHIN:.0f} s", "send them again") from error
        except PhasegateError as error:
            raise unavailable(str(error), error.hint) from error
        log.info(
            "customers taken",
            product=name,
            feed=feed,
            rows=done.rows,
            new=done.new,
            changed=done.changed,
        )
        return done

    def _malformed(self, name: str, request: Request, found: CustomersError) -> Response:
        """All that is wrong, for the sender; the log has only how much."""
        total = "1 problem" if found.total == 1 else f"{found.total} problems"
        csv = _media(headers_of(request)) == "text/csv"
        refused = Refused(
            400,
            "malformed",
            "the customers are not taken",
            f"there is {total}" if found.total == 1 else f"there are {total}",
            "mend what is sent: docs/customers.md says what is read",
        )
        problems = [
            {
                "line" if csv else "number": problem.line,
                "column": ".".join(map(str, problem.path)),
                "message": problem.message,
            }
            for problem in found.problems
        ]
        return self.refusal(name, refused, problems=problems, total=found.total)


def _rows(media: str, body: bytes) -> list[Row]:
    if (read := _READERS.get(media)) is None:
        kinds = " or ".join(_READERS)
        raise Refused(415, "unsupported-type", "", f"the Content-Type is not {kinds}", "send that")
    try:
        return read(body, "the feed", datetime.now(UTC))
    except CustomersError as error:
        raise _Unreadable(error) from error


def _media(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()
