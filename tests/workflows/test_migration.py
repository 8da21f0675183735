"""Products are put under another policy: in a phase, with an open gate, in bulk, and on record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from forging import Body, bodies, changed, without
from life import Life
from replaying import replay
from sqlalchemy import insert
from stage import Stage

from client import migrating, migrations, products
from client.audit_checks import verify_record
from client.audits import record_of
from client.engine import Engine
from client.left_waiting import tell_who_waits
from client.migrations import Migration, MigrationRow
from client.products import publish_policy
from client.retrospectives import retrospective
from ledger import schema
from phasegate.audit.record import Record
from phasegate.base import canonical
from phasegate.ids import gate_id
from phasegate.migration_ports import MigrateRequest, MigrationTerms
from phasegate.reading import read_policy

DIRECTORY = """
directory: KEY
people: {olga: {}, ana: {}, bo: {}, cy: {}, lea: {}, zoe: {}, eve: {}, max: {}, kim: {}}
groups:
  product: {members: [ana]}
  eng: {members: [bo, cy]}
  legal: {members: [lea]}
  board: {members: [zoe, olga, max, kim], permissions: {migrate: [2]}}
"""

POLICY = """
policy: KEY
version: "1"
title: Build and sell
phases:
  - id: build
    title: Build
    milestones: [{id: done, title: Feature complete}, {id: docs, title: Documented}]
    gate: {id: launch, title: Launch, opens: submit, requires: [{group: product}, {group: eng}]}
  - id: market
    title: Market
    in_market: true
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
"""

LEGAL_TOO = POLICY.replace('version: "1"', 'version: "2"').replace(
    "{group: eng}]}", "{group: eng}, {group: legal}]}"
)
"""Its first gate asks another group."""

RETIRE_HARDER = (
    POLICY.replace('version: "1"', 'version: "2"')
    .replace("requires: [{group: product}]}", "requires: [{group: product}, {group: legal}]}")
    .replace("{id: docs, title: Documented}", "{id: press, title: Press briefed}")
)
"""Its second gate asks more, and a milestone of the first phase is another."""


class Played(Life):
    """A product under a policy of its own name, and how it is migrated."""

    async def begin(self, policy: str = POLICY, name: str = "", **fields: Any) -> None:
        name = name or self.key
        await self.start(
            policy.replace("KEY", name),
            DIRECTORY.replace("KEY", self.key),
            f"key: {self.key}\nname: The {self.key}\nowner: olga\ntier: 2\n",
        )
        await self.becomes(phase="build")

    def meant(self, policy: str, who: str = "zoe", name: str = "", **more: Any) -> Migration:
        model = read_policy(policy.replace("KEY", name or self.key), "policy")
        documents = self.engine.ledger.documents
        return Migration(
            policy=model,
            digest=documents.digest_of("policy", model.policy, model),
            terms=MigrationTerms(**more.pop("terms", {})),
            actor=who,
            reason="the law has changed",
            **{"keys": (self.key,), **more},
        )


async def looked(engine: Engine, meant: Migration) -> list[MigrationRow]:
    found = await migrations.standings(engine, meant)
    return [
        one if isinstance(one, MigrationRow) else await migrations.look(engine, meant, one)
        for one in found
    ]


async def done(engine: Engine, meant: Migration, most: int = 99) -> list[MigrationRow]:
    """Carry it out, and break it off after so many."""
    migrating.publish(engine, meant, datetime.now(UTC))
    found = list(await migrations.standings(engine, meant))
    rows = []
    async for row in migrating.carry_out(engine, meant, found):  # type: ignore[arg-type]
        rows.append(row)
        if len(rows) == most:
            break
    return rows


def migrated(body: Body) -> bool:
    return bool(body["type"] == "product.migrated")


async def verified(played: Played) -> Record:
    """The record, of which everything was derived again without a doubt, and has both policies."""
    await played.written()
    record = record_of(played.engine.ledger, played.key, datetime.now(UTC))
    found = verify_record(record, [])
    assert (found.ok, found.fault, found.unchecked) == (True, None, [])
    assert found.reached == "outcomes"
    assert len([d for d in record.documents if d.kind == "policy"]) == 2
    life = retrospective(played.engine.ledger, played.key, datetime.now(UTC))
    assert (life.policy, life.missing) == (f"{played.key} 2", [])
    assert any("is put under" in change.text for change in life.changes)
    return record


def fault(record: Record) -> str:
    found = verify_record(record, [])
    assert found.fault is not None, "it was not found"
    return found.fault.text


def _is_found_out(record: Record) -> None:
    """A migration that nobody might have made, or that was not made, is found."""

    def with_data(**data: Any) -> Record:
        return changed(record, migrated, lambda body: body["data"].update(data))

    (entry,) = [body for body in bodies(record) if migrated(body)]
    by_bo = changed(record, migrated, lambda body: body.update(actor="bo"))
    assert fault(by_bo) == f"bo may not migrate by the directory {entry['data']['directory']}"
    by_olga = changed(record, migrated, lambda body: body.update(actor="olga"))
    assert fault(by_olga) == "olga put it under another policy, and owned it"
    wrong = entry["data"]["policy_digest"]
    assert "leaves another policy" in fault(with_data(**{"from": wrong}))
    assert "leaves another policy" in fault(with_data(**{"from": "sha256:" + "0" * 64}))
    on = with_data(goes_on=entry["data"]["stopped"])
    assert "the new policy asks something else there" in fault(on)
    elsewhere = with_data(phase="market")
    assert "it goes on in market, and was to be in build" in fault(elsewhere)
    nowhere = with_data(phase="moon", phases={"build": "moon"})
    assert "which its new policy does not have" in fault(nowhere)
    decided = with_data(stopped={"gate": "retire", "round": 1})
    assert "came to nothing yet" in fault(decided)
    assert "lea has a vote" in fault(without(record, migrated))


@pytest.fixture
def played(stage: Stage) -> Played:
    return Played(stage.engine, stage.key[:45].rstrip("-"))


@pytest.fixture
def more(engine: Engine, played: Played) -> Callable[[str], Played]:
    return lambda suffix: Played(engine, f"{played.key}-{suffix}")


async def test_a_new_policy_touches_no_product_that_runs(played: Played) -> None:
    await played.begin()
    under = (await played.product()).policy_digest
    new = read_policy(LEGAL_TOO.replace("KEY", played.key), "policy")
    publish_policy(played.engine, new, datetime.now(UTC), "zoe")
    await played.opened()
    view = await played.gate("launch")
    assert [r.group for r in view.requirements] == ["product", "eng"]
    await played.votes("launch", "go", "ana", "bo")
    view = await played.becomes(phase="market")
    assert view.policy_digest == under


async def test_in_a_phase_it_goes_on_under_the_new_policy(played: Played) -> None:
    await played.begin()
    await played.report("done")
    meant = played.meant(RETIRE_HARDER)
    (seen,) = await looked(played.engine, meant)
    assert seen.state == "possible"
    assert seen.plan is not None
    assert (seen.plan.kept, seen.plan.new, seen.plan.gone) == (
        ["done"],
        ["press"],
        {"docs": "planned"},
    )
    assert (await played.product()).policy_digest == seen.plan.from_digest, "only looked at"
    (row,) = await done(played.engine, meant)
    assert row.state == "done", row
    view = await played.product()
    assert (view.policy, view.policy_digest) == (f"{played.key} 2", meant.digest)
    assert [(m.id, m.state) for m in view.milestones] == [("done", "met"), ("press", "planned")]
    (told,) = await played.told("product.migrated")
    assert told["actor"] == "zoe"
    assert told["milestones"] == {"new": ["press"], "anew": [], "gone": {"docs": "planned"}}
    (row,) = await done(played.engine, meant)
    assert row.state == "done-before"
    await played.opened()
    await played.votes("launch", "go", "ana", "bo")
    await played.becomes(phase="market")
    await played.submit("retire")
    view = await played.gate_opens("retire")
    assert [r.group for r in view.requirements] == ["product", "legal"]


async def test_who_goes_back_changes_nothing_for_those_who_start(played: Played) -> None:
    await played.begin()
    for text in (RETIRE_HARDER, POLICY):
        (row,) = await done(played.engine, played.meant(text))
        assert row.state == "done", row
    assert (await played.product()).policy == f"{played.key} 1"
    documents = played.engine.ledger.documents
    current = documents.current("policy", played.key)
    assert current
    assert documents.read_policy(current.digest).version == "2"


async def test_nobody_chooses_the_rules_for_their_own_product(played: Played) -> None:
    await played.begin()
    for who, code in (("eve", "not-permitted"), ("olga", "self-approval"), ("bo", "not-permitted")):
        meant = played.meant(LEGAL_TOO, who)
        (seen,) = await looked(played.engine, meant)
        assert (seen.state, seen.forbidden) == ("impossible", True)
        (row,) = await done(played.engine, meant)
        assert (row.state, row.code, row.forbidden) == ("refused", code, True)
    refused = await played.told("product.refused", 3)
    assert [told["actor"] for told in refused] == ["eve", "olga", "bo"]


async def test_who_submits_again_chooses_no_rules_and_is_found_out(played: Played) -> None:
    """Of that only the open round knows, and the record: the product has yet to hear of it."""
    await played.begin()
    await played.update(team=["max", "kim"])
    await played.evidence("plan", "kim")
    await played.opened()
    await played.chair("launch", "needs_work", "ana", what="the plan")
    await played.submit("launch", "max")
    await played.told("gate.resubmitted")
    hands = {"max": "submitted a gate of it", "kim": "submitted evidence for it"}
    stopped: dict[str, Any] = {"terms": {"reopen": True}}
    goes_on = RETIRE_HARDER.replace('"2"', '"3"')
    for who, why in hands.items():
        for meant in (played.meant(goes_on, who), played.meant(LEGAL_TOO, who, **stopped)):
            (seen,) = await looked(played.engine, meant)
            assert (seen.state, seen.code, seen.forbidden) == ("impossible", "self-approval", True)
            assert why in seen.why
            (row,) = await done(played.engine, meant)
            assert (row.state, row.code) == ("refused", "self-approval")
            assert why in row.why
    assert (await played.gate("launch")).status == "open", "and nothing was stopped"
    (row,) = await done(played.engine, played.meant(LEGAL_TOO, **stopped))
    assert row.state == "done", row
    await played.gate_opens("launch", 2)
    await played.votes("launch", "go", "ana", "bo", "lea")
    await played.becomes(phase="market")
    record = await verified(played)
    for who, why in hands.items():
        forged = changed(record, migrated, lambda body, who=who: body.update(actor=who))
        assert fault(forged) == f"{who} put it under another policy, and {why}"


async def test_a_round_whose_gate_asks_the_same_goes_on_as_it_was_convened(played: Played) -> None:
    await played.begin()
    before = (await played.product()).policy_digest
    await played.opened()
    await played.vote("launch", "ana", "go")
    meant = played.meant(RETIRE_HARDER)
    (seen,) = await looked(played.engine, meant)
    assert (seen.state, seen.plan and seen.plan.fate, seen.voided) == ("possible", "goes-on", {})
    (row,) = await done(played.engine, meant)
    assert row.state == "done", row
    await played.report("done")
    await played.evidence("a report")  # the round hears of the product as it is now
    view = await played.gate("launch")
    assert view.policy_digest == before
    await played.votes("launch", "go", "ana", "bo")
    view = await played.becomes(phase="market")
    assert (view.policy_digest, view.gates[-1].outcome) == (meant.digest, "go")
    record = await verified(played)
    other = changed(record, migrated, lambda body: body["data"].pop("goes_on"))
    assert "does not say what became of that" in fault(other)


async def test_a_round_whose_gate_asks_something_else_is_stopped_on_demand(played: Played) -> None:
    await played.begin()
    await played.opened()
    await played.vote("launch", "ana", "go")
    await played.vote("launch", "bo", "recycle")
    (row,) = await done(played.engine, played.meant(LEGAL_TOO))
    assert (row.state, row.code) == ("refused", "cannot-migrate")
    assert "--reopen" in row.hint
    assert (await played.product()).gate == "launch", "nothing was stopped"
    meant = played.meant(LEGAL_TOO, terms={"reopen": True})
    (seen,) = await looked(played.engine, meant)
    assert seen.voided == {"ana": "go", "bo": "recycle"}
    (row,) = await done(played.engine, meant)
    assert row.state == "done", row
    view = await played.gate_opens("launch", 2)
    assert [r.group for r in view.requirements] == ["product", "eng", "legal"]
    assert {p.approver for p in view.pending} == {"ana", "bo", "cy", "lea"}
    (told,) = await played.told("product.migrated")
    assert told["voided"] == seen.voided
    assert told["stopped"] == {"gate": "launch", "round": 1}
    await played.votes("launch", "go", "ana", "bo", "lea")
    view = await played.becomes(phase="market")
    assert [(g.round, g.outcome) for g in view.gates] == [(1, "abandoned"), (2, "go")]
    _is_found_out(await verified(played))


async def test_who_may_not_migrate_does_not_break_off_a_migration(played: Played) -> None:
    """Others ask while its round is being stopped, and are refused: that ends nothing of it."""
    await played.begin()
    await played.opened()
    await played.vote("launch", "ana", "go")
    meant = played.meant(LEGAL_TOO, terms={"reopen": True})
    migrating.publish(played.engine, meant, datetime.now(UTC))
    asked = MigrateRequest(
        actor="zoe", to=meant.digest, reason="r", terms=meant.terms, request_id="z"
    )
    others = [asked.model_copy(update={"actor": "eve", "request_id": f"e{n}"}) for n in range(40)]

    async def disturb(n: int, other: MigrateRequest) -> str:
        await asyncio.sleep(n / 100)
        return await played.refused(products.request(played.engine, played.key, "migrate", other))

    asking = asyncio.create_task(products.request(played.engine, played.key, "migrate", asked))
    codes = await asyncio.gather(*(disturb(*one) for one in enumerate(others)))
    assert "is put under" in (await asking).text
    assert {*codes} <= {"not-permitted", "same-policy"}
    await played.gate_opens("launch", 2)


async def test_a_round_is_stopped_also_where_runs_are_short(eager: Engine) -> None:
    """Every run continues as new after a few events: also while a round is being stopped."""
    played = Played(eager, "short-runs")
    await played.begin()
    await played.opened()
    for title in "abcdef":
        await played.evidence(title)
    await played.vote("launch", "ana", "go")
    (row,) = await done(eager, played.meant(LEGAL_TOO, terms={"reopen": True}))
    assert row.state == "done", row
    await played.gate_opens("launch", 2)
    for title in "ghijkl":
        await played.evidence(title)
    (row,) = await done(eager, played.meant(RETIRE_HARDER.replace('"2"', '"3"')))
    assert row.code == "cannot-migrate", "the round asks legal, and there it would not"
    await played.votes("launch", "go", "ana", "bo", "lea")
    view = await played.becomes(phase="market")
    assert [(g.round, g.outcome) for g in view.gates] == [(1, "abandoned"), (2, "go")]
    await played.written()
    ours = f"PhasegateProduct = '{played.key}'"
    async for found in eager.client.list_workflows(ours):
        await replay(eager.client.get_workflow_handle(found.id, run_id=found.run_id))


async def test_a_round_that_was_terminated_counts_as_stopped(played: Played) -> None:
    await played.begin()
    await played.opened()
    await played.owner("hold")  # so that nobody follows its end before the migration
    await played.engine.workflow(gate_id(played.key, "launch")).terminate()
    (row,) = await done(played.engine, played.meant(LEGAL_TOO, terms={"reopen": True}))
    assert (row.state, row.code) == ("refused", "cannot-migrate")
    await played.owner("resume")
    await played.becomes(gate=None)
    (row,) = await done(played.engine, played.meant(LEGAL_TOO))
    assert row.state == "done", row
    await played.opened("launch", 2)
    await verified(played)


async def test_the_text_of_an_older_release_is_the_policy_that_it_was(played: Played) -> None:
    """A digest is over defaults, too, of which a later release has more."""
    model = read_policy(POLICY.replace("KEY", played.key), "policy")
    body = model.model_dump(mode="json")
    for phase in body["phases"]:
        del phase["gate"]["wait_for"]
    text = canonical(body).decode()
    digest = "sha256:" + sha256(text.encode()).hexdigest()
    when = {"published_at": datetime.now(UTC).isoformat(), "published_by": "ana"}
    row = {"digest": digest, "kind": "policy", "name": model.policy, **when}
    with played.engine.ledger.database.writing() as connection:
        connection.execute(insert(schema.documents).values(body=text, **row))
        connection.execute(insert(schema.publications).values(n=1, **row))
    await played.begin()
    assert (await played.product()).policy_digest == digest
    await played.begin()  # it is started already, in the same way
    await played.opened()
    assert (await played.gate("launch")).policy_digest == digest
    (seen,) = await looked(played.engine, played.meant(POLICY))
    assert seen.state == "already"


async def test_many_are_migrated_and_a_command_that_was_killed_goes_on(
    played: Played, more: Callable[[str], Played]
) -> None:
    await played.begin()
    idle, open_ = more("idle"), more("open")
    await idle.begin(name=played.key)
    await open_.begin(name=played.key)
    await open_.opened()

    async def listed() -> bool | None:
        found = [row.key async for row in products.listing(played.engine, policy=played.key)]
        return True if len(found) == 3 else None

    await played.until(listed, "all three are listed")
    meant = played.meant(LEGAL_TOO, keys=(), name=played.key)
    seen = await looked(played.engine, meant)
    assert [row.state for row in seen] == ["possible", "possible", "impossible"]
    first = await done(played.engine, meant, most=1)
    assert [(row.product, row.state) for row in first] == [(played.key, "done")]
    rest = await done(played.engine, meant)
    assert [row.state for row in rest] == ["done-before", "done", "refused"]
    assert [row.state for row in rest if row.plan or row.code == "cannot-migrate"] == ["refused"]
    assert len(await played.told("product.migrated")) == 1
    other = played.meant(LEGAL_TOO, keys=(), name=played.key, expression="product.key == 'x'")
    assert await looked(played.engine, other) == []


async def test_who_waits_for_what_goes_is_named(
    played: Played, more: Callable[[str], Played]
) -> None:
    """By their definitions: those that wait still, and for what the new policy does not have."""

    def waits(milestone: str) -> dict[str, Any]:
        check = {"kind": "product", "product": played.key, "milestone": milestone}
        return {"id": "theirs", "phase": "build", "title": "Theirs", "check": check}

    await played.begin()
    waiting, content, over = more("w"), more("c"), more("o")
    for other, milestone in ((waiting, "docs"), (content, "done"), (over, "docs")):
        await other.begin(name=played.key)
        await other.update(milestones=[waits(milestone)])
        await other.written()
    await over.owner("cancel")
    await over.becomes(status="cancelled")
    meant = played.meant(RETIRE_HARDER)
    found = await migrations.standings(played.engine, meant)
    rows = await looked(played.engine, meant)
    await tell_who_waits(played.engine, meant, found, rows)
    text = f"{waiting.key}/theirs waits for {played.key}/docs, which {played.key} 2 does not have"
    assert [(row.state, row.left_waiting) for row in rows] == [("possible", [text])]


async def test_a_phase_that_is_renamed_takes_what_was_planned_for_it_along(played: Played) -> None:
    await played.begin()
    await played.update(milestones=[{"id": "done", "phase": "build", "due": "2031-05-01"}])
    new = LEGAL_TOO.replace("id: build", "id: make")
    (seen,) = await looked(played.engine, played.meant(new))
    assert (seen.state, seen.code) == ("impossible", "no-counterpart")
    assert "--phase build=make" in seen.hint
    meant = played.meant(new, terms={"phases": {"build": "make"}})
    (row,) = await done(played.engine, meant)
    assert row.state == "done", row
    view = await played.product()
    assert view.phase == "make"
    assert [(m.id, m.phase, m.due and m.due.year) for m in view.milestones] == [
        ("done", "make", 2031),
        ("docs", "make", None),
    ]
    current = played.engine.ledger.documents.current("product", played.key)
    assert current is not None
    assert current.digest == view.definition_digest
    await played.opened()
    await played.votes("launch", "go", "ana", "bo", "lea")
    assert (await played.becomes(phase="market")).gates[-1].outcome == "go"


async def test_a_product_that_has_ended_stays_as_it_is(played: Played) -> None:
    await played.begin()
    await played.owner("cancel")
    await played.becomes(status="cancelled")
    await played.written()
    (seen,) = await looked(played.engine, played.meant(LEGAL_TOO))
    assert (seen.state, seen.code) == ("impossible", "product-ended")
    (row,) = await done(played.engine, played.meant(LEGAL_TOO))
    assert row.state == "refused"
