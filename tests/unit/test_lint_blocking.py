"""Lint of what single people can stop, of leave, of clocks, and of what never happens."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from phasegate.directory import Directory
from phasegate.lint import Finding, lint_policy, lint_product
from phasegate.lint.cases import cases_of
from phasegate.policy import Policy
from phasegate.product import Product

HERE = ("phases", 0, "gate", "requires")
TODAY = date(2026, 11, 2)


def gate(*requires: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "g", "title": "G", "requires": requires or [{"group": "leads"}]} | more


def policy(*gates: dict[str, Any] | None, **more: Any) -> Policy:
    """Phases a, b, c … that end with these gates, each with a milestone: a1, b1, c1 …"""
    phases = [
        {"id": name, "title": name, "milestones": [{"id": f"{name}1", "title": name}]}
        | ({"gate": {**found, "id": f"g{name}" if len(gates) > 1 else "g"}} if found else {})
        for name, found in zip("abcdef", gates, strict=False)
    ]
    return Policy.model_validate(
        {"policy": "p", "version": "1", "title": "P", "phases": phases} | more
    )


def directory(people: dict[str, Any] | None = None, **groups: Any) -> Directory:
    named = {name: {} for name in ("ann", "bob", "cy", "dee", "olga", "max")}
    found = {
        name: {"members": group} if isinstance(group, list) else group
        for name, group in groups.items()
    }
    return Directory.model_validate({"people": named | (people or {}), "groups": found})


def product(**more: Any) -> Product:
    return Product.model_validate({"key": "k", "name": "K", "owner": "olga"} | more)


def only(found: list[Finding]) -> Finding:
    assert len(found) == 1, [str(finding) for finding in found]
    return found[0]


def only_text(found: list[str]) -> str:
    assert len(found) == 1, found
    return found[0]


def warned(found: list[Finding]) -> str:
    finding = only(found)
    assert finding.severity == "warning"
    return finding.message


# -- single people --------------------------------------------------------------------------------


def test_who_blocks_alone_is_told_with_who_acts_for_them_and_what_mends_it() -> None:
    people = directory(
        {"ann": {"deputy": "dee"}, "bob": {"manager": "max"}},
        leads=["ann"],
        legal=["bob"],
        qa=["cy"],
    )
    asked = gate({"group": "leads"}, {"group": "legal", "veto": True}, {"group": "qa"})
    assert warned(lint_policy(policy(asked), people)) == (
        "each of these alone can block gate g: ann (if late, dee may act as deputy), bob (if late, "
        "max may act as manager), cy (nobody acts for them); it cannot pass for a product that one "
        "of them owns or submits; a second member of leads, legal, qa lets it go on"
    )


def test_who_has_a_vote_of_their_own_to_give_acts_for_nobody_at_the_same_step() -> None:
    """Nobody counts twice: a second vote of one person in a step is refused."""
    chain = {"ann": {"deputy": "bob", "manager": "cy"}, "bob": {"manager": "olga"}}
    people = directory(chain, leads=["ann"], legal=["bob", "cy"])
    both = policy(gate({"group": "leads"}, {"group": "legal", "need": 2}))
    said = warned(lint_policy(both, people))
    assert "ann (nobody acts for them: bob has their own vote to give, cy has their own" in said
    assert "bob (if late, olga may act as manager)" in said
    assert "a second member of leads, a third member of legal lets it go on" in said
    one = policy(gate({"group": "leads"}, {"group": "legal"}))  # bob or cy is enough
    assert "ann (if late, bob may act as deputy)" in warned(lint_policy(one, people))
    later = policy(gate({"group": "leads"}, {"group": "legal", "need": 2, "step": 2}))
    assert "ann (if late, bob may act as deputy)" in warned(lint_policy(later, people))
    team = directory({"ann": {"deputy": "bob"}, "bob": {"deputy": "cy"}}, leads=["ann", "bob"])
    assert "may act in their place: ann; give" in warned(
        lint_policy(policy(gate(wait_for="all")), team)
    )


def test_how_many_a_group_wants() -> None:
    two = policy(gate({"group": "leads", "need": 2}))
    people = directory(leads=["ann", "bob"])
    assert warned(lint_policy(two, people)).endswith("; a third member of leads lets it go on")
    three = directory(leads=["ann", "bob", "olga"])
    assert lint_policy(two, three) == []
    found = only(lint_product(product(), two, three))
    assert found.path == ("owner",)
    assert found.message.endswith(
        "; it cannot pass if one of them submits it; a fourth member of leads lets it go on: olga "
        "owns the product and does not count"
    )
    above = directory({"ann": {"manager": "olga"}, "bob": {}}, leads=["ann", "bob", "olga"])
    said = warned(lint_product(product(), two, above))
    assert "ann (nobody acts for them: olga owns the product), bob (nobody acts for them);" in said
    chosen = product(owner="max", approvers={"g": {"leads": ["ann", "bob"]}})
    assert "; a third approver of leads lets it go on" in warned(lint_product(chosen, two, three))


def test_one_who_is_needed_twice_is_mended_by_no_single_group() -> None:
    asked = gate({"group": "leads", "veto": True, "need": 0}, {"group": "legal"})
    people = directory(leads=["ann"], legal=["ann", "bob"])
    assert "a second member of leads lets it go on" in warned(lint_policy(policy(asked), people))
    people = directory(leads=["ann"], legal=["ann"])
    assert "; more people lets it go on" in warned(lint_policy(policy(asked), people))


def test_an_override_that_is_theirs_alone_is_no_way_round() -> None:
    boss = {"members": ["ann"], "permissions": {"override": [1, 2, 3]}}
    asked = policy(gate())
    said = warned(lint_policy(asked, directory(leads=["ann"], boss=boss)))
    assert said.endswith("; nobody but ann may override it")
    other = {**boss, "members": ["ann", "bob"]}
    said = warned(lint_policy(asked, directory(leads=["ann"], boss=other)))
    assert said.endswith("lets it go on")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (gate({"group": "leads", "veto": True}), "their groups have a veto"),
        (gate(wait_for="all"), "wait_for: all"),
    ],
)
def test_a_gate_that_waits_for_people_for_whom_nobody_acts(asked: dict[str, Any], why: str) -> None:
    people = directory({"ann": {"manager": "max"}}, leads=["ann", "bob"])
    assert warned(lint_policy(policy(asked), people)) == (
        f"gate g waits for every one of these ({why}), and while one says nothing, nobody may act "
        "in their place: bob; give them a deputy or manager in the directory, one who is not "
        "waited for there"
    )
    helped = directory({"ann": {"manager": "olga"}, "bob": {"deputy": "cy"}}, leads=["ann", "bob"])
    assert lint_policy(policy(asked), helped) == []
    assert "place, since olga owns the product: ann; give them another" in warned(
        lint_product(product(), policy(asked), helped)
    )


def test_an_owner_acts_for_nobody_who_blocks_alone() -> None:
    """Of the policy it is told who acts; for a product of that person it is told again."""
    asked = policy(gate({"group": "leads"}, {"group": "legal", "veto": True, "need": 0}))
    chain = {"ann": {"deputy": "olga", "manager": "max"}, "bob": {"manager": "olga"}}
    people = directory(chain, leads=["ann"], legal=["bob"])
    said = warned(lint_policy(asked, people))
    assert "ann (if late, olga may act as deputy), bob (if late, olga may act as manager)" in said
    found = only(lint_product(product(), asked, people))
    assert (found.severity, found.path) == ("warning", ("owner",))
    assert found.message == (
        "each of these alone can block gate g: ann (if late, max may act as manager), bob (nobody "
        "acts for them: olga owns the product); it cannot pass if one of them submits it; a second "
        "member of leads, legal lets it go on"
    )
    assert lint_product(product(owner="dee"), asked, people) == []
    other = directory({**chain, "bob": {"deputy": "cy"}}, leads=["ann"], legal=["bob"])
    assert "each of" not in warned(lint_product(product(), asked, other)), "bob is told already"


def test_an_owner_overrides_nothing_of_their_own() -> None:
    asked = policy(gate())

    def told(owner: str, *holders: str) -> list[Finding]:
        boss = {"members": holders, "permissions": {"override": [3]}}
        return lint_product(product(owner=owner), asked, directory(leads=["ann"], boss=boss))

    assert told("max", "olga") == []
    assert warned(told("olga", "olga")).endswith(
        "; nobody may override it, since olga owns the product"
    )
    assert warned(told("olga", "olga", "ann")).endswith("; nobody but ann may override it")
    assert told("olga", "olga", "ann", "bob") == []


def test_who_attests_alone() -> None:
    def criterion(**more: Any) -> dict[str, Any]:
        return gate(criteria=[{"id": "c", "text": "C", "attested_by": "legal", **more}])

    must = policy(criterion())
    people = directory(leads=["ann", "bob"], legal=["cy"])
    found = only(lint_policy(must, people))
    assert found.path == ("phases", 0, "gate", "criteria", 0, "attested_by")
    assert found.message.startswith(
        "cy alone can attest c, and nobody acts for who attests: gate g"
    )
    assert lint_policy(policy(criterion(kind="should")), people) == []
    assert lint_policy(must, directory(leads=["ann", "bob"], legal=["cy", "dee"])) == []
    assert "nobody but cy, who owns the product, could attest c" in warned(
        lint_product(product(owner="cy"), must, people)
    )
    team = only(lint_product(product(team=["cy"]), must, people))
    assert (team.severity, team.path) == ("warning", ("team", 0))
    assert "gate g cannot pass if cy submits it or brings evidence" in team.message


def test_who_attests_alone_for_one_product() -> None:
    """Since its owner attests nothing of it, or since it chose who sits there."""
    criteria = [{"id": "c", "text": "C", "attested_by": "legal"}]
    must = policy(gate(criteria=criteria))
    people = directory(leads=["ann", "bob"], legal=["cy", "olga"])
    assert lint_policy(must, people) == []
    assert lint_product(product(owner="max"), must, people) == []
    found = only(lint_product(product(), must, people))
    assert (found.severity, found.path) == ("warning", ("owner",))
    assert found.message == (
        "cy alone can attest c for this product, since olga owns it, and nobody acts for who "
        "attests: gate g waits while they are away, and cannot pass if they submit it; one more of "
        "legal lets it go on"
    )
    alone = directory(leads=["ann", "bob"], legal=["cy"])
    assert lint_product(product(), must, alone) == [], "that is told of the policy"
    votes = policy(gate({"group": "leads"}, {"group": "legal"}, criteria=criteria))
    three = directory(leads=["ann", "bob"], legal=["cy", "dee", "max"])
    chosen = product(approvers={"g": {"legal": ["cy"]}})
    told = [f for f in lint_product(chosen, votes, three) if "attest" in f.message]
    assert only(told).path == ("approvers", "g")
    assert only(told).message.startswith("cy alone can attest c for this product, and nobody acts")


def test_a_group_that_may_not_approve_a_tier_cannot_attest_there_either() -> None:
    asked = gate({"any_of": ["leads", "legal"]})
    asked["criteria"] = [{"id": "c", "text": "C", "attested_by": "legal"}]
    legal = {"members": ["cy", "dee"], "approve": [2, 3]}
    found = only(lint_policy(policy(asked), directory(leads=["ann", "bob"], legal=legal)))
    assert found.severity == "error"
    assert "can never pass for a product of tier 1: nobody may attest c" in found.message
    narrow = lint_product(product(tier=1), policy(asked), directory(leads=["ann"], legal=legal))
    assert [f.path for f in narrow] == []  # the policy is told, not the product


def test_an_owner_who_leaves_one_alone_is_told_of_the_product() -> None:
    people = directory(leads=["ann", "olga"])
    assert lint_policy(policy(gate()), people) == []
    found = only(lint_product(product(), policy(gate()), people))
    assert (found.severity, found.path) == ("warning", ("owner",))
    assert "this person alone can block gate g: ann" in found.message
    assert found.message.endswith(
        "; a third member of leads lets it go on: olga owns the product and does not count"
    )
    assert lint_product(product(owner="max"), policy(gate()), people) == []


def test_a_team_that_may_not_all_bring_evidence() -> None:
    people = directory(leads=["ann", "bob"])
    found = only(lint_product(product(team=["ann", "bob"]), policy(gate()), people))
    assert (found.severity, found.path) == ("warning", ("team",))
    assert "gate g cannot pass if all of ann, bob submit it or bring evidence" in found.message
    more = directory(leads=["ann", "bob", "cy"])
    assert lint_product(product(team=["ann", "bob"]), policy(gate()), more) == []


# -- which requirements go together ---------------------------------------------------------------


def test_conditions_that_exclude_each_other_are_never_asked_at_once() -> None:
    figure = "product.figures.region"
    asked = gate(
        {"group": "leads"},
        {"group": "eu", "when": f"{figure} == 'EU'"},
        {"group": "us", "when": f"{figure} != 'EU'"},
    )
    people = directory(leads=["ann", "bob", "cy"], eu=["ann", "dee"], us=["dee", "bob"])
    assert lint_policy(policy(asked), people) == []
    short = directory(leads=["ann", "bob"], eu=["dee", "cy"], us=[])
    errors = [f.message for f in lint_policy(policy(asked), short) if f.severity == "error"]
    assert len(errors) == 2
    assert errors[1].endswith(
        "add people to us (where 1 of us is asked, as with figures.region false)"
    )


def test_what_no_product_was_found_for_is_only_supposed() -> None:
    asked = gate({"group": "leads"}, {"group": "leads", "when": "product.features.size() > 2"})
    assert "step 1 has 2 seats, and people for 1" in (
        said := warned(
            [
                f
                for f in lint_policy(policy(asked), directory(leads=["ann"]))
                if "2 seats" in f.message
            ]
        )
    )
    assert said.endswith("(if 1 of leads is ever asked, of which no product was found)")


def test_the_search_tries_what_conditions_turn_on() -> None:
    def found(*conditions: str) -> set[tuple[int, ...]]:
        asked = [{"group": "leads"}, *({"group": "x", "when": when} for when in conditions)]
        one = policy(gate(*asked)).phases[0].gate
        assert one is not None
        return {case.applying for case in cases_of(one) if case.like is not None}

    has = "has(product.figures.a) && product.figures.a"
    assert found(has, f"!({has})") == {(0, 1), (0, 2)}
    assert found("product.figures.a > 10") == {(0,), (0, 1)}
    assert found("product.maturity == 'beta'") == {(0,), (0, 1)}
    assert found("product.market.segment == 'ports'") == {(0,), (0, 1)}
    assert found("product.tier == 1") == {(0,), (0, 1)}
    assert found("product.owner.size() > 99") == {(0,)}
    assert found("product.figures.size() > 2") == {(0,)}
    assert found("product['tier'] == 9") == {(0,)}


def test_phases_behind_a_gate_that_never_passes() -> None:
    ways = policy(gate(), gate({"group": "legal", "tiers": [1]}, {"group": "leads"}), gate(), None)
    found = lint_policy(
        ways, directory(leads=["ann", "bob"], legal={"members": ["cy"], "approve": [2]})
    )
    said = only([f for f in found if f.path == ("phases", 2, "id")])
    assert said.message.startswith(
        "with this directory no product of tier 1 comes to c, d, since a gate"
    )
    found = lint_policy(ways, directory(leads=[], legal=["cy"]))
    said = only([f for f in found if f.path == ("phases", 1, "id")])
    assert said.message.startswith("with this directory no product comes to b, c, d, since a gate")


# -- what never happens ---------------------------------------------------------------------------


def test_conditions_and_criteria_that_are_never_true() -> None:
    never = gate({"group": "leads"}, {"group": "x", "tiers": [1], "when": "product.tier == 2"})
    assert warned(lint_policy(policy(never))) == (
        "gate g asks no product for 1 of x: product.tier == 2 is never true of tier 1; mend the "
        "condition, or remove the requirement"
    )
    criteria = [{"id": "c", "text": "C", "expression": "product.tier > 3"}]
    assert warned(lint_policy(policy(gate(criteria=criteria), gate(), None))) == (
        "no product meets criterion c: product.tier > 3 is never true, and gate ga never comes to "
        "a Go, so that no product comes to b, c; mend the expression"
    )
    criteria[0]["expression"] = "product.maturity == 'ga' && product.tier < 3"
    assert warned(lint_policy(policy(gate(criteria=criteria)))).startswith(
        "no product of tier 3 meets"
    )
    criteria[0]["kind"] = "should"
    assert lint_policy(policy(gate(criteria=criteria))) == []


def test_a_sunset_that_no_product_comes_to() -> None:
    tasks = {"tasks": [{"kind": "notice", "id": "n", "title": "N"}]}
    review = {"first": "1 day", "every": "1 day", "gate": gate()}

    def told(**more: Any) -> bool:
        phase = {"id": "a", "title": "A", "review": review, **more}
        found = lint_policy(policy(gate(), phases=[phase], sunset=tasks))
        return any(f.path == ("sunset",) for f in found)

    assert told()
    assert not told(in_market=True)
    assert not told(gate=gate() | {"id": "h"})


def test_a_gate_that_only_an_investment_leads_to_may_ask_for_milestones_on_the_way() -> None:
    asking = gate(criteria=[{"id": "c", "text": "C", "milestone": "d1"}])
    ways = policy(gate(), gate(), None, gate(), asking).model_dump(mode="json")
    market = ways["phases"][1]
    review = {"gate": gate() | {"id": "r"}, "first": "1 day", "every": "1 day", "invest": "d"}
    market |= {"in_market": True, "review": review, "next": "c"}
    ways["phases"][2] |= {"next": None}
    ways["phases"] = [*ways["phases"][:2], *ways["phases"][3:], ways["phases"][2]]
    ways["phases"][3] |= {"next": "b"}
    assert [f for f in lint_policy(Policy.model_validate(ways)) if f.severity == "error"] == []


# -- leave ----------------------------------------------------------------------------------------


def away(start: str, end: str, delegate: str | None = None) -> dict[str, Any]:
    return {"absences": [{"start": start, "end": end, "delegate": delegate}]}


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"ann": away("2026-11-30", "2026-12-20"), "bob": away("2026-12-01", "2026-12-31")}, True),
        ({"ann": away("2026-11-30", "2026-12-20"), "bob": away("2026-12-15", "2026-12-31")}, False),
        ({"ann": away("2026-10-01", "2026-10-31"), "bob": away("2026-10-01", "2026-10-31")}, False),
        (
            {
                "ann": away("2026-11-30", "2026-12-20", "cy"),
                "bob": away("2026-12-01", "2026-12-31"),
            },
            False,
        ),
        (
            {
                "ann": away("2026-11-30", "2026-12-20") | {"deputy": "cy"},
                "bob": away("2026-12-01", "2026-12-31"),
                "cy": away("2026-11-30", "2026-12-20"),
            },
            True,
        ),
        (
            {
                "ann": away("2026-11-30", "2026-12-20") | {"manager": "max"},
                "bob": away("2026-12-01", "2026-12-31"),
            },
            False,
        ),
    ],
)
def test_leave_that_outlasts_the_clocks_of_a_gate(entries: dict[str, Any], told: bool) -> None:
    found = lint_policy(policy(gate()), directory(entries, leads=["ann", "bob"]), TODAY)
    if not told:
        assert found == []
        return
    assert warned(found) == (
        "gate g cannot be passed from 2026-12-01 to 2026-12-20: ann, bob are away, and nobody acts "
        "in their place; opened on 2026-12-01, it comes to its resolve deadline on 2026-12-15; "
        "name a delegate for these days in the directory, one who is not needed there themselves"
    )


def test_a_delegate_who_votes_for_themselves_votes_for_nobody_else() -> None:
    people = directory({"ann": away("2026-12-01", "2026-12-31", "bob")}, leads=["ann", "bob"])
    both = lint_policy(policy(gate({"group": "leads", "need": 2})), people, TODAY)
    assert [f for f in both if "from 2026-12-01 to 2026-12-31: ann is away" in f.message]
    assert lint_policy(policy(gate()), people, TODAY) == []


@pytest.mark.parametrize(
    "entries",
    [
        {"ann": away("2026-12-01", "2026-12-31", "olga")},
        {"ann": away("2026-12-01", "2026-12-31") | {"manager": "olga"}},
        {"ann": away("2026-12-01", "2026-12-31") | {"deputy": "olga"}},
        {
            "ann": away("2026-12-01", "2026-12-31", "cy"),
            "cy": away("2026-12-01", "2026-12-31", "olga"),
        },
    ],
)
def test_an_owner_acts_for_nobody_who_is_on_leave(entries: dict[str, Any]) -> None:
    asked = policy(gate({"group": "leads", "need": 2}))
    people = directory(entries, leads=["ann", "bob"])

    def told(owner: str) -> list[Finding]:
        found = lint_product(product(owner=owner), asked, people, TODAY)
        return [f for f in found if "cannot be passed" in f.message]

    assert not [f for f in lint_policy(asked, people, TODAY) if "cannot be passed" in f.message]
    found = only(told("olga"))
    assert (found.severity, found.path) == ("warning", ("owner",))
    assert found.message == (
        "gate g cannot be passed from 2026-12-01 to 2026-12-31: ann is away, and nobody acts in "
        "their place (olga owns the product and does not count); opened on 2026-12-01, it comes to "
        "its resolve deadline on 2026-12-15; name a delegate for these days in the directory, one "
        "who is not needed there themselves"
    )
    assert told("max") == []


def test_leave_is_told_of_a_product_where_it_is_not_of_the_policy() -> None:
    people = directory(
        {"ann": away("2026-12-01", "2026-12-31")}, leads=["ann", "bob", "olga"], legal=["ann"]
    )

    def told(*requires: dict[str, Any], **more: Any) -> list[str]:
        found = lint_product(product(**more), policy(gate(*requires)), people, TODAY)
        return [f.message for f in found if "cannot be passed" in f.message]

    assert told({"group": "legal"}) == [], "whoever owns it"
    assert told({"group": "leads"}) == [], "bob is there"
    two = {"group": "leads", "need": 2}
    assert "(olga owns the product and does not count)" in only_text(told(two))
    chosen = told({"group": "leads"}, owner="max", approvers={"g": {"leads": ["ann"]}})
    assert "nobody acts in their place; opened" in only_text(chosen), "of whom they chose"


def test_everybodys_leave_counts_also_where_some_are_managers_of_others() -> None:
    entries = {"ann": away("2026-12-01", "2026-12-31"), "cy": {"manager": "bob"}}
    people = directory(entries, leads=["ann", "bob", "cy"])
    found = lint_policy(policy(gate({"group": "leads", "need": 3})), people, TODAY)
    assert [f for f in found if "from 2026-12-01 to 2026-12-31: ann is away" in f.message]


def test_the_leave_of_one_who_has_a_veto() -> None:
    leave = {
        "bob": away("2026-12-01", "2026-12-31") | {"manager": "max"},
        "max": away("2026-12-01", "2026-12-31"),
    }
    asked = gate({"group": "leads"}, {"group": "legal", "veto": True, "need": 0})
    people = directory(
        {**leave, "cy": {"manager": "max"}}, leads=["ann", "dee"], legal=["bob", "cy"]
    )
    assert "from 2026-12-01 to 2026-12-31: bob is away" in warned(
        lint_policy(policy(asked), people, TODAY)
    )
    assert lint_policy(policy(asked), people) == []


# -- clocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clocks", "field", "said"),
    [
        (
            {"respond": "5 days", "escalate": "2 days", "resolve": "7 days", "on_timeout": "hold"},
            "escalate",
            "no manager ever acts at gate g: they may act 2 days after the answer is due (5 days), "
            "and the gate is decided hold after 7 days; make resolve longer, or escalate shorter",
        ),
        (
            {"respond": "7 days", "resolve": "9 days", "on_timeout": "kill"},
            "escalate",
            "; counted as seven days for five business days",
        ),
        (
            {"respond": "3 business days", "remind": ["4 business days"]},
            "remind",
            "4 business days before the answer is due is before anybody is asked (3 business days "
            "before): this reminder is never sent; give a shorter one",
        ),
        (
            {"respond": "2 days", "remind": ["1 day", "48 hours"]},
            "remind",
            "2 days before the answ",
        ),
    ],
)
def test_clocks_that_another_ends_first(clocks: dict[str, Any], field: str, said: str) -> None:
    found = only(lint_policy(policy(gate(clocks=clocks))))
    assert (found.severity, found.path[:5]) == ("warning", ("phases", 0, "gate", "clocks", field))
    assert said in found.message


@pytest.mark.parametrize(
    "clocks",
    [
        {"respond": "5 days", "escalate": "2 days", "resolve": "7 days"},
        {"respond": "5 days", "escalate": "1 day", "resolve": "7 days", "on_timeout": "hold"},
        {"respond": "3 business days", "remind": ["3 business days"]},
        {"respond": "2 hours", "resolve": "3 hours"},
    ],
)
def test_clocks_that_go_together(clocks: dict[str, Any]) -> None:
    assert lint_policy(policy(gate(clocks=clocks))) == []


def test_steps_that_have_no_time_left() -> None:
    steps = [{"group": "leads", "step": step} for step in (1, 2, 3)]
    found = only(lint_policy(policy(gate(*steps))))
    assert found.path == ("phases", 0, "gate", "clocks", "resolve")
    assert found.message.startswith("gate g asks in 3 steps, each with 5 business days to answer")
    longer = gate(*steps, clocks={"resolve": "15 business days"})
    assert lint_policy(policy(longer)) == []


def test_a_gate_of_the_sunset_that_may_sit_beyond_a_public_date() -> None:
    def told(at: str) -> list[Finding]:
        asking = {"kind": "gate", "id": "t", "title": "T", "at": "1 month", "gate": gate()}
        date_ = {"kind": "date", "id": "d", "title": "D", "at": at, "remind": ["7 days"]}
        return lint_policy(policy(None, sunset={"tasks": [asking, date_]}))

    assert told("60 days") == []
    found = only(told("40 days"))
    assert found.path == ("sunset", "tasks", 0, "gate", "clocks")
    assert found.message.startswith(
        "gate g may take 10 business days, and d, a public date that waits for it, comes 9 days "
        "after it opens"
    )


PEOPLE = directory(leads=["ann", "bob"])


def planned(
    *due: str, rules: Policy | None = None, people: Directory | None = PEOPLE
) -> list[Finding]:
    dates = [
        {"id": f"{name}1", "phase": name, "due": day}
        for name, day in zip("abcdef", due, strict=False)
        if day
    ]
    return lint_product(product(milestones=dates), rules or policy(gate(), gate(), None), people)


def test_a_milestone_before_which_a_gate_has_no_time() -> None:
    assert planned("2027-03-01", "2027-03-16") == []
    found = only(planned("2027-03-01", "2027-03-12"))
    assert (found.severity, found.path) == ("warning", ("milestones", 1, "due"))
    assert found.message == (
        "b1 is due on 2027-03-12, and gate ga comes before it: opened when a1 is due (2027-03-01), "
        "with 10 business days to decide, that may take until 2027-03-15, and longer where it "
        "escalates; plan it later, what comes before it earlier, or give the gate less time"
    )
    assert planned("2027-03-01", "2027-03-12", people=None)[0].message == found.message


def test_days_are_those_of_who_sits_there() -> None:
    people = directory({"bob": {"working_days": ["mon", "tue"]}}, leads=["ann", "bob"])
    assert (
        "may take until 2027-04-05"
        in only(planned("2027-03-01", "2027-03-16", people=people)).message
    )
    unusable = directory({"bob": {"time_zone": "Nowhere"}}, leads=["ann", "bob"])
    assert planned("2027-03-01", "2027-03-12", people=unusable) == []


def test_gates_of_phases_without_dates_add_up_and_those_that_are_submitted_do_not() -> None:
    assert "gates ga, gb come before it" in only(planned("2027-03-01", "", "2027-03-20")).message
    held = gate(clocks={"on_timeout": "hold", "resolve": "20 days"})
    found = only(planned("2027-03-01", "2027-03-12", rules=policy(held, None)))
    assert "that may take until 2027-03-21; plan" in found.message
    submitted = policy(gate(opens="submit"), None)
    assert planned("2027-03-01", "2027-03-02", rules=submitted) == []


def test_where_fewer_requirements_are_too_many_more_are_not_told() -> None:
    asked = gate(
        {"group": "leads", "need": 2, "tiers": [1]},
        {"group": "legal", "veto": True, "when": "product.figures.a", "tiers": [1]},
    )
    found = lint_policy(policy(asked), directory(leads=["ann"], legal=["max"]))
    short = [f.message for f in found if "can never pass" in f.message and "since" not in f.message]
    assert len(short) == 1
    assert short[0].endswith("add people to leads (tier 1)")
    veto = lint_policy(
        policy(asked),
        directory(leads=["ann", "bob"], legal={"members": ["max"], "approve": [2]}),
    )
    told = [f.message for f in veto if "nobody could give the veto of legal" in f.message]
    assert len(told) == 1
    assert told[0].endswith("(tier 1; where 1 of legal (veto) is asked, as with figures.a true)")
