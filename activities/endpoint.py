"""Subscribed endpoints: CloudEvents by HTTP, signed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx2

from activities import web
from activities.channels import Answer, Gone, Refused, Taken
from activities.cloud_events import signed, structured
from integrations import tracing
from integrations.document import Subscriber
from ledger import Entry
from phasegate.reach import Reach

SECONDS = 20.0
"""Standard Webhooks recommend 15 to 30 s for one request."""


class Endpoint:
    """One subscriber. A 2xx answer means that it has the event; redirects are not followed."""

    def __init__(self, subscriber: Subscriber, reach: Reach) -> None:
        self._subscriber, self._reach = subscriber, reach
        self.events = subscriber.events
        self.give_up: timedelta = subscriber.give_up.approximate
        self.address = subscriber.url

    async def send(self, entry: Entry) -> Answer:
        """POST once. The key is read each time, so that a rotated one counts at once."""
        body = structured(entry)
        secret = self._subscriber.secret.reveal()
        headers = signed(secret, entry, body, datetime.now(UTC))
        if trace := tracing.current():  # https://www.w3.org/TR/trace-context/
            headers["traceparent"] = trace
        asked = web.shown(self.address)
        try:
            async with asyncio.timeout(SECONDS), web.client(SECONDS, self._reach) as http:
                request = http.build_request("POST", self.address, content=body, headers=headers)
                response = await http.send(request, stream=True, follow_redirects=False)
                await response.aclose()
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError, ValueError) as error:
            return Refused(f"{asked} gave no answer: {web.reason(error)}")
        if response.is_success:
            return Taken()
        why = f"{asked} answered {response.status_code}"
        if response.status_code == httpx2.codes.GONE:
            return Gone(why)
        return Refused(why, web.retry_after(response))
