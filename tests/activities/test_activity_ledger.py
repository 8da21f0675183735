"""Activities that read and write the ledger: policies, convening a gate, announcements."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import ActivitySettings, activities_by_kind
from ledger import Ledger
from phasegate import delivery, ports, sunset_ports
from phasegate.directory import Directory, Group, Person
from phasegate.events import Anchor, Announcement
from phasegate.gate import Gate
from phasegate.migration_ports import JUDGE_MIGRATION
from phasegate.policy import Policy
from phasegate.sunset import SunsetPlan

AT = datetime(2024, 1, 31, 9, 0, tzinfo=UTC)
GATE: dict[str, Any] = {"id": "g1", "title": "G1", "requires": [{"group": "product"}]}
POLICY: dict[str, Any] = {
    "policy": "standard",
    "version": "1",
    "title": "Standard",
    "phases": [
        {"id": "scoping", "title": "Scoping", "gate": GATE, "next": "growth"},
        {"id": "detour", "title": "Detour"},
        {"id": "growth", "title": "Growth", "in_market": True},
    ],
    "sunset": {"tasks": [{"kind": "date", "id": "eol", "title": "EoL", "at": "12 months"}]},
}
DIRECTORY = Directory(
    people={person: Person() for person in ("ann", "bob", "cy", "dee")},
    groups={
        "product": Group(members=("cy", "ann", "bob", "ann")),
        "legal": Group(members=("dee",)),
        "finance": Group(members=("bob",)),
        "unasked": Group(members=("dee",)),
    },
)


def run(ledger: Ledger, name: str, request: Any) -> Any:
    """Run the activity of that name as a worker would."""
    settings = ActivitySettings(Path("/nowhere"), Path("/nowhere"))
    (found,) = (
        item
        for of_kind in activities_by_kind(ledger, settings).values()
        for item in of_kind
        if activity._Definition.must_from_callable(item).name == name
    )
    return ActivityEnvironment().run(found, request)


def fails(ledger: Ledger, name: str, request: Any) -> ApplicationError:
    with pytest.raises(ApplicationError) as error:
        run(ledger, name, request)
    return error.value


def published(ledger: Ledger, **changes: Any) -> str:
    policy = Policy.model_validate(POLICY | changes)
    return ledger.documents.publish("policy", "standard", policy, AT, "maria")


def convene(ledger: Ledger, gate: dict[str, Any] | None = None, **more: Any) -> ports.Convened:
    request: dict[str, Any] = {
        "product": "atlas",
        "directory": "default",
        "gate": Gate.model_validate(GATE | (gate or {})),
        "tier": 1,
        "clock": ports.ClockOrder(since=AT),
    }
    found: ports.Convened = run(ledger, ports.CONVENE, ports.ConveneRequest(**request | more))
    return found


@pytest.fixture
def staffed(ledger: Ledger) -> Ledger:
    ledger.documents.publish("directory", "default", DIRECTORY, AT, "maria")
    return ledger


def test_every_port_has_its_activity_and_each_takes_one_argument(ledger: Ledger) -> None:
    settings = ActivitySettings(Path("/nowhere"), Path("/nowhere"))
    by_kind = activities_by_kind(ledger, settings)
    found = [item for of_kind in by_kind.values() for item in of_kind]
    names = [activity._Definition.must_from_callable(item).name for item in found]
    expected = {value for name, value in vars(ports).items() if name.isupper()}
    expected |= {value for name, value in vars(sunset_ports).items() if name.isupper()}
    expected |= {JUDGE_MIGRATION}
    expected |= {delivery.DELIVER, delivery.SEND_DIGEST, delivery.SEND_MAIL, delivery.SWEEP}
    assert sorted(map(str, names)) == sorted(expected)
    assert all(len(inspect.signature(item).parameters) == 1 for item in found)


def test_reading_a_phase(ledger: Ledger) -> None:
    digest = published(ledger)
    first = run(ledger, ports.READ_PHASE, ports.PhaseRequest(policy_digest=digest))
    assert (first.phase.id, first.next, first.has_sunset) == ("scoping", "growth", True)
    last = run(ledger, ports.READ_PHASE, ports.PhaseRequest(policy_digest=digest, phase="growth"))
    assert (last.phase.in_market, last.next) == (True, None)
    assert last == ports.PhaseBrief.model_validate_json(last.model_dump_json())


def test_a_phase_the_policy_lacks_is_never_found(ledger: Ledger) -> None:
    request = ports.PhaseRequest(policy_digest=published(ledger), phase="nirvana")
    error = fails(ledger, ports.READ_PHASE, request)
    assert error.type == "phase-unknown"
    assert not error.non_retryable  # a lifecycle waits for a mend
    assert "scoping, detour, growth" in error.message


def test_reading_the_sunset(ledger: Ledger) -> None:
    digest = published(ledger)
    plan = run(ledger, ports.READ_SUNSET, ports.SunsetRequest(policy_digest=digest))
    assert plan == ports.SunsetBrief(plan=SunsetPlan.model_validate(POLICY["sunset"]))
    without = published(ledger, sunset=None)
    error = fails(ledger, ports.READ_SUNSET, ports.SunsetRequest(policy_digest=without))
    assert (error.type, error.non_retryable) == ("sunset-unplanned", False)


def test_those_who_may_report_and_confirm_come_with_the_plan(staffed: Ledger) -> None:
    reported = {"kind": "reported", "by": "product"}
    polled = {"kind": "http", "url": "http://x/", "expression": "true"}
    milestones = [
        {"id": "beta", "title": "Beta", "check": reported},
        {"id": "docs", "title": "Docs"},
        {"id": "load", "title": "Load", "check": polled},
    ]
    tasks = [
        {"kind": "manual", "id": "contracts", "title": "Contracts", "by": "legal"},
        {"kind": "manual", "id": "notes", "title": "Notes"},
        {"kind": "manual", "id": "keys", "title": "Keys", "by": "nobody-yet"},
    ]
    earlier = [{"id": "idea", "title": "Idea", "check": {"kind": "reported", "by": "legal"}}]
    phases = [
        {"id": "ideas", "title": "Ideas", "milestones": earlier},
        {"id": "scoping", "title": "Scoping", "milestones": milestones},
    ]
    digest = published(staffed, phases=phases, sunset={"tasks": tasks})
    asked = ports.PhaseRequest(policy_digest=digest, phase="scoping")
    phase = run(staffed, ports.READ_PHASE, asked)
    everybody = {"legal": ("dee",), "product": ("ann", "bob", "cy")}
    assert phase.reporters == everybody, "milestones of earlier phases may be late"
    sunset = run(staffed, ports.READ_SUNSET, ports.SunsetRequest(policy_digest=digest))
    assert sunset.members == {"legal": ("dee",), "nobody-yet": ()}
    nowhere = ports.PhaseRequest(policy_digest=digest, directory="nowhere")
    assert run(staffed, ports.READ_PHASE, nowhere).reporters == {"legal": (), "product": ()}


def test_an_unknown_policy_may_be_published_a_moment_later(ledger: Ledger) -> None:
    digest = published(ledger)
    request = ports.PhaseRequest(policy_digest=digest[:-1] + "x")
    error = fails(ledger, ports.READ_PHASE, request)
    assert (error.type, error.non_retryable) == ("policy-unknown", False)
    assert "phasegate policy" in error.message


def test_members_are_those_the_gate_names_at_this_tier(staffed: Ledger) -> None:
    gate = {
        "requires": [
            {"group": "product"},
            {"any_of": ["legal", "finance"], "tiers": [1, 2]},
            {"group": "nobody-yet"},
        ]
    }
    convened = convene(staffed, gate)
    current = staffed.documents.current("directory", "default")
    assert current
    assert convened.directory_digest == current.digest
    assert convened.members == {
        "product": ("ann", "bob", "cy"),
        "legal": ("dee",),
        "finance": ("bob",),
        "nobody-yet": (),
    }
    assert set(convene(staffed, gate, tier=3).members) == {"product", "nobody-yet"}


def test_a_product_can_narrow_a_group_and_never_add_to_it(staffed: Ledger) -> None:
    narrowed = {"product": ("dee", "bob", "stranger"), "legal": ("dee",)}
    assert convene(staffed, narrowed=narrowed).members == {"product": ("bob",)}
    assert convene(staffed, narrowed={"product": ()}) == convene(staffed), "nobody is no choice"


def test_instants_follow_from_the_opening_alone(staffed: Ledger) -> None:
    clocks = {
        "respond": "1 month",
        "resolve": "2 months",
        "remind": ["1 day", "1 week", "24 hours", "29 days", "2 months"],
    }
    convened = convene(staffed, {"clocks": clocks})
    due = datetime(2024, 2, 29, 9, 0, tzinfo=UTC)
    assert set(convened.timetable.respond.values()) == {due}
    assert convened.timetable.resolve == datetime(2024, 3, 31, 9, 0, tzinfo=UTC)
    ahead = [due - timedelta(days=7), due - timedelta(days=1)]
    assert list(convened.timetable.remind.values()) == [ahead] * len(convened.timetable.respond)
    assert convene(staffed, {"clocks": clocks}) == convened


def test_criteria(staffed: Ledger) -> None:
    criteria = [
        {"id": "beta", "text": "Beta is over", "milestone": "beta"},
        {"id": "docs", "text": "Docs are there", "milestone": "docs", "kind": "should"},
        {"id": "late", "text": "x", "milestone": "late"},
        {"id": "gone", "text": "x", "milestone": "gone"},
        {"id": "needs", "text": "x", "expression": "size(product.customer_needs) >= 2"},
        {"id": "few", "text": "x", "expression": "size(product.customer_needs) >= 3"},
        {"id": "error", "text": "x", "expression": "product.nothing == 1"},
        {"id": "broken", "text": "x", "expression": "product.."},
        {"id": "text", "text": "x", "expression": "product.name"},
        {"id": "fit", "text": "It fits"},
    ]
    convened = convene(
        staffed,
        {"criteria": criteria},
        milestones={"beta": "met", "docs": "waived", "late": "at-risk"},
        definition={"name": "true", "customer_needs": [{"need": "a"}, {"need": "b"}]},
    )
    found = {finding.id: finding for finding in convened.criteria}
    states = {name: finding.state for name, finding in found.items()}
    assert states == {
        "beta": "met",
        "docs": "judged",
        "late": "unmet",
        "gone": "unmet",
        "needs": "met",
        "few": "unmet",
        "error": "unmet",
        "broken": "unmet",
        "text": "unmet",
        "fit": "judged",
    }
    assert found["docs"].kind == "should"
    assert found["docs"].text == "Docs are there"
    assert found["docs"].why == ("milestone docs is waived; a yes says that it is not needed")
    assert found["late"].why == "milestone late is at-risk"
    assert found["gone"].why == "the product has no milestone gone"
    assert found["few"].why == "size(product.customer_needs) >= 3 is false"
    assert "cannot be evaluated" in found["error"].why
    assert "does not compile" in found["broken"].why
    assert found["fit"].why == ""


def test_a_directory_that_is_not_there_is_waited_for(ledger: Ledger) -> None:
    with pytest.raises(ApplicationError) as error:
        convene(ledger)
    assert (error.value.type, error.value.non_retryable) == ("directory-unknown", False)
    assert "phasegate directory publish FILE" in error.value.message
    ledger.documents.publish("directory", "default", DIRECTORY, AT, "maria")
    assert convene(ledger).members["product"] == ("ann", "bob", "cy")


def announcement(n: int) -> Announcement:
    return Announcement(
        id=f"product/atlas#{n}",
        type="vote",
        product="atlas",
        source="product/atlas",
        at=AT,
        actor="ann",
        text=f"ann votes go ({n})",
    )


def test_announcing_writes_once_and_logs_once(ledger: Ledger) -> None:
    request = ports.AnnounceRequest(product="atlas", events=[announcement(1), announcement(2)])
    with structlog.testing.capture_logs() as logs:
        head: Anchor = run(ledger, ports.ANNOUNCE, request)
        assert run(ledger, ports.ANNOUNCE, request) == head
        request.events.append(announcement(3))
        assert run(ledger, ports.ANNOUNCE, request).seq == 3
    assert head == ledger.events("atlas")[1].anchor
    assert [line["seq"] for line in logs] == [1, 2, 3]
    assert logs[0] == {
        "event": "announced",
        "log_level": "info",
        "type": "vote",
        "product": "atlas",
        "actor": "ann",
        "text": "ann votes go (1)",
        "id": "product/atlas#1",
        "seq": 1,
    }


def test_a_dead_ledger_is_retried_and_heals(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").mkdir()
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    request = ports.AnnounceRequest(product="atlas", events=[announcement(1)])
    for name, asked in (
        (ports.ANNOUNCE, request),
        (ports.READ_PHASE, ports.PhaseRequest(policy_digest="sha256:x")),
    ):
        error = fails(ledger, name, asked)
        assert (error.type, error.non_retryable) == ("ledger-unavailable", False)
        assert "cannot be" in error.message
        assert "check that" in error.message
    (tmp_path / "ledger.db").rmdir()
    assert run(ledger, ports.ANNOUNCE, request).seq == 1
    ledger.close()
