"""Lint of what committees add: conditions, attesting, scores, permissions, calendars, absences."""

from __future__ import annotations

from typing import Any

import pytest

from client.plan import plan_start
from phasegate.directory import Directory
from phasegate.lint import Finding, lint_directory, lint_policy, lint_product
from phasegate.policy import Policy
from phasegate.product import Product

GATE: dict[str, Any] = {"id": "g", "title": "G", "requires": [{"group": "leads"}]}
PEOPLE: dict[str, Any] = {name: {} for name in ("ann", "bob", "cy", "dee", "olga")}
HERE = ("phases", 0, "gate")


def policy(gate: dict[str, Any] | None = None, *phases: dict[str, Any]) -> Policy:
    first = {"id": "a", "title": "A", "gate": GATE | (gate or {})}
    document = {"policy": "p", "version": "1", "title": "P", "phases": [first, *phases]}
    return Policy.model_validate(document)


def directory(people: dict[str, Any] | None = None, **groups: Any) -> Directory:
    given = groups or {"leads": ["ann", "bob"]}
    return Directory.model_validate(
        {
            "people": PEOPLE | (people or {}),
            "groups": {
                name.replace("_", "-"): {"members": group} if isinstance(group, list) else group
                for name, group in given.items()
            },
        }
    )


def product(**more: Any) -> Product:
    return Product.model_validate({"key": "k", "name": "K", "owner": "olga"} | more)


def lines(found: list[Finding]) -> list[str]:
    return [str(finding) for finding in found]


def only(found: list[Finding]) -> Finding:
    assert len(found) == 1, lines(found)
    return found[0]


# -- conditions and expressions -------------------------------------------------------------------


def when(condition: str) -> dict[str, Any]:
    return {"requires": [{"group": "leads"}, {"group": "legal", "when": condition}]}


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("product.tier ==", "Syntax error: mismatched input 'end' (line 1, column 16)"),
        ("product.revnue > 1", "a product has no revnue (line 1, column 8); known: approvers,"),
        ("product.revnue > 1", "; or product.figures.revnue, for a figure"),
        ("product.teir\n  > 1", "a product has no teir (line 1, column 8); did you mean tier?"),
        ("1 < 2 &&\n product.market.segmnt == ''", "Market of a product has no segmnt (line 2,"),
        ("product.goals.all(g, g.metrc != '')", "Goal of a product has no metrc"),
        ("evidence.p99 < 2", "undeclared reference to 'evidence.p99' (line 1, column 9); evidence"),
        ("evidence.p99 < 2", "ask for figures of the product"),
        ("product.name", "gives string, not true or false; compare it with something"),
        ("product.figures.revenue > 1e6", None),
        ("product['tier'] == 1", None),
        ("product.tier > 1.5", None),
        ("product.milestones.exists(m, m.due == null)", None),
        ("product.team.exists(person, person == 'ann')", None),
    ],
)
def test_conditions_compile_and_ask_for_what_there_is(condition: str, message: str | None) -> None:
    found = lint_policy(policy(when(condition)))
    if message is None:
        assert found == []
        return
    assert only(found).path == (*HERE, "requires", 1, "when")
    assert message in only(found).message


def test_a_criterion_may_ask_of_the_product_and_of_its_evidence() -> None:
    def asking(expression: str) -> list[Finding]:
        criterion = {"id": "c", "text": "C", "expression": expression}
        return lint_policy(policy({"criteria": [criterion]}))

    assert asking("evidence.p99 < 2.0 && product.tier == 1") == []
    assert "a product has no teir" in only(asking("product.teir == evidence.p99")).message
    assert "undeclared reference to 'evdence" in only(asking("evdence.p99 < 2")).message
    assert only(asking("evdence.p99 < 2")).message.endswith("; did you mean evidence?")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("product.goals.x > 1", "asks for a field of a list, which has exists, all and [0]"),
        ("product.team[0].name == 'ann'", "asks for a field of text"),
        ("product.tier == '1'", "compares a number with text"),
        ("(product.tier == 1).name == 'ann'", "expression of type 'bool' cannot be the operand"),
        ("product.goals.all(g, g.metric < 3)", "compares text with a number"),
        ("product.figures > 3", "compares a map with a number"),
        ("product.name && product.tier == 1", "takes for && what is neither true nor false"),
        ("product.figures.a * 2.0 > 1", "compares a fraction with a whole number; figures are"),
        ("product.tier", "gives int, not true or false; compare it with something"),
        ("product.figures", "gives map"),
    ],
)
def test_a_condition_that_no_product_can_answer_is_told(condition: str, expected: str) -> None:
    assert only(lint_policy(policy(when(condition)))).message.startswith(expected)


@pytest.mark.parametrize(
    "condition",
    [
        "product.tier > 1.5",
        "product.figures.eu",
        "product.figures.a + 1.0 > 2.0 || product.policy == null",
        "product['tier'] == 1 && 'tier' in product && size(product) > 1",
        "product.milestones.exists(m, m.due < '2027' && m.check.kind == 'http')",
        "'ann' in product.team && product.approvers['g']['x'].size() > 1",
        "product.market == product.market && product.features[0] == {}",
    ],
)
def test_what_a_product_might_answer_is_left_to_it(condition: str) -> None:
    assert lint_policy(policy(when(condition))) == []


def test_a_gate_whose_every_requirement_has_a_condition_may_ask_nobody() -> None:
    found = lint_policy(policy({"requires": [{"group": "leads", "when": "product.tier == 1"}]}))
    assert [finding.severity for finding in found] == ["warning"] * 3
    assert "gate g may ask nobody for a product of tier 1: each of its" in found[0].message
    veto = {"requires": [{"group": "leads", "when": "true"}, {"group": "x", "need": 0}]}
    veto["requires"][1]["veto"] = True  # type: ignore[assignment]
    assert len(lint_policy(policy(veto))) == 3


def test_a_weight_without_a_threshold_decides_nothing() -> None:
    should = {"id": "c", "text": "C", "kind": "should", "weight": 3}
    found = only(lint_policy(policy({"criteria": [should]})))
    assert (found.severity, found.path) == ("warning", (*HERE, "criteria", 0, "weight"))
    assert lint_policy(policy({"criteria": [should], "threshold": 60})) == []


# -- investing ------------------------------------------------------------------------------------


def in_market(invest: str | None, **more: Any) -> dict[str, Any]:
    review = {"gate": GATE | {"id": "r"}, "first": "1 day", "every": "1 day", "invest": invest}
    gate = GATE | {"id": "m", "opens": "submit"}
    return {"id": "m", "title": "M", "review": review, "gate": gate, "in_market": True} | more


def paths(found: list[Finding]) -> set[tuple[Any, ...]]:
    return {finding.path for finding in found if finding.severity == "error"}


def test_what_a_review_invests_in_is_a_phase() -> None:
    assert paths(lint_policy(policy(None, in_market("a")))) == set()
    assert paths(lint_policy(policy(None, in_market(None)))) == set()
    unknown = lint_policy(policy(None, in_market("b")))
    path = ("phases", 1, "review", "invest")
    assert paths(unknown) == {path}
    assert "there is no phase b" in lines(unknown)[0]
    rebuild = {"id": "n", "title": "N", "gate": GATE | {"id": "n"}, "next": "x"}
    end = {"id": "z", "title": "Z", "gate": GATE | {"id": "z"}}
    nowhere = lint_policy(policy(None, in_market("n", next="z"), rebuild, end))
    assert paths(nowhere) == {("phases", 2, "next")}, "nobody knows where the investment leads"
    itself = lint_policy(policy(None, in_market("m")))
    assert paths(itself) == {path}
    assert "would begin phase m again, with nothing to build" in lines(itself)[0]


def test_phases_that_only_an_investment_leads_to_are_reached() -> None:
    def rebuild(leads_to: str) -> dict[str, Any]:
        gate = GATE | {"id": "n"}
        return {"id": "next-gen", "title": "N", "gate": gate, "next": leads_to}

    end = {"id": "end", "title": "End"}
    market = in_market("next-gen", next="end")
    assert paths(lint_policy(policy(None, market, rebuild("m"), end))) == set()
    alone = lint_policy(policy(None, in_market(None, next="end"), rebuild("m"), end))
    assert paths(alone) == {("phases", 2, "id")}
    invest = ("phases", 1, "review", "invest")
    circle = lint_policy(policy(None, market, rebuild("next-gen"), end))
    assert paths(circle) == {("phases", 2, "next"), invest}
    assert any("next-gen → next-gen" in line for line in lines(circle))


def test_an_investment_leads_back_to_the_market() -> None:
    end = {"id": "end", "title": "End"}
    found = lint_policy(policy(None, in_market("end"), end))
    assert paths(found) == {("phases", 1, "review", "invest")}
    assert any("never comes to a phase in the market" in line for line in lines(found))


def test_a_circle_that_two_ways_end_in_is_told_once() -> None:
    gate = GATE | {"id": "n"}
    rebuild = {"id": "next-gen", "title": "N", "gate": gate, "next": "m"}
    found = lint_policy(policy(None, in_market("next-gen", next="a"), rebuild))
    assert paths(found) == {("phases", 1, "next")}


# -- groups and their tiers -----------------------------------------------------------------------


def test_groups_that_attest_and_review_exist_and_have_people() -> None:
    rules = policy(
        {
            "criteria": [{"id": "c", "text": "C", "attested_by": "leagl"}],
            "reviewers": ["advisers", "nobody"],
        }
    )
    people = directory(leads=["ann", "bob"], legal=["cy"], advisers=["dee"], nobody=[])
    assert lines(lint_policy(rules, people)) == [
        "error: phases.0.gate.criteria.0.attested_by: the directory has no group leagl; did you "
        "mean legal?",
        "error: phases.0.gate.reviewers.1: group nobody has no members in the directory; add some",
    ]


def test_a_gate_that_no_group_may_approve_at_a_tier() -> None:
    people = directory(leads={"members": ["ann", "bob"], "approve": [2, 3]})
    assert only(lint_policy(policy(), people)).message == (
        "gate g can never pass: step 1 has 1 seat, and people for 0 of them (nobody; one seat "
        "each); leads may not approve this tier; add people to another group (tier 1)"
    )
    found = only(lint_product(product(tier=1), policy(), people))
    assert "leads may not approve this tier" in found.message
    assert lint_product(product(tier=2), policy(), people) == []
    more = {"requires": [{"any_of": ["leads", "legal"], "need": 2}]}
    people = directory(leads={"members": ["ann", "bob"], "approve": [2, 3]}, legal=["cy", "dee"])
    assert lint_product(product(tier=1), policy(more), people) == []
    few = directory(leads={"members": ["ann", "bob"], "approve": [2, 3]}, legal=["cy"])
    found = only(lint_product(product(tier=1), policy(more), few))
    assert "leads may not approve this tier; add people to legal; counted" in found.message


# -- products -------------------------------------------------------------------------------------


def test_a_condition_that_fails_on_the_product_is_an_error() -> None:
    rules, people = (
        policy(when("product.figures.revenue > 1e6")),
        directory(leads=["ann", "bob"], legal=["cy", "dee"]),
    )
    found = only(lint_product(product(), rules, people))
    assert (found.severity, found.path) == ("error", ("key",))
    assert found.message == (
        "gate g cannot know whether to ask 1 of legal: product.figures.revenue > 1e6 cannot be "
        "evaluated: there is no revenue; give the product what it asks for, or mend the policy's "
        "expression"
    )
    misnamed = only(lint_product(product(figures={"revnue": 1}), rules, people))
    assert misnamed.path == ("figures",)
    assert lint_product(product(figures={"revenue": 1}), rules, people) == []


def test_what_asks_of_evidence_is_not_judged_before_there_is_any() -> None:
    def asking(expression: str) -> list[Finding]:
        criterion = {"id": "c", "text": "C", "expression": expression}
        return lint_product(product(figures={"cost": 1}), policy({"criteria": [criterion]}))

    assert asking("evidence.p99 < product.figures.cost") == []
    found = only(asking("product.figures.cost * 2 > 1"))
    assert found.path == ("figures",)
    assert "figures are doubles: write 2.0 for 2" in found.message


def test_what_keeps_every_product_from_passing_is_said_once() -> None:
    """Beside the policy; by itself a product says it, since it is what refuses its start."""
    three = policy({"requires": [{"group": "leads", "need": 3}]})
    people = directory(leads=["ann", "bob"], legal={"members": ["cy", "dee"], "approve": [1, 2]})
    assert only(lint_product(product(), three, people)).message == (
        "gate g can never pass: step 1 has 3 seats, and people for 2 of them (ann, bob; one seat "
        "each); add people to leads; counted for a product of tier 3 owned by olga"
    )
    assert lint_product(product(), three, people, told=True) == []
    short = directory(leads=["ann", "bob", "olga"])
    owned = only(lint_product(product(), three, short, told=True))
    assert "(ann, bob; one seat each)" in owned.message, "of the policy, olga counts"
    tiers = policy({"requires": [{"group": "legal"}]})
    assert lint_product(product(tier=3), tiers, people, told=True) == []
    chosen = product(tier=1, approvers={"g": {"legal": ["cy"]}}, owner="cy")
    assert lint_product(chosen, tiers, people, told=True) != []
    when = "product.figures.size() > 2"  # of which lint finds no product: it only supposes one
    asked = policy({"requires": [{"group": "leads"}, {"group": "none", "when": when}]})
    mine = product(figures={"a": 1, "b": 1, "c": 1})
    assert "2 seats" in only(lint_product(mine, asked, people, told=True)).message


def test_only_requirements_in_force_need_people() -> None:
    rules = policy(when("product.figures.revenue > 1e6"))
    people = directory(leads=["ann", "bob"], legal=["olga"])  # olga owns the product
    assert lint_product(product(figures={"revenue": 1}), rules, people) == []
    found = only(lint_product(product(figures={"revenue": 2000000}), rules, people))
    assert "step 1 has 2 seats, and people for 1 of them" in found.message
    never = policy({"requires": [{"group": "leads", "when": "false"}]})
    assert "asks nobody" in only(lint_product(product(), never, people)).message


def test_a_plan_has_only_what_is_in_force() -> None:
    rules = policy(when("product.figures.revenue > 1e6"))
    people = directory(leads=["ann", "bob"], legal=["cy"])
    small, large = (
        plan_start(product(figures={"revenue": revenue}), rules, people).gates[0]
        for revenue in (1, 2000000)
    )
    assert (small.requires, small.voters) == (["1 of leads"], {"leads": ["ann", "bob"]})
    assert large.requires == ["1 of leads", "1 of legal"]
    assert large.voters == {"leads": ["ann", "bob"], "legal": ["cy"]}


def test_a_team_is_of_the_directory() -> None:
    team = product(team=["ann", "anne", "ann", "olga"])
    assert lines(lint_product(team, policy(), directory())) == [
        "error: team.1: anne is not in directory default; did you mean ann?",
        "warning: team.2: ann is listed twice; keep one",
        "warning: team.3: olga owns the product already; leave them out of the team",
    ]
    assert len(lint_product(team, policy())) == 2


# -- directories ----------------------------------------------------------------------------------


def test_tiers_of_groups_are_one_to_three() -> None:
    people = directory(
        leads={
            "members": ["ann"],
            "approve": [1, 4],
            "permissions": {"waive": [0, 3], "extend": [], "override": [1, 2, 3]},
        }
    )
    assert lines(lint_directory(people)) == [
        "warning: groups.leads.permissions.extend: extend is given at no tier; list tiers, or "
        "remove the line",
        "error: groups.leads.approve: there is no tier 4; tiers are 1, 2 and 3",
        "error: groups.leads.permissions.waive: there is no tier 0; tiers are 1, 2 and 3",
    ]


@pytest.mark.parametrize(
    ("entry", "finding"),
    [
        ({"deputy": "bobb"}, "error: people.ann.deputy: bobb is not listed in people; did you"),
        ({"deputy": "ann"}, "error: people.ann.deputy: ann acts for themselves; name somebody"),
        ({"country": "XX"}, "error: people.ann.country: no holidays are known of a country 'XX'"),
        ({"country": "DE", "subdivision": "XX"}, "error: people.ann.subdivision: country DE has"),
        ({"country": "XX", "subdivision": "BY"}, "error: people.ann.country: no holidays"),
        ({"subdivision": "BY"}, "error: people.ann.subdivision: subdivision 'BY' belongs to no"),
        ({"time_zone": "Berlin"}, "error: people.ann.time_zone: there is no time zone 'Berlin'"),
        ({"email": "ann@"}, "error: people.ann.email: 'ann@' is no mail address; use one address"),
        ({"working_days": ["mon", "tue", "mon"]}, "warning: people.ann.working_days.2: mon is"),
    ],
)
def test_people_are_checked(entry: dict[str, Any], finding: str) -> None:
    assert str(only(lint_directory(directory({"ann": entry})))).startswith(finding)


def away(start: str, end: str, delegate: str | None = None) -> dict[str, Any]:
    return {"start": f"2026-12-{start}", "end": f"2026-12-{end}", "delegate": delegate}


def absent(**absences: Any) -> list[str]:
    entries = {name: {"absences": found} for name, found in absences.items()}
    return lines(lint_directory(directory(entries)))


def test_delegates_are_somebody_else_and_known() -> None:
    assert absent(ann=[away("01", "02", "bobb")]) == [
        "error: people.ann.absences.0.delegate: bobb is not listed in people; did you mean bob?"
    ]
    itself, circle = absent(ann=[away("01", "02", "ann")])
    assert "ann acts for themselves while away" in itself
    assert "ann → ann" in circle


def test_absences_of_one_person_are_told_apart() -> None:
    assert absent(ann=[away("01", "02"), away("03", "04"), away("05", "05", "bob")]) == []
    assert absent(ann=[away("01", "05", "bob"), away("05", "06", "bob")]) == [
        "warning: people.ann.absences.1: overlaps absence 0 (2026-12-01 to 2026-12-05); end one "
        "before the other starts"
    ]
    (found,) = absent(ann=[away("03", "05", "bob"), away("01", "03", "cy")])
    assert found.startswith("error: people.ann.absences.1: overlaps absence 0")
    assert "another person stands in: it is not clear who acts" in found


def test_only_the_groups_that_are_short_are_named() -> None:
    gate = {
        "requires": [
            {"group": "leads", "need": 2},
            {"group": "legal"},
            {"any_of": ["board", "chairs"]},
        ]
    }
    people = {name: {} for name in ("ann", "bob", "cy")}

    def named(**groups: list[str]) -> str:
        given = {name: {"members": members} for name, members in groups.items()}
        found = lint_policy(
            policy(gate), Directory.model_validate({"people": people, "groups": given})
        )
        return "; ".join(
            f.message.partition("add people to ")[2] for f in found if "never" in f.message
        )

    assert named(leads=["ann"], legal=["bob"], board=["cy"], chairs=["cy"]) == "leads"
    # bob may sit for legal or for the board: a second person for either would do
    many = {"board": ["bob"], "chairs": ["bob"], "legal": ["bob"]}
    assert named(leads=["ann", "cy"], **many) == "board, chairs, legal"
    assert named(leads=["ann", "bob"], legal=["cy"], board=["bob"], chairs=["ann"]) == (
        "board, chairs, leads"
    )


def test_years_in_which_nobody_is_away() -> None:
    found = absent(ann=[{"start": "1026-12-01", "end": "9999-12-31", "delegate": "bob"}])
    assert [line.partition(" is not")[0] for line in found] == [
        "error: people.ann.absences.0.start: 1026-12-01",
        "error: people.ann.absences.0.end: 9999-12-31",
    ]
    assert found[0].endswith(
        "between 1970 and 2200; correct the year, or take whoever has left for good out of their "
        "groups"
    )
    assert absent(ann=[{"start": "1970-01-01", "end": "2200-12-31", "delegate": "bob"}]) == []


def test_people_who_are_away_to_each_other() -> None:
    (found,) = absent(ann=[away("01", "10", "bob")], bob=[away("10", "12", "ann")])
    assert found == (
        "error: people.ann.absences.0.delegate: on 2026-12-10 they are away to each other: "
        "ann → bob → ann, so that nobody acts; name somebody who is there"
    )
    (found,) = absent(
        ann=[away("01", "10", "bob")], bob=[away("02", "12", "cy")], cy=[away("03", "12", "ann")]
    )
    assert "on 2026-12-03 they are away to each other: ann → bob → cy → ann" in found
    assert absent(ann=[away("01", "09", "bob")], bob=[away("10", "12", "ann")]) == []
    # dee goes to two who have only each other: told once, where it begins
    (found,) = absent(
        ann=[away("01", "10", "bob")], bob=[away("01", "10", "ann")], dee=[away("01", "10", "ann")]
    )
    assert "ann → bob → ann" in found


def test_a_delegate_who_is_away_hands_on_or_leaves_nobody() -> None:
    handed = {"ann": [away("01", "10", "bob")], "bob": [away("05", "06", "cy")]}
    assert absent(**handed) == []
    (found,) = absent(ann=[away("01", "10", "bob")], bob=[away("05", "06")])
    assert found == (
        "warning: people.ann.absences.0: on 2026-12-05 bob, who acts for ann, is away as well and "
        "names nobody; name somebody else, or a delegate for bob"
    )


def test_deputies_in_a_circle_are_fine_unless_both_are_away() -> None:
    def pair(ann: list[Any], bob: list[Any]) -> list[str]:
        entries = {
            "ann": {"deputy": "bob", "absences": ann},
            "bob": {"deputy": "ann", "absences": bob},
        }
        return lines(lint_directory(directory(entries)))

    assert pair([], []) == []
    assert pair([away("01", "05")], []) == []
    assert pair([away("01", "05")], [away("06", "07")]) == []
    assert pair([away("01", "05")], [away("04", "07", "cy")]) == []
    one, other = pair([away("01", "05")], [away("04", "07")])
    assert one == (
        "warning: people.ann.absences.0: on 2026-12-04 the deputy bob is away as well, so that "
        "only a manager acts for ann; name a delegate for this absence"
    )
    assert "people.bob.absences.0: on 2026-12-04 the deputy ann is away as well" in other
