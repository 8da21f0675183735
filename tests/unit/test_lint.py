"""Lint: what types alone cannot say, each with where it is and what to do."""

from __future__ import annotations

import pytest

from phasegate.lint import Finding, lint_directory, lint_policy, lint_product
from phasegate.reading import parse_policy, read_directory, read_policy, read_product

HEAD = 'policy: p\nversion: "1"\ntitle: P\n'
GATE = "{id: %s, title: G, requires: [%s]}"
LEADS = "{group: leads}"


def gate(name: str = "g", *requires: str, extra: str = "") -> str:
    text = GATE % (name, ", ".join(requires or (LEADS,)))
    return text[:-1] + (f", {extra}}}" if extra else "}")


def phase(name: str, extra: str = "") -> str:
    return f"  - {{id: {name}, title: T{', ' if extra else ''}{extra}}}\n"


def policy(*phases: str, sunset: str = ""):
    text = HEAD + "phases:\n" + "".join(phases)
    return read_policy(text + (f"sunset:\n  tasks:\n{sunset}" if sunset else ""), "p.yaml")


def directory(people: str, **groups: str):
    text = f"people: {{{', '.join(f'{p}: {{}}' for p in people.split())}}}\ngroups:\n"
    text += "".join(
        f"  {g.replace('_', '-')}: {{members: [{', '.join(m.split())}]}}\n"
        for g, m in groups.items()
    )
    return read_directory(text if groups else text.replace("groups:", "groups: {}"), "d.yaml")


def product(extra: str = "", owner: str = "olga"):
    return read_product(f"key: k\nname: K\nowner: {owner}\n{extra}", "k.yaml")


def only(found: list[Finding]) -> Finding:
    assert len(found) == 1, [str(finding) for finding in found]
    return found[0]


def has(found: list[Finding], severity: str, path: tuple, text: str) -> None:
    assert any(f.severity == severity and f.path == path and text in f.message for f in found), [
        str(finding) for finding in found
    ]


GOOD = phase("a", f"gate: {gate()}")


# -- policies by themselves --------------------------------------------------------------------


def test_a_good_policy_has_no_findings() -> None:
    assert lint_policy(policy(GOOD)) == []


@pytest.mark.parametrize(
    ("phases", "sunset", "path", "text"),
    [
        (
            [GOOD, phase("a", f"gate: {gate('h')}")],
            "",
            ("phases", 1, "id"),
            "phase a is given twice, first as phases.0.id",
        ),
        (
            [GOOD, phase("b", f"gate: {gate('g')}")],
            "",
            ("phases", 1, "gate", "id"),
            "gate g is given twice",
        ),
        (
            [
                phase("a", "milestones: [{id: m, title: M}]"),
                phase("b", "milestones: [{id: m, title: M}]"),
            ],
            "",
            ("phases", 1, "milestones", 0, "id"),
            "milestone m is given twice",
        ),
        (
            [GOOD],
            "    - {kind: notice, id: t, title: T}\n    - {kind: notice, id: t, title: T}\n",
            ("sunset", "tasks", 1, "id"),
            "sunset task t is given twice",
        ),
        (
            [GOOD],
            f"    - {{kind: gate, id: t, title: T, gate: {gate('g')}}}\n",
            ("sunset", "tasks", 0, "gate", "id"),
            "gate g is given twice",
        ),
        (
            [phase("a", f"gate: {gate(extra='criteria: [{id: c, text: x}, {id: c, text: y}]')}")],
            "",
            ("phases", 0, "gate", "criteria", 1, "id"),
            "criterion c is given twice",
        ),
    ],
)
def test_duplicate_ids(phases: list[str], sunset: str, path: tuple, text: str) -> None:
    has(lint_policy(policy(*phases, sunset=sunset)), "error", path, text)


def test_an_unknown_next_phase_is_told_and_nothing_of_what_comes_after_it() -> None:
    """Whether that is reached, and how it ends, shows once the name is right."""
    build = phase("build", f"gate: {gate()}, next: lunch, milestones: [{{id: m, title: M}}]")
    ended = "    - {kind: notice, id: t, title: T}\n"
    found = only(lint_policy(policy(build, phase("launch"), sunset=ended)))
    assert (found.severity, found.path) == ("error", ("phases", 0, "next"))
    assert found.message == "there is no phase lunch; did you mean launch?"
    asks = gate("h", extra="criteria: [{id: c, text: C, milestone: m}]")
    assert only(lint_policy(policy(build, phase("launch", f"gate: {asks}")))) == found


def test_a_phase_that_is_not_reached_whatever_an_unknown_next_was_meant_to_be() -> None:
    ways = [phase("a", f"gate: {gate('g1')}, next: c"), phase("b", f"gate: {gate('g2')}, next: d")]
    found = lint_policy(policy(*ways, phase("c", f"gate: {gate('g3')}")))
    has(found, "error", ("phases", 1, "next"), "there is no phase d")
    has(found, "error", ("phases", 1, "id"), "no product ever reaches phase b")


def test_a_cycle_is_named() -> None:
    rounds = [
        phase("start", f"gate: {gate('g1')}"),
        phase("a", f"gate: {gate('g2')}"),
        phase("b", f"gate: {gate('g3')}, next: a"),
    ]
    found = only(lint_policy(policy(*rounds)))
    assert found.path == ("phases", 2, "next")
    assert "a → b → a" in found.message
    itself = only(lint_policy(policy(phase("a", f"gate: {gate()}, next: a"))))
    assert "a → a" in itself.message


def test_phases_that_next_jumps_over_are_unreachable() -> None:
    found = only(
        lint_policy(
            policy(
                phase("a", f"gate: {gate('g1')}, next: c"),
                phase("b", f"gate: {gate('g2')}"),
                phase("c", f"gate: {gate('g3')}"),
            )
        )
    )
    assert (found.severity, found.path) == ("error", ("phases", 1, "id"))


def test_a_phase_that_ends_as_it_begins() -> None:
    found = only(lint_policy(policy(phase("a"), GOOD.replace("id: a", "id: b"))))
    assert (found.severity, found.path) == ("warning", ("phases", 0, "id"))
    assert lint_policy(policy(GOOD, phase("last"))) == []


NOTICE = "    - {kind: notice, id: n, title: N}\n"
REVIEW = f"review: {{first: 1 day, every: 1 day, gate: {gate('plr')}}}"


def test_a_market_phase_needs_a_way_out() -> None:
    found = lint_policy(policy(phase("a", "in_market: true"), sunset=NOTICE))
    has(found, "error", ("phases", 0, "in_market"), "leaves the market as soon as it enters it")
    found = lint_policy(policy(phase("a", f"in_market: true, {REVIEW}")))
    has(found, "error", ("phases", 0, "review"), "never ends with a Go")
    found = lint_policy(policy(phase("a", f"in_market: true, {REVIEW}"), GOOD.replace("a,", "b,")))
    has(found, "error", ("phases", 0, "review"), "give it a gate (opens: submit)")
    assert lint_policy(policy(phase("a", f"in_market: true, {REVIEW}"), sunset=NOTICE)) == []


def test_a_market_without_a_sunset_and_a_review_outside_it_are_doubtful() -> None:
    found = only(lint_policy(policy(phase("a", f"in_market: true, gate: {gate()}"))))
    assert (found.severity, found.path) == ("warning", ("phases", 0, "in_market"))
    found = only(lint_policy(policy(phase("a", f"gate: {gate()}, {REVIEW}"))))
    assert (found.severity, found.path) == ("warning", ("phases", 0, "review"))


def test_criteria_need_milestones_of_their_own_or_earlier_phases() -> None:
    def asked(milestone: str) -> list[Finding]:
        wants = gate(extra=f"criteria: [{{id: c, text: x, milestone: {milestone}}}]")
        return lint_policy(
            policy(
                phase("a", f"gate: {gate('g0')}, milestones: [{{id: early, title: E}}]"),
                phase("b", f"gate: {wants}, milestones: [{{id: here, title: H}}]"),
                phase("c", "milestones: [{id: late, title: L}]"),
            )
        )

    assert asked("early") == asked("here") == []
    path = ("phases", 1, "gate", "criteria", 0, "milestone")
    has(asked("late"), "error", path, "belongs to a phase after gate g")
    has(
        asked("erly"),
        "error",
        path,
        "no phase up to gate g has a milestone erly; did you mean early?",
    )


def test_a_sunset_gate_may_ask_for_any_milestone() -> None:
    task = gate("s", extra="criteria: [{id: c, text: x, milestone: m}]")
    found = lint_policy(
        policy(
            phase("a", "milestones: [{id: m, title: M}]"),
            sunset=f"    - {{kind: gate, id: t, title: T, gate: {task}}}\n",
        )
    )
    assert found == []


def test_expressions_must_compile() -> None:
    wants = gate(extra='criteria: [{id: c, text: x, expression: "product.tier =="}]')
    check = "{kind: http, url: 'http://x', expression: 'bdy.x'}"
    found = lint_policy(
        policy(phase("a", f"gate: {wants}, milestones: [{{id: m, title: M, check: {check}}}]"))
    )
    has(found, "error", ("phases", 0, "gate", "criteria", 0, "expression"), "Syntax error")
    has(
        found,
        "error",
        ("phases", 0, "milestones", 0, "check", "expression"),
        "undeclared reference",
    )
    assert len(found) == 2


def test_tiers_are_one_to_three() -> None:
    found = lint_policy(
        policy(phase("a", f"gate: {gate('g', LEADS, '{group: x, tiers: [0, 4]}')}"))
    )
    has(found, "error", ("phases", 0, "gate", "requires", 1, "tiers"), "there is no tier 0, 4")


def test_a_gate_must_ask_somebody_in_every_tier() -> None:
    found = lint_policy(policy(phase("a", f"gate: {gate('g', '{group: x, tiers: [1, 2]}')}")))
    assert only(found).message.startswith("gate g asks nobody for a product of tier 3")


def test_a_veto_alone_needs_nobodys_yes() -> None:
    found = lint_policy(policy(phase("a", f"gate: {gate('g', '{group: x, need: 0, veto: true}')}")))
    assert len(found) == 3
    has(found, "error", ("phases", 0, "gate", "requires"), "abstentions alone would pass it")


def test_a_step_that_asks_nobody_in_a_tier_is_doubtful() -> None:
    two = gate("g", LEADS, "{group: x, step: 2, tiers: [1]}")
    found = lint_policy(policy(phase("a", f"gate: {two}")))
    assert [f.severity for f in found] == ["warning", "warning"]
    assert "step 2 of gate g asks nobody for a product of tier 2" in found[0].message


def test_reminders_count_back_from_their_date() -> None:
    task = "    - {kind: date, id: d, title: D, at: 60 days, remind: [%s]}\n"
    assert lint_policy(policy(GOOD, sunset=task % "60 days, 7 days, 0 days")) == []
    path = ("sunset", "tasks", 0, "remind", 1)
    found = lint_policy(policy(GOOD, sunset=task % "7 days, -7 days"))
    has(found, "error", path, "reminders count back")
    found = lint_policy(policy(GOOD, sunset=task % "7 days, 90 days"))
    has(found, "warning", path, "before the public notice")
    found = lint_policy(policy(GOOD, sunset=task % "7 days, 1 week"))
    has(found, "warning", path, "listed twice")
    found = lint_policy(policy(GOOD, sunset=task % ""))
    has(found, "warning", ("sunset", "tasks", 0), "nobody is reminded of d")


# -- policies with a directory -------------------------------------------------------------------


def test_groups_must_exist_and_have_people() -> None:
    found = lint_policy(policy(GOOD), directory("ann", lead="ann"))
    has(
        found,
        "error",
        ("phases", 0, "gate", "requires", 0, "group"),
        "no group leads; did you mean lead?",
    )
    found = lint_policy(policy(GOOD), directory("ann", leads=""))
    has(found, "error", ("phases", 0, "gate", "requires", 0, "group"), "has no members")
    either = phase("a", f"gate: {gate('g', '{any_of: [leads, ghosts]}')}")
    found = lint_policy(policy(either), directory("ann bob", leads="ann bob"))
    has(
        found,
        "error",
        ("phases", 0, "gate", "requires", 0, "any_of", 1),
        "no group ghosts; known: leads",
    )
    by = "milestones: [{id: m, title: M, check: {kind: reported, by: ghosts}}]"
    found = lint_policy(
        policy(phase("a", by), sunset="    - {kind: manual, id: t, title: T, by: ghosts}\n"),
        directory("ann"),
    )
    has(found, "error", ("phases", 0, "milestones", 0, "check", "by"), "no group ghosts")
    has(found, "error", ("sunset", "tasks", 0, "by"), "no group ghosts")


def test_one_person_in_two_groups_fills_one_seat() -> None:
    both = policy(phase("a", f"gate: {gate('g', LEADS, '{group: legal}')}"))
    found = lint_policy(both, directory("ann", leads="ann", legal="ann"))
    has(
        found,
        "error",
        ("phases", 0, "gate", "requires"),
        "gate g can never pass: step 1 has 2 seats, and people for 1 of them (ann; one seat each)",
    )
    enough = directory("ann bob cat", leads="ann bob cat", legal="ann bob cat")
    assert lint_policy(both, enough) == []


def test_a_shortage_in_some_tiers_names_them() -> None:
    tiers = policy(
        phase("a", f"gate: {gate('g', LEADS, '{group: legal, need: 3, tiers: [1, 2]}')}")
    )
    found = only(lint_policy(tiers, directory("ann bob cat", leads="ann bob cat", legal="ann bob")))
    assert found.message.endswith("(tier 1, 2)")


def test_one_person_who_alone_can_block_is_named() -> None:
    found = only(lint_policy(policy(GOOD), directory("ann", leads="ann")))
    assert found.severity == "warning"
    assert "this person alone can block gate g: ann" in found.message
    veto = policy(phase("a", f"gate: {gate('g', LEADS, '{group: legal, need: 0, veto: true}')}"))
    found = only(lint_policy(veto, directory("ann bob cat", leads="ann bob", legal="cat")))
    assert found.message.startswith("this person alone can block gate g: cat")


# -- products ------------------------------------------------------------------------------------

PEOPLE = directory("ann bob cat olga", leads="ann bob cat olga", legal="cat")


def test_a_good_product_has_no_findings() -> None:
    fine = product("approvers: {g: {leads: [ann, bob]}}\n")
    assert lint_product(fine, policy(GOOD)) == []
    assert lint_product(fine, policy(GOOD), PEOPLE) == []


@pytest.mark.parametrize(
    ("extra", "severity", "path", "text"),
    [
        (
            "milestones: [{id: m, phase: b}]",
            "error",
            ("milestones", 0, "phase"),
            "policy p has no phase b",
        ),
        (
            "milestones: [{id: m, phase: a}, {id: m, phase: a}]",
            "error",
            ("milestones", 1, "id"),
            "milestone m is given twice",
        ),
        (
            "milestones: [{id: m, phase: a, check: {kind: reported, by: lead}}]",
            "error",
            ("milestones", 0, "check", "by"),
            "no group lead; did you mean leads?",
        ),
        (
            "milestones: [{id: m, phase: a, check: {kind: http, url: 'http://x', expression: "
            "'('}}]",
            "error",
            ("milestones", 0, "check", "expression"),
            "Syntax error",
        ),
        (
            "approvers: {gg: {leads: [ann]}}",
            "error",
            ("approvers", "gg"),
            "policy p has no gate gg; did you mean g?",
        ),
        (
            "approvers: {g: {legal: [cat]}}",
            "error",
            ("approvers", "g", "legal"),
            "gate g asks no group legal",
        ),
        (
            "approvers: {g: {leads: [ann, dan]}}",
            "error",
            ("approvers", "g", "leads", 1),
            "dan is not a member of leads",
        ),
        (
            "approvers: {g: {leads: []}}",
            "error",
            ("approvers", "g", "leads"),
            "leaves nobody of leads to vote",
        ),
        (
            "approvers: {g: {leads: [olga, ann, bob]}}",
            "warning",
            ("approvers", "g", "leads", 0),
            "olga owns the product",
        ),
        (
            "approvers: {g: {leads: [olga]}}",
            "warning",
            ("approvers", "g", "leads", 0),
            "olga owns the product and has no vote in its gates",
        ),
        (
            "approvers: {g: {leads: [ann]}}",
            "warning",
            ("approvers", "g"),
            "this person alone can block gate g: ann",
        ),
    ],
)
def test_products_are_checked(extra: str, severity: str, path: tuple, text: str) -> None:
    has(lint_product(product(extra + "\n"), policy(GOOD), PEOPLE), severity, path, text)


def test_an_unknown_owner() -> None:
    found = only(lint_product(product(owner="olge"), policy(GOOD), PEOPLE))
    assert (found.severity, found.path) == ("error", ("owner",))
    assert found.message == "olge is not in directory default; did you mean olga?"


def test_a_gate_nobody_can_pass_once_the_owner_is_left_out() -> None:
    people = directory("olga ann", leads="olga ann")
    two = policy(phase("a", f"gate: {gate('g', '{group: leads, need: 2}')}"))
    assert lint_policy(two, people)[0].severity == "warning"
    found = only(lint_product(product(), two, people))
    assert (found.severity, found.path) == ("error", ("owner",))
    assert found.message.endswith("counted for a product of tier 3 owned by olga")


def test_the_tier_decides_which_seats_count() -> None:
    tiered = policy(phase("a", f"gate: {gate('g', LEADS, '{group: legal, need: 2, tiers: [1]}')}"))
    assert lint_product(product("tier: 3\n"), tiered, PEOPLE) == []
    assert only(lint_product(product("tier: 1\n"), tiered, PEOPLE)).severity == "error"


def test_a_gate_that_asks_nobody_in_the_products_tier() -> None:
    large = policy(phase("a", f"gate: {gate('g', '{group: leads, tiers: [1]}')}"))
    found = only(lint_product(product("tier: 2\n"), large, PEOPLE))
    assert found.message.startswith("gate g asks nobody, so nobody can pass it; counted for")
    assert lint_product(product("tier: 1\n"), large, PEOPLE) == []


def test_a_good_http_check_is_no_finding() -> None:
    check = "{kind: http, url: 'http://x', expression: 'body.ok'}"
    goals = f"milestones: [{{id: m, title: M, check: {check}}}]"
    assert lint_policy(policy(phase("a", goals))) == []
    own = product(f"milestones: [{{id: own, phase: a, check: {check}}}]\n")
    assert lint_product(own, policy(phase("a", goals)), PEOPLE) == []


def test_a_product_does_not_say_how_a_milestone_of_the_policy_is_checked() -> None:
    """The owner writes the product file; a must-criterion must not be theirs to satisfy."""
    goals = "milestones: [{id: m, title: M, check: {kind: reported, by: legal}}]"
    softer = product("milestones: [{id: m, phase: a, check: {kind: reported}}]\n")
    found = only(lint_product(softer, policy(phase("a", goals)), PEOPLE))
    assert (found.severity, found.path) == ("error", ("milestones", 0, "check"))


def test_only_the_step_that_is_short_is_named() -> None:
    two = gate("g", LEADS, "{group: legal, need: 2, step: 2}")
    found = lint_policy(policy(phase("a", f"gate: {two}")), PEOPLE)
    assert "step 2 has 2 seats, and people for 1" in only(found).message


def test_due_dates_follow_the_phases() -> None:
    two = policy(GOOD, phase("b", "milestones: [{id: x, title: X}]"))
    text = (
        "milestones:\n  - {id: early, phase: a, due: 2027-03-01}\n  - {id: undated, phase: a}\n"
        "  - {id: x, phase: b, due: 2027-02-01}\n  - {id: y, phase: b, due: 2027-04-01}\n"
    )
    found = only(lint_product(product(text), two))
    assert (found.severity, found.path) == ("warning", ("milestones", 2, "due"))
    assert found.message == (
        "x (2027-02-01) is due before early (2027-03-01), which is in an earlier phase"
    )


def test_a_policy_milestone_stays_in_its_phase() -> None:
    two = policy(GOOD, phase("b", "milestones: [{id: x, title: X}]"))
    found = only(lint_product(product("milestones: [{id: x, phase: a}]\n"), two))
    assert "policy p has milestone x in phase b" in found.message


def test_a_milestone_that_is_nearly_one_of_the_policy() -> None:
    one = policy(phase("a", "milestones: [{id: feature-complete, title: X}]"))
    found = only(lint_product(product("milestones: [{id: features-complete, phase: a}]\n"), one))
    assert (found.severity, found.path) == ("warning", ("milestones", 0, "id"))
    assert "no milestone features-complete; did you mean feature-complete?" in found.message
    two = "milestones: [{id: feature-complete, phase: a}, {id: features-complete, phase: a}]\n"
    assert lint_product(product(two), one) == []
    row = policy(phase("a", "milestones: [{id: candidate-1, title: X}]"))
    assert lint_product(product("milestones: [{id: candidate-2, phase: a}]\n"), row) == []


def test_a_criterion_whose_milestone_nobody_defines() -> None:
    wants = gate(extra="criteria: [{id: c, text: x, milestone: m}]")
    asks = policy(phase("a", f"gate: {wants}"))
    found = only(lint_product(product(), asks))
    assert "which neither the policy nor this product has" in found.message
    assert lint_product(product("milestones: [{id: m, phase: a}]\n"), asks) == []


# -- directories -----------------------------------------------------------------------------------


def test_directories_are_checked() -> None:
    text = (
        "people:\n  ann: {manager: bob}\n  bob: {manager: cat}\n  cat: {manager: ann}\n"
        "  dan: {manager: ann}\n  eve: {manager: eva}\n  fay: {manager: fay}\n"
        "groups:\n  leads: {members: [ann, anne, ann]}\n  empty: {}\n"
    )
    found = lint_directory(read_directory(text, "d.yaml"))
    has(
        found,
        "error",
        ("groups", "leads", "members", 1),
        "anne is not listed in people; did you mean ann?",
    )
    has(found, "warning", ("groups", "leads", "members", 2), "ann is listed twice")
    has(found, "warning", ("groups", "empty"), "group empty has no members")
    has(found, "error", ("people", "eve", "manager"), "eva is not listed in people")
    has(found, "error", ("people", "ann", "manager"), "ann → bob → cat → ann")
    has(found, "error", ("people", "fay", "manager"), "fay → fay")
    assert len(found) == 6


def test_a_good_directory_has_no_findings() -> None:
    assert lint_directory(PEOPLE) == []


def test_findings_can_be_placed_in_the_file() -> None:
    text = HEAD + "phases:\n" + phase("a", f"gate: {gate()}, next: b")
    parsed = parse_policy(text, "p.yaml")
    found = only(lint_policy(parsed.model))
    assert str(found).startswith("error: phases.0.next: there is no phase b")
    line, column = parsed.locate(found.path)
    assert text.splitlines()[line - 1][column - 1] == "b"


def test_an_expression_that_cannot_be_evaluated_on_the_product_is_found_before_it_starts() -> None:
    """A typo in CEL compiles; met by nobody, it would block its gate for good."""
    misspelt = (
        "gate: {id: g, title: G, requires: [{group: leads}], "
        "criteria: [{id: c, text: C, expression: 'product.markt.segment != \"\"'}]}"
    )
    found = only(lint_product(product(""), policy(phase("a", misspelt)), PEOPLE))
    assert found.severity == "error"
    assert "criterion c of gate g can never be met" in found.message
    assert "markt" in found.message
