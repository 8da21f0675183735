"""What a sunset is written down as: where acts may call, days in words, a plan as it is shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from phasegate.acts import HttpAct, Probe
from phasegate.adjusting import Adjustments
from phasegate.plan_view import dates_of, owed, planned_gates, planned_tasks, problems_of
from phasegate.span import Span
from phasegate.sunset import SunsetPlan, WaitTask, day_in_words
from phasegate.sunset_flaws import Flaw, raise_first
from phasegate.sunset_layout import lay_out

NOTICE = datetime(2027, 1, 31, tzinfo=UTC)


# -- acts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ({}, "either url, or connection and path"),
        ({"url": "https://x.test/", "connection": "vault", "path": "/"}, "either url"),
        ({"connection": "vault"}, "go together"),
        ({"url": "https://x.test/", "connection": "vault"}, "either url"),
        ({"url": "https://x.test/", "path": "/"}, "go together"),
        ({"url": "https://{product}.test/"}, "the policy says whom"),
        ({"url": "https://x{product}?a"}, "the policy says whom"),
        ({"url": "ftp://x.test/"}, "pattern"),
        ({"connection": "vault", "path": "v1"}, "begins with one /"),
        ({"connection": "vault", "path": "//x.test/"}, "begins with one /"),
        ({"connection": "vault", "path": "/a b"}, "begins with one /"),
        ({"connection": "vault", "path": "/a\nb"}, "begins with one /"),
        ({"connection": "vault", "path": "/a/../b"}, "dot segment"),
        ({"connection": "vault", "path": "/a/%2e%2e/b"}, "dot segment"),
    ],
)
def test_an_act_calls_where_its_policy_says(where: dict[str, Any], why: str) -> None:
    for model, more in ((HttpAct, {}), (Probe, {"expression": "status == 404"})):
        with pytest.raises(ValidationError, match=why):
            model.model_validate(where | more)


@pytest.mark.parametrize(
    "where",
    [
        {"url": "https://x.test/{product}?at={end_of_life}"},
        {"url": "http://127.0.0.1:8080"},
        {"connection": "vault", "path": "/v1/{product}?force=true"},
        {"url": "https://x.test/", "path": None},
    ],
)
def test_an_act_has_one_address(where: dict[str, Any]) -> None:
    assert HttpAct.model_validate(where).model_dump(exclude_unset=True) == where


# -- adjustments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "meant"),
    [
        ("2027-03-31", "2027-03-31"),
        ("2027-03-31T09:00:00+02:00", "2027-03-31T07:00:00Z"),
        ("30 days", "P30D"),
        ("-2 months", "-P2M"),
    ],
)
def test_a_day_is_a_date_an_instant_or_a_span(day: str, meant: str) -> None:
    found = Adjustments.model_validate_json(f'{{"dates": {{"t": "{day}"}}}}', strict=True)
    kept = found.model_dump(mode="json")
    assert kept["dates"] == {"t": meant}
    assert Adjustments.model_validate(kept) == found


@pytest.mark.parametrize("day", ["soon", "2027-13-01", "2027-03-31T09:00:00", 20270331, True])
def test_what_is_no_day_is_refused(day: object) -> None:
    with pytest.raises(ValidationError):
        Adjustments.model_validate({"dates": {"t": day}})


# -- as people read it ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "with the notice"),
        ({"at": "5 months"}, "5 months after the notice"),
        ({"at": "-30 days"}, "30 days before the notice"),
        ({"at": "12 hours"}, "12 hours after the notice"),
        ({"relative_to": "eol"}, "on eol"),
        ({"relative_to": "eol", "at": "-30 days"}, "30 days before eol"),
        ({"relative_to": "eol", "at": "1 day", "after": ["a"]}, "1 day after eol"),
        ({"after": ["a", "b"]}, "after a, b"),
        ({"after": ["a"], "at": "1 day"}, "1 day after the notice"),
    ],
)
def test_days_in_words(fields: dict[str, Any], words: str) -> None:
    task = WaitTask.model_validate({"kind": "wait", "id": "t", "title": "T"} | fields)
    assert day_in_words(task) == words


def test_a_plan_as_it_is_shown() -> None:
    plan = SunsetPlan.model_validate(
        {
            "minimum_notice": {"beta": "1 month"},
            "tasks": [
                {
                    "id": "off",
                    "kind": "http",
                    "title": "Off",
                    "url": "https://x.test/",
                    "undo": {"kind": "notice"},
                },
                {
                    "id": "eol",
                    "kind": "date",
                    "title": "End",
                    "at": "12 months",
                    "marks": "end-of-life",
                    "remind": ["0 days", "30 days", "24 months"],
                },
                {
                    "id": "eos",
                    "kind": "date",
                    "title": "Sales",
                    "at": "6 months",
                    "marks": "end-of-sales",
                },
                {"id": "last", "kind": "date", "title": "Last", "at": "6 months"},
                {
                    "id": "down",
                    "kind": "gate",
                    "title": "Down",
                    "relative_to": "eol",
                    "point_of_no_return": True,
                    "gate": {
                        "id": "g8",
                        "title": "G8",
                        "requires": [{"group": "sre"}],
                        "criteria": [{"id": "c", "text": "Nobody is left"}],
                    },
                },
                {
                    "id": "wipe",
                    "kind": "manual",
                    "title": "Wipe",
                    "by": "sre",
                    "effect": "deletion",
                    "due": "1 day",
                },
            ],
        }
    )
    adjustments = Adjustments.model_validate(
        {
            "skip": {"wipe": "nothing is stored"},
            "add": [{"id": "cake", "kind": "wait", "title": "Cake"}],
        }
    )
    layout = lay_out(plan, adjustments, maturity="beta", now=NOTICE)
    assert (owed(plan, "beta"), owed(plan, "ga")) == ("1 month", "1 year")
    tasks = {task.id: task for task in planned_tasks(layout, adjustments)}
    assert [*dates_of(layout)] == ["end-of-sales", "end-of-life"]
    assert (tasks["off"].effect, tasks["off"].undo) == ("reversible", "notice")
    assert tasks["eol"].reminders == [
        Span.parse("30 days").before(tasks["eol"].at),
        tasks["eol"].at,
    ]
    assert (tasks["eos"].marks, tasks["last"].marks, tasks["last"].effect) == (
        "end-of-sales",
        "",
        "",
    )
    assert (tasks["wipe"].skipped, tasks["wipe"].by) == ("nothing is stored", "sre")
    assert tasks["wipe"].overdue_at == Span.parse("1 day").after(tasks["wipe"].at)
    assert [name for name, task in tasks.items() if task.added] == ["cake"]
    (gate,) = planned_gates(layout)
    assert (gate.task, gate.gate, gate.at) == ("down", "g8", tasks["eol"].at)
    assert (gate.requires, gate.criteria) == (["1 of sre"], ["Nobody is left"])
    assert gate.point_of_no_return
    assert layout.point_of_no_return == "down"
    assert layout.placed("nothing") is None
    wipe = layout.placed("wipe")
    assert wipe is not None
    assert wipe.deletes
    assert wipe.irreversible


# -- flaws ----------------------------------------------------------------------------------------


def test_the_first_flaw_names_the_others() -> None:
    flaws = [Flaw("cycle", f"what {i}", f"why {i}") for i in range(6)]
    assert [p.what for p in problems_of(flaws)] == [f"what {i}" for i in range(6)]
    with pytest.raises(Flaw) as caught:
        raise_first(flaws, "lamp")
    assert caught.value.why == (
        "why 0; also: what 1: why 1; also: what 2: why 2; also: what 3: why 3; and 2 more"
    )
    assert caught.value.hint == "phasegate sunset plan lamp --dry-run"
    raise_first([], "lamp")
