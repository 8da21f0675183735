"""Customers of another system through a real `phasegate serve`, and what a sunset makes of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import webhooks
from served import SECRET, SIGNING, Served, serving
from stage import Stage
from webhooks import as_body

from client import customers
from client.asking import ask, new_request_id
from client.customers import Batch, NotTold
from client.engine import Engine
from phasegate.customers import Row
from phasegate.events import Announcement
from phasegate.ids import product_id, sunset_id
from phasegate.requests import AbortRequest, CustomersRequest

BEARER = {"Authorization": f"Bearer {SECRET}"}
JSON = {**BEARER, "Content-Type": "application/json; charset=utf-8"}
CSV = {**BEARER, "Content-Type": "text/csv"}

DIRECTORY = """
directory: KEY
people: {olga: {}, tim: {}, ana: {}, bo: {}, cy: {}}
groups: {product: {members: [ana, olga]}, eng: {members: [bo, cy]}}
"""

POLICY = """
policy: KEY
version: "1"
title: Leave
phases:
  - id: market
    title: Market
    in_market: true
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  tasks:
"""

KEYS = """
    - {id: keys, title: Revoke the keys, kind: manual}
"""

NO_RETURN = """
    - id: off
      title: Decommission
      kind: gate
      point_of_no_return: true
      gate:
        id: off
        title: Decommission
        requires: [{group: eng}]
        criteria:
          - {id: settled, text: Every customer is settled, milestone: customers-settled}
"""


class Kettle(Stage):
    """Its owner is olga, and in its team is tim, in whose name a feed comes."""

    async def begin(self, tasks: str = KEYS, owner: str = "olga", team: str = "tim") -> None:
        product = f"key: {self.key}\nname: Kettle\nowner: {owner}\ntier: 2\nteam: [{team}]"
        policy, directory = (text.replace("KEY", self.key) for text in (POLICY, DIRECTORY))
        await self.start(policy + tasks, directory, product)
        await self.becomes(phase="market")

    async def recorded(self) -> Announcement | None:
        found = self.engine.ledger.events(self.key, types=("sunset.customers",))
        return found[0].announcement if found else None

    async def leave(self, tasks: str = KEYS) -> None:
        await self.begin(tasks)
        await self.submit("retire")
        await self.gate_opens("retire")
        await self.vote("retire", "ana", "go")


@pytest.fixture(scope="module")
async def serve(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("serve")
    async with serving(folder, PHASEGATE_LEDGER=engine.settings.ledger_url) as process:
        yield process


@pytest.fixture
def kettle(engine: Engine, request: pytest.FixtureRequest) -> Kettle:
    name = request.node.name.removeprefix("test_").lower()
    return Kettle(engine, re.sub(r"[^a-z0-9]+", "-", name).strip("-")[:50])


async def announced(serve: Served, product: str, size: int) -> bytes:
    """What is answered to a body of which only the size has come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(serve.url.rpartition(":")[2]))
    head = {**JSON, "Host": "x", "Content-Length": str(size)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    writer.write(f"POST /customers/{product} HTTP/1.1\r\n{lines}\r\n".encode())
    async with asyncio.timeout(15):
        answer = await reader.read(12)
    writer.close()
    return answer


async def test_a_feed_fills_the_ledger_and_a_retry_changes_nothing(
    kettle: Kettle, serve: Served
) -> None:
    await kettle.begin()
    body = as_body([{"id": 1, "name": "Ann", "migrated": True}, {"id": "2", "email": "b@x.org"}])
    answer = await serve.feed(kettle.key, JSON, body)
    assert answer.status_code == 200, answer.text
    done = answer.json()
    assert (done["new"], done["customers"]["open"]) == (2, 1)
    assert done["told"] == product_id(kettle.key)
    entry = await kettle.until(kettle.recorded, "the import is in the record")
    assert entry.actor == "tim"
    assert entry.data["digest"] == customers.digest_of_bytes(body)
    for _ in range(3):
        again = (await serve.feed(kettle.key, JSON, body)).json()
        assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, 2)
    assert kettle.story().count("sunset.customers") == 1, "no history for what changes nothing"
    kind = "workflow_execution_update_accepted_event_attributes"
    assert [event.HasField(kind) for event in (await kettle.history()).events].count(True) == 1
    text = b"id,waived,note\r\n2,yes,no contract\r\n"
    signed = {**webhooks.standard(SIGNING, text), "Content-Type": "text/csv"}
    later = await serve.feed(kettle.key, signed, text)
    assert (later.status_code, later.json()["customers"]["open"]) == (200, 0)
    assert later.json()["not_mentioned"] == 1

    async def logged() -> dict[str, Any] | None:
        lines = serve.said("customers taken")
        found = [line for line in lines if line["feed"] == "billing"]
        return found[-1] if found else None

    taken = await kettle.until(logged, "the log says what billing sent")
    assert taken["product"] == kettle.key
    assert "Ann" not in "".join(serve.raw)


async def test_the_point_of_no_return_waits_for_the_last_customer(
    kettle: Kettle, serve: Served
) -> None:
    await kettle.leave(NO_RETURN + KEYS)
    await kettle.gate_opens("off")
    one = await serve.feed(kettle.key, JSON, b'[{"id": "c1"}, {"id": "c2", "exported": true}]')
    assert one.json()["told"] == sunset_id(kettle.key)

    async def unmet() -> bool | None:
        (criterion,) = (await kettle.gate("off")).criteria
        return True if criterion.state != "met" else None

    await kettle.until(unmet, "the gate knows that a customer is open")
    await kettle.vote("off", "bo", "go")
    assert (await kettle.gate("off")).outcome is None
    await serve.feed(kettle.key, CSV, b"id,migrated\nc1,yes\n")
    await kettle.task_waits("keys")
    view = await kettle.sunset()
    assert view is not None
    assert view.customers is not None
    assert (view.customers.total, view.customers.open) == (2, 0)

    async def beyond() -> bool | None:
        return True if (await kettle.product()).beyond_return else None

    await kettle.until(beyond, "the product knows")
    before = kettle.engine.ledger.customers.summary(kettle.key, 1)
    late = await serve.feed(kettle.key, JSON, b'[{"id": "c3"}]')
    assert (late.status_code, late.json()["code"]) == (409, "point-of-no-return")
    assert kettle.engine.ledger.customers.summary(kettle.key, 1) == before


async def test_what_is_not_taken(kettle: Kettle, serve: Served) -> None:
    await kettle.begin(owner="ana", team="cy")

    async def refused(
        product: str = kettle.key, headers: dict[str, str] = JSON, body: bytes = b"[]"
    ) -> tuple[int, str]:
        answer = await serve.feed(product, headers, body)
        said = answer.json()
        assert said["error"] == "the customers are not taken"
        assert said["reason"]
        assert said["hint"]
        if answer.status_code == 401:
            assert answer.headers["WWW-Authenticate"]
        return answer.status_code, said["code"]

    assert await refused() == (403, "not-owner")
    assert await refused("nobody") == (404, "unknown-product")
    assert await refused("No%20body") == (404, "unknown-product")
    assert await refused(headers={}) == (401, "no-proof")
    assert await refused(headers={"Authorization": "Bearer guessed"}) == (401, "wrong-proof")
    stale = webhooks.standard(SIGNING, b"[]", at=1_600_000_000)
    assert await refused(headers=stale) == (401, "stale-timestamp")
    forged = webhooks.standard("whsec_Z3Vlc3NlZC1ieS1zb21lYm9keQ==", b"[]")
    assert await refused(headers=forged) == (401, "wrong-proof")
    assert await refused(headers=BEARER) == (415, "unsupported-type")
    assert await announced(serve, kettle.key, 16 * 1024 * 1024 + 1) == b"HTTP/1.1 413"
    put = await serve.http.put(f"{serve.url}/customers/{kettle.key}", headers=JSON, content=b"[]")
    assert (put.status_code, put.headers["Allow"]) == (405, "POST")


async def test_every_bad_row_is_named_to_the_sender_and_to_no_log(
    kettle: Kettle, serve: Served
) -> None:
    await kettle.begin()
    body = b'id,email\nc1,"nonsense\nhere"\nc2,b@x.org\nc2,b@x.org\n'
    answer = await serve.feed(kettle.key, CSV, body)
    assert (answer.status_code, answer.json()["total"]) == (400, 2)
    assert [(p["line"], p["column"]) for p in answer.json()["problems"]] == [
        (2, "email"),
        (5, "id"),
    ]
    feed = await serve.feed(kettle.key, JSON, b'[{"id": "c1"}, {"id": "c2", "waived": "soon"}]')
    (problem,) = feed.json()["problems"]
    assert (problem["number"], problem["column"]) == (2, "waived")

    async def logged() -> dict[str, Any] | None:  # the log is read after the answer has come
        lines = [s for s in serve.said("customers refused") if s["product"] == kettle.key]
        return lines[1] if len(lines) == 2 else None

    line = await kettle.until(logged, "the log has both refusals")
    assert (line["status"], line["code"], line["reason"]) == (
        400,
        "malformed",
        "there is 1 problem",
    )
    assert "nonsense" not in "".join(serve.raw)
    assert kettle.engine.ledger.customers.summary(kettle.key, 1).total == 0


async def test_what_nobody_could_be_told_of_is_kept_and_told_again(engine: Engine) -> None:
    request = CustomersRequest(actor="olga", request_id=new_request_id())
    with pytest.raises(NotTold) as error:
        await customers._tell(engine, "nobody-runs-this", request, "phasegate customer import")
    assert "are kept, but its lifecycle has not heard" in error.value.what
    assert error.value.hint.startswith("phasegate customer import  # changes nothing")


async def test_a_second_sunset_counts_anew(kettle: Kettle) -> None:
    await kettle.leave()
    await kettle.task_waits("keys")
    rows = [Row("c1", waived=True), Row("c2", migrated=True)]
    done = await customers.take(kettle.engine, kettle.key, "tim", Batch(rows, "", "again"))
    assert (done.sunset, done.customers.open) == (1, 0)
    back = AbortRequest(actor="olga", reason="they buy again", request_id=new_request_id())
    await ask(kettle.engine.workflow(sunset_id(kettle.key)), "abort", back)
    await kettle.becomes(status="active")
    # Its product hears of its end a moment before it has ended, and until then it is asked first.
    await kettle.engine.workflow(sunset_id(kettle.key)).result()
    assert await customers.current_sunset(kettle.engine, kettle.key) == 2
    rows = [Row("c1", name="still here")]
    done = await customers.take(kettle.engine, kettle.key, "tim", Batch(rows, "", "again"))
    assert (done.sunset, done.customers.total, done.customers.open) == (2, 2, 2)
