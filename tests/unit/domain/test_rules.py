"""The gate rule against a slow rule that is obviously right, rule by rule, and under any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from phasegate.directory import Directory
from phasegate.gate import Requirement, TimeoutAction
from phasegate.rules import Ballot, Situation, Verdict, decide
from phasegate.seats import Seat, Step, assign, can_pass, in_force, seated, steps_of
from phasegate.votes import Outcome, Vote

GROUPS = ("eng", "fin", "legal")
PEOPLE = ("ann", "bob", "cyd", "dan", "eve")
YES = {Vote.go, Vote.conditional_go}
STRENGTH = [Vote.recycle, Vote.hold, Vote.kill]
PASSES = {Outcome.go, Outcome.conditional_go}
CALM = Situation()


@dataclass(frozen=True)
class Committee:
    """What a policy asks, and who sits where."""

    requires: tuple[Requirement, ...]
    members: dict[str, frozenset[str]]
    excluded: frozenset[str] = frozenset()

    @property
    def steps(self) -> tuple[Step, ...]:
        return steps_of(self.requires, self.members, tier=1, excluded=self.excluded)

    def numbers(self) -> list[int]:
        return sorted({requirement.step for requirement in self.requires})

    def people(self, step: int) -> dict[str, set[str]]:
        """Who may vote in a step, worked out without `steps_of`."""
        found: dict[str, set[str]] = {}
        for requirement in self.requires:
            if requirement.step == step:
                for group in requirement.groups:
                    for person in self.members.get(group, frozenset()) - self.excluded:
                        found.setdefault(person, set()).add(group)
        return found

    def places(self) -> list[tuple[str, int]]:
        return [(person, step) for step in self.numbers() for person in sorted(self.people(step))]


# -- a slow rule that is obviously right ----------------------------------------------------------


def seats_asked(committee: Committee, step: int) -> list[set[str]]:
    seats: list[set[str]] = []
    for requirement in committee.requires:
        if requirement.step == step:
            seats += [{group} for group in requirement.include]
            seats += [set(requirement.groups)] * (requirement.need - len(requirement.include))
    return seats


def can_fill(seats: Sequence[set[str]], people: Mapping[str, set[str]]) -> bool:
    """Try every way to seat these people."""
    if not seats:
        return True
    return any(
        can_fill(seats[1:], {name: of for name, of in people.items() if name != person})
        for person, groups in people.items()
        if groups & seats[0]
    )


def vetoes_nobody_can_give(committee: Committee, step: int) -> bool:
    people = committee.people(step).values()
    vetoes = [set(r.groups) for r in committee.requires if r.step == step and r.veto]
    return any(not any(of & groups for of in people) for groups in vetoes)


@dataclass(frozen=True)
class Expected:
    outcome: Outcome | None
    cannot_pass: bool
    ready: bool
    step: int


def expected(
    committee: Committee, votes: Mapping[tuple[str, int], Vote], now: Situation
) -> Expected:
    """Design rules 1 to 13, as plainly as they can be written down."""
    timeout = None
    if now.resolve_passed and now.on_timeout is not TimeoutAction.escalate:
        timeout = Outcome.hold if now.on_timeout is TimeoutAction.hold else Outcome.kill
    heard: list[Vote] = []
    step = 0
    for step in committee.numbers():
        people = committee.people(step)
        said = {p: votes[p, step] for p in people if (p, step) in votes}
        silent = {p: of for p, of in people.items() if p not in said}
        yes = {p: people[p] for p, vote in said.items() if vote in YES}
        veto_groups = {g for r in committee.requires if r.step == step and r.veto for g in r.groups}
        vetoes = [v for p, v in said.items() if v in STRENGTH and people[p] & veto_groups]
        if Vote.kill in vetoes:
            return Expected(Outcome.kill, True, False, step)
        seats = seats_asked(committee, step)
        lost = not can_fill(seats, {**yes, **silent})
        if vetoes or lost or vetoes_nobody_can_give(committee, step):
            if silent and step not in now.late:
                return Expected(timeout, True, False, step)
            if vetoes:
                strongest = max(vetoes, key=STRENGTH.index)
                return Expected(Outcome(strongest.value), True, False, step)
            noes = Counter(vote for vote in said.values() if vote in STRENGTH)
            most = max(noes.values(), default=0)
            word = next((vote for vote in STRENGTH if most and noes[vote] == most), Vote.hold)
            return Expected(Outcome(word.value), True, False, step)
        veto_holder_silent = any(of & veto_groups for of in silent.values())
        waits = veto_holder_silent or (now.wait_for_all and bool(silent))
        if not can_fill(seats, yes) or waits:
            return Expected(timeout, False, False, step)
        heard += said.values()
    if now.unmet_musts or now.open_conditions or not YES & set(heard):
        return Expected(timeout, False, True, step)
    conditional = Vote.conditional_go in heard or now.weak_shoulds
    return Expected(Outcome.conditional_go if conditional else Outcome.go, False, True, step)


# -- made-up committees ---------------------------------------------------------------------------


@st.composite
def requirements(draw: st.DrawFn, step: int) -> Requirement:
    veto = draw(st.booleans())
    tiers = draw(st.sampled_from([(), (1,), (1, 2)]))
    need = draw(st.integers(0 if veto else 1, 3))
    if draw(st.booleans()):
        group = draw(st.sampled_from(GROUPS))
        return Requirement(group=group, need=need, veto=veto, step=step, tiers=tiers)
    any_of = tuple(draw(st.lists(st.sampled_from(GROUPS), min_size=1, max_size=3, unique=True)))
    include = draw(st.lists(st.sampled_from(any_of), max_size=need, unique=True))
    return Requirement(
        any_of=any_of, include=tuple(include), need=need, veto=veto, step=step, tiers=tiers
    )


@st.composite
def committees(draw: st.DrawFn) -> Committee:
    requires = tuple(
        draw(requirements(step))
        for step in range(1, draw(st.integers(1, 3)) + 1)
        for _ in range(draw(st.integers(1, 2)))
    )
    members = {group: draw(st.frozensets(st.sampled_from(PEOPLE))) for group in GROUPS}
    excluded = draw(st.frozensets(st.sampled_from(PEOPLE), max_size=1))
    return Committee(requires, members, excluded)


situations = st.builds(
    Situation,
    unmet_musts=st.sampled_from([(), (), ("beta",)]),
    weak_shoulds=st.sampled_from([(), (), ("nps",)]),
    open_conditions=st.sampled_from([(), (), ("g3-1-1",)]),
    late=st.sampled_from([(), (), (1,), (1, 2, 3)]),
    resolve_passed=st.booleans(),
    on_timeout=st.sampled_from(TimeoutAction),
    wait_for_all=st.booleans(),
)
before_deadlines = situations.map(lambda now: replace(now, late=(), resolve_passed=False))
# Mostly yes: gates of small committees otherwise hardly ever pass.
votes_cast = st.sampled_from([*Vote, Vote.go, Vote.go, Vote.conditional_go])


@st.composite
def elections(
    draw: st.DrawFn, now: st.SearchStrategy[Situation] = situations
) -> tuple[Committee, dict[tuple[str, int], Vote], Situation]:
    committee = draw(committees())
    votes = {}
    for place in committee.places():
        if draw(st.integers(0, 4)):
            votes[place] = draw(votes_cast)
    return committee, votes, draw(now)


def ballots(votes: Mapping[tuple[str, int], Vote]) -> list[Ballot]:
    return [Ballot(person, vote, step) for (person, step), vote in votes.items()]


# -- against the slow rule ------------------------------------------------------------------------


@given(elections())
def test_the_verdict_is_that_of_the_slow_rule(
    election: tuple[Committee, dict[tuple[str, int], Vote], Situation],
) -> None:
    committee, votes, now = election
    verdict = decide(committee.steps, ballots(votes), now)
    found = Expected(verdict.outcome, verdict.cannot_pass, verdict.ready, verdict.step)
    assert found == expected(committee, votes, now)


@given(committees())
def test_a_gate_can_be_passed_exactly_if_everybodys_yes_would_pass_it(committee: Committee) -> None:
    possible = all(
        can_fill(seats_asked(committee, n), committee.people(n))
        and not vetoes_nobody_can_give(committee, n)
        for n in (1, 2, 3)
    )
    assert can_pass(committee.steps) is possible
    everybody = dict.fromkeys(committee.places(), Vote.go)
    passed = decide(committee.steps, ballots(everybody), CALM).outcome is Outcome.go
    assert passed is (possible and bool(everybody))


@given(
    st.lists(st.frozensets(st.sampled_from(GROUPS), min_size=1), max_size=5),
    st.dictionaries(st.sampled_from(PEOPLE), st.frozensets(st.sampled_from(GROUPS))),
)
def test_as_many_seats_are_filled_as_can_be(
    asked: list[frozenset[str]], people: dict[str, frozenset[str]]
) -> None:
    placed = assign([Seat(0, groups) for groups in asked], people)
    assert len(set(placed.values())) == len(placed), "nobody sits twice"
    assert all(people[person] & asked[index] for index, person in placed.items())

    def most(rest: list[frozenset[str]], free: frozenset[str]) -> int:
        if not rest:
            return 0
        seated = (1 + most(rest[1:], free - {p}) for p in free if people[p] & rest[0])
        return max([most(rest[1:], free), *seated])

    assert len(placed) == most(asked, frozenset(people))


def test_people_in_overlapping_groups_do_not_block_each_other() -> None:
    """Ann could take either seat and bob only the first: both are seated, whoever comes first."""
    seats = [Seat(0, frozenset({"eng"})), Seat(1, frozenset({"legal"}))]
    for ann, bob in (("ann", "bob"), ("zoe", "bob")):
        people = {ann: frozenset({"eng", "legal"}), bob: frozenset({"eng"})}
        assert assign(seats, people) == {0: bob, 1: ann}


def test_a_chain_of_overlaps_is_rearranged_to_the_end() -> None:
    """Each of twenty people fits two neighbouring seats; the last one moves all the others."""
    seats = [Seat(0, frozenset({f"g{i}"})) for i in range(20)]
    people = {f"p{i:02}": frozenset({f"g{i}", f"g{(i + 1) % 20}"}) for i in range(19)}
    people["zed"] = frozenset({"g0"})
    assert len(assign(seats, people)) == 20


# -- invariants -----------------------------------------------------------------------------------


@given(elections(), st.randoms(use_true_random=False))
def test_the_same_votes_give_the_same_verdict_whatever_their_order_in_the_record(
    election: tuple[Committee, dict[tuple[str, int], Vote], Situation], shuffler: object
) -> None:
    committee, votes, now = election
    cast = ballots(votes)
    first = decide(committee.steps, cast, now)
    shuffler.shuffle(cast)  # type: ignore[attr-defined]
    members = {group: list(people)[::-1] for group, people in committee.members.items()}
    again = steps_of(committee.requires, members, tier=1, excluded=committee.excluded)
    assert decide(again, cast, now) == first


def feed(
    committee: Committee,
    votes: Mapping[tuple[str, int], Vote],
    now: Situation,
    order: Sequence[tuple[str, int]],
) -> Verdict:
    """Cast one vote after the other; a vote for a later step is refused and tried again later."""
    taken: dict[tuple[str, int], Vote] = {}
    waiting = list(order)
    verdict = decide(committee.steps, [], now)
    while waiting and verdict.outcome is None:
        place = next((place for place in waiting if place[1] <= verdict.step), None)
        if place is None:
            break
        waiting.remove(place)
        taken[place] = votes[place]
        verdict = decide(committee.steps, ballots(taken), now)
    return verdict


@given(elections(before_deadlines), st.data())
def test_pass_or_stop_and_the_stops_word_do_not_depend_on_the_order_of_votes(
    election: tuple[Committee, dict[tuple[str, int], Vote], Situation], data: st.DataObject
) -> None:
    committee, votes, now = election
    places = sorted(votes)
    one = feed(committee, votes, now, data.draw(st.permutations(places), label="one order"))
    other = feed(committee, votes, now, data.draw(st.permutations(places), label="another"))
    at_once = decide(committee.steps, ballots(votes), now)

    def kind(verdict: Verdict) -> Outcome | str | None:
        return "pass" if verdict.outcome in PASSES else verdict.outcome

    assert kind(one) == kind(other) == kind(at_once)
    if now.wait_for_all:
        assert one.outcome == other.outcome == at_once.outcome


def test_go_against_conditional_go_depends_on_the_order_unless_everybody_is_waited_for() -> None:
    committee = Committee((Requirement(group="eng", need=1),), {"eng": frozenset({"ann", "bob"})})
    votes = {("ann", 1): Vote.go, ("bob", 1): Vote.conditional_go}
    orders = [sorted(votes), sorted(votes, reverse=True)]
    assert [feed(committee, votes, CALM, order).outcome for order in orders] == [
        Outcome.go,
        Outcome.conditional_go,
    ]
    everybody = Situation(wait_for_all=True)
    assert {feed(committee, votes, everybody, order).outcome for order in orders} == {
        Outcome.conditional_go
    }


@given(elections())
def test_nobody_fills_two_seats_of_a_step_and_no_seat_is_filled_without_a_yes(
    election: tuple[Committee, dict[tuple[str, int], Vote], Situation],
) -> None:
    committee, votes, now = election
    verdict = decide(committee.steps, ballots(votes), now)
    for step in committee.numbers():
        seated = [
            person
            for tally in verdict.tallies
            if committee.requires[tally.requirement].step == step
            for person in tally.filled_by
        ]
        assert len(set(seated)) == len(seated)
        assert all(votes[person, step] in YES for person in seated)
    for tally in verdict.tallies:
        assert tally.have == len(tally.filled_by) <= committee.requires[tally.requirement].need
    asked = {tally.requirement for tally in verdict.tallies}
    assert len(asked) == len(verdict.tallies), "a requirement is counted once"


@given(elections())
def test_never_a_pass_with_an_unmet_must_or_an_open_condition_or_without_a_yes(
    election: tuple[Committee, dict[tuple[str, int], Vote], Situation],
) -> None:
    committee, votes, now = election
    if decide(committee.steps, ballots(votes), now).outcome in PASSES:
        assert not now.unmet_musts
        assert not now.open_conditions
        assert any(vote in YES for vote in votes.values())


@given(committees(), situations)
def test_silence_and_abstention_never_yield_a_pass(committee: Committee, now: Situation) -> None:
    abstained = dict.fromkeys(committee.places(), Vote.abstain)
    assert decide(committee.steps, [], now).outcome not in PASSES
    assert decide(committee.steps, ballots(abstained), now).outcome not in PASSES


@given(elections(), votes_cast, st.integers(1, 3))
def test_those_who_may_not_vote_change_nothing(
    election: tuple[Committee, dict[tuple[str, int], Vote], Situation], vote: Vote, step: int
) -> None:
    """Excluded people and strangers, in whatever step they claim to vote."""
    committee, votes, now = election
    cast = ballots(votes)
    intruders = [Ballot(person, vote, step) for person in (*committee.excluded, "stranger")]
    verdict = decide(committee.steps, cast, now)
    assert decide(committee.steps, [*intruders, *cast, *intruders], now) == verdict
    assert not committee.excluded & set(verdict.pending)


@given(elections(), st.sampled_from([Vote.go, Vote.conditional_go]))
def test_one_more_yes_never_turns_a_pass_into_anything_else(
    election: tuple[Committee, dict[tuple[str, int], Vote], Situation], vote: Vote
) -> None:
    committee, votes, now = election
    if decide(committee.steps, ballots(votes), now).outcome in PASSES:
        for place in committee.places():
            if place not in votes:
                more = ballots({**votes, place: vote})
                assert decide(committee.steps, more, now).outcome in PASSES


@given(elections())
def test_every_verdict_says_why_and_waits_only_for_people_who_have_not_voted(
    election: tuple[Committee, dict[tuple[str, int], Vote], Situation],
) -> None:
    committee, votes, now = election
    verdict = decide(committee.steps, ballots(votes), now)
    assert verdict.why
    assert list(verdict.pending) == sorted(verdict.pending)
    assert not {(person, verdict.step) for person in verdict.pending} & set(votes)
    assert verdict.outcome is None or not verdict.escalate
    assert not (verdict.ready and verdict.cannot_pass)
    undecided_at_the_end = now.resolve_passed and verdict.outcome is None
    assert verdict.escalate is undecided_at_the_end


# -- rule by rule ---------------------------------------------------------------------------------


def judge(
    requires: Sequence[Requirement],
    members: Mapping[str, str],
    said: Mapping[str, str],
    now: Situation = CALM,
    excluded: Sequence[str] = (),
) -> Verdict:
    """`members` and `said` in one line: {"eng": "ann bob"}, {"ann": "go", "bob@2": "hold"}."""
    steps = steps_of(
        requires,
        {group: people.split() for group, people in members.items()},
        tier=1,
        excluded=excluded,
    )
    cast = []
    for who, vote in said.items():
        person, _, step = who.partition("@")
        cast.append(Ballot(person, Vote(vote), int(step or 1)))
    return decide(steps, cast, now)


ENG = [Requirement(group="eng", need=2)]


def test_rule_1_only_the_latest_vote_counts_and_owners_are_in_neither_set() -> None:
    steps = steps_of(ENG, {"eng": ["ann", "bob", "owner"]}, tier=1, excluded=["owner"])
    cast = [Ballot("ann", Vote.kill), Ballot("owner", Vote.go), Ballot("ann", Vote.go)]
    verdict = decide(steps, cast, CALM)
    assert verdict.pending == ("bob",)
    assert verdict.tallies[0].filled_by == ("ann",)


@pytest.mark.parametrize(
    ("vote", "yes", "no"),
    [
        ("go", True, False),
        ("conditional-go", True, False),
        ("recycle", False, True),
        ("hold", False, True),
        ("kill", False, True),
        ("abstain", False, False),
    ],
)
def test_rule_2_which_votes_are_yes_and_which_no(vote: str, yes: bool, no: bool) -> None:
    assert (Vote(vote).is_yes, Vote(vote).is_no) == (yes, no)
    assert len(Vote) == 6


def test_rule_2_an_abstention_leaves_the_pending_fills_no_seat_and_lowers_no_need() -> None:
    verdict = judge(ENG, {"eng": "ann bob cyd"}, {"ann": "abstain", "bob": "go"})
    assert verdict.pending == ("cyd",)
    assert (verdict.tallies[0].have, verdict.outcome) == (1, None)
    verdict = judge(ENG, {"eng": "ann bob"}, {"ann": "abstain", "bob": "go"})
    assert verdict.outcome is Outcome.hold


def test_rule_3_a_later_step_opens_when_the_one_before_has_passed() -> None:
    requires = [Requirement(group="eng"), Requirement(group="legal", step=2)]
    members = {"eng": "ann", "legal": "lea"}
    assert judge(requires, members, {}).step == 1
    assert judge(requires, members, {"lea@2": "go"}).pending == ("ann",)
    assert judge(requires, members, {"ann": "go"}).step == 2
    assert judge(requires, members, {"ann": "go"}).pending == ("lea",)
    assert judge(requires, members, {"ann": "go", "lea@2": "go"}).outcome is Outcome.go


def test_rule_3_a_veto_in_a_later_step_does_not_reach_back() -> None:
    requires = [Requirement(group="eng"), Requirement(group="legal", step=2, veto=True)]
    verdict = judge(requires, {"eng": "ann", "legal": "lea"}, {"lea@2": "kill"})
    assert (verdict.outcome, verdict.cannot_pass, verdict.step) == (None, False, 1)


def test_rule_3_a_vote_counts_in_the_step_it_was_cast_for_only() -> None:
    requires = [Requirement(group="eng"), Requirement(group="eng", step=2)]
    verdict = judge(requires, {"eng": "ann"}, {"ann": "go"})
    assert (verdict.step, verdict.pending, verdict.outcome) == (2, ("ann",), None)


def test_rule_4_three_of_five_legal_among_them() -> None:
    groups = ("legal", "eng", "fin", "sales", "ops")
    requires = [Requirement(any_of=groups, include=("legal",), need=3)]
    members = {"legal": "lea", "eng": "ann", "fin": "fay", "sales": "sam", "ops": "oli"}
    four = {"ann": "go", "fay": "go", "sam": "go", "oli": "go"}
    assert judge(requires, members, four).outcome is None
    assert judge(requires, members, {"lea": "go", "ann": "go"}).outcome is None
    three = {"lea": "go", "ann": "go", "oli": "go"}
    assert judge(requires, members, three).outcome is Outcome.go
    assert judge(requires, members, {**four, "lea": "hold"}).outcome is Outcome.hold


def test_rule_4_a_requirement_of_another_tier_asks_nobody() -> None:
    requires = [Requirement(group="eng"), Requirement(group="legal", tiers=(2, 3))]
    verdict = judge(requires, {"eng": "ann", "legal": "lea"}, {"ann": "go"})
    assert verdict.outcome is Outcome.go
    assert [tally.requirement for tally in verdict.tallies] == [0]


def test_rule_5_one_person_cannot_fill_the_seats_of_two_requirements() -> None:
    requires = [Requirement(group="eng"), Requirement(group="legal")]
    verdict = judge(requires, {"eng": "ann", "legal": "ann"}, {"ann": "go"})
    assert verdict.cannot_pass
    assert verdict.outcome is Outcome.hold


def test_rule_5_doomed_as_soon_as_too_few_are_left() -> None:
    verdict = judge(ENG, {"eng": "ann bob cyd"}, {"ann": "recycle", "bob": "abstain"})
    assert (verdict.cannot_pass, verdict.outcome, verdict.pending) == (True, None, ("cyd",))
    assert not judge(ENG, {"eng": "ann bob cyd"}, {"ann": "recycle"}).cannot_pass


def test_rule_6_a_kill_veto_decides_at_once_and_a_kill_without_veto_does_not() -> None:
    members = {"eng": "ann bob cyd"}
    veto = [Requirement(group="eng", need=1, veto=True)]
    verdict = judge(veto, members, {"ann": "kill", "bob": "go"})
    assert (verdict.outcome, verdict.pending) == (Outcome.kill, ("cyd",))
    plain = judge([Requirement(group="eng")], members, {"ann": "kill", "bob": "go"})
    assert plain.outcome is Outcome.go


def test_rule_7_another_veto_cannot_pass_and_is_decided_when_all_have_voted_or_time_is_up() -> None:
    veto = [Requirement(group="eng", need=1, veto=True)]
    members = {"eng": "ann bob"}
    verdict = judge(veto, members, {"ann": "recycle"})
    assert (verdict.outcome, verdict.cannot_pass) == (None, True)
    assert judge(veto, members, {"ann": "recycle", "bob": "go"}).outcome is Outcome.recycle
    late = Situation(late=(1, 2, 3))
    assert judge(veto, members, {"ann": "recycle"}, late).outcome is Outcome.recycle
    assert judge(veto, members, {}, late).outcome is None


def test_rule_7_says_what_people_said_before_who_is_missing() -> None:
    vetoes = [Requirement(group="eng", veto=True), Requirement(group="legal", need=0, veto=True)]
    assert [judge(vetoes, {"eng": "ann bob"}, {"ann": word}).why for word in ("recycle", "go")] == [
        "a veto says recycle",
        "nobody is left who could give the veto of legal",
    ]
    few = judge(vetoes, {"eng": "ann"}, {"ann": "abstain"})
    assert few.why == "too few people are left who could say yes"


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("recycle recycle hold", "recycle"),
        ("hold hold recycle", "hold"),
        ("kill kill hold", "kill"),
        ("kill hold", "hold"),
        ("kill recycle", "recycle"),
        ("hold recycle", "recycle"),
        ("abstain abstain", "hold"),
        ("abstain kill", "kill"),
    ],
)
def test_rule_8_the_most_frequent_no_a_tie_going_to_the_milder(said: str, word: str) -> None:
    votes = dict(zip(PEOPLE, said.split(), strict=False))
    verdict = judge([Requirement(group="eng", need=4)], {"eng": " ".join(votes)}, votes)
    assert verdict.outcome == word


def test_rule_7_only_the_open_steps_own_deadline_counts() -> None:
    requires = [Requirement(group="eng"), Requirement(group="legal", step=2, need=2)]
    members = {"eng": "ann", "legal": "lea max zoe"}
    said = {"ann": "go", "lea@2": "recycle", "max@2": "recycle"}
    for late, outcome in ((1,), None), ((2,), Outcome.recycle):
        assert judge(requires, members, said, Situation(late=late)).outcome is outcome


def test_rule_8_the_strongest_veto_goes_before_the_most_frequent_no() -> None:
    requires = [Requirement(group="eng", need=3), Requirement(group="legal", need=0, veto=True)]
    members = {"eng": "ann bob cyd", "legal": "lea max"}
    noes = {"ann": "recycle", "bob": "recycle", "cyd": "kill"}
    verdict = judge(requires, members, {**noes, "lea": "hold", "max": "recycle"})
    assert verdict.outcome is Outcome.hold
    assert "veto" in verdict.why


def test_rule_9_waits_for_those_with_a_veto_and_not_for_others() -> None:
    requires = [Requirement(group="eng"), Requirement(group="legal", need=0, veto=True)]
    members = {"eng": "ann bob", "legal": "lea max"}
    verdict = judge(requires, members, {"ann": "go", "lea": "go"})
    assert (verdict.outcome, verdict.why) == (None, "waits for those with a veto")
    said = {"ann": "go", "lea": "go", "max": "abstain"}
    assert judge(requires, members, said).outcome is Outcome.go


def test_rule_10_a_must_or_an_open_condition_holds_a_pass_back_and_no_stop() -> None:
    members = {"eng": "ann bob"}
    for now in (Situation(unmet_musts=("beta",)), Situation(open_conditions=("g3-1-1",))):
        verdict = judge(ENG, members, {"ann": "go", "bob": "go"}, now)
        assert (verdict.ready, verdict.outcome) == (True, None)
        assert any(name in verdict.why for name in ("beta", "g3-1-1"))
        assert judge(ENG, members, {"ann": "go", "bob": "hold"}, now).outcome is Outcome.hold


def test_rule_10_veto_holders_who_all_abstain_do_not_add_up_to_a_go() -> None:
    veto_only = [Requirement(group="legal", need=0, veto=True)]
    verdict = judge(veto_only, {"legal": "lea"}, {"lea": "abstain"})
    assert (verdict.outcome, verdict.why) == (None, "nobody has said yes")
    assert judge(veto_only, {"legal": "lea"}, {"lea": "go"}).outcome is Outcome.go


def test_rule_11_one_conditional_vote_or_a_weak_should_makes_it_a_conditional_go() -> None:
    members = {"eng": "ann bob cyd"}
    yes = {"ann": "go", "bob": "conditional-go"}
    verdict = judge(ENG, members, yes)
    assert (verdict.outcome, verdict.ready, verdict.why) == (
        Outcome.conditional_go,
        True,
        "every requirement is met, with conditions",
    )
    weak = Situation(weak_shoulds=("nps", "cost"))
    verdict = judge(ENG, members, {"ann": "go", "bob": "go"}, weak)
    assert verdict.outcome is Outcome.conditional_go
    assert verdict.why == "every requirement is met, but nps, cost fell short"


def test_rule_11_a_condition_of_an_earlier_step_counts_too() -> None:
    requires = [Requirement(group="eng"), Requirement(group="legal", step=2)]
    said = {"ann": "conditional-go", "lea@2": "go"}
    verdict = judge(requires, {"eng": "ann", "legal": "lea"}, said)
    assert verdict.outcome is Outcome.conditional_go


@pytest.mark.parametrize("said", [{}, {"ann": "go"}, {"ann": "recycle"}, {"ann": "abstain"}])
@pytest.mark.parametrize("action", TimeoutAction)
def test_rule_12_the_timeout_action_at_the_resolve_deadline(
    action: TimeoutAction, said: dict[str, str]
) -> None:
    now = Situation(resolve_passed=True, on_timeout=action)
    verdict = judge([Requirement(group="eng", need=3)], {"eng": "ann bob cyd dan"}, said, now)
    if action is TimeoutAction.escalate:
        assert (verdict.outcome, verdict.escalate) == (None, True)
    else:
        assert (verdict.outcome, verdict.escalate) == (Outcome(action.value), False)
        assert verdict.why.endswith("the resolve deadline passed")


def test_rule_12_nothing_escalates_before_the_resolve_deadline() -> None:
    assert not judge(ENG, {"eng": "ann bob"}, {"ann": "go"}).escalate
    assert not judge(ENG, {"eng": "ann bob"}, {}, Situation(late=(1, 2, 3))).escalate


@pytest.mark.parametrize("action", TimeoutAction)
def test_rule_12_a_gate_held_up_by_a_must_times_out_as_well(action: TimeoutAction) -> None:
    now = Situation(unmet_musts=("beta",), resolve_passed=True, on_timeout=action)
    verdict = judge(ENG, {"eng": "ann bob"}, {"ann": "go", "bob": "go"}, now)
    stop = None if action is TimeoutAction.escalate else Outcome(action.value)
    assert (verdict.outcome, verdict.escalate) == (stop, stop is None)


def test_rule_12_votes_that_decide_go_before_the_timeout_action() -> None:
    now = Situation(late=(1, 2, 3), resolve_passed=True, on_timeout=TimeoutAction.kill)
    members = {"eng": "ann bob cyd"}
    assert judge(ENG, members, {"ann": "go", "bob": "go"}, now).outcome is Outcome.go
    doomed = {"ann": "recycle", "bob": "abstain"}
    assert judge(ENG, members, doomed, now).outcome is Outcome.recycle


def test_rule_13_need_decides_early_and_all_waits_for_everybody() -> None:
    members = {"eng": "ann bob cyd"}
    yes = {"ann": "go", "bob": "go"}
    assert judge(ENG, members, yes).outcome is Outcome.go
    everybody = Situation(wait_for_all=True)
    verdict = judge(ENG, members, yes, everybody)
    assert (verdict.outcome, verdict.why) == (None, "waits for everybody")
    assert judge(ENG, members, {**yes, "cyd": "hold"}, everybody).outcome is Outcome.go


def test_a_group_without_people_stops_the_gate_and_never_passes_it() -> None:
    verdict = judge(ENG, {}, {})
    assert (verdict.outcome, verdict.cannot_pass) == (Outcome.hold, True)


def test_a_gate_that_asks_nobody_stops_and_never_passes() -> None:
    """Every requirement is for other tiers: not an error in the middle of a lifecycle, a Hold."""
    steps = steps_of([Requirement(group="eng", tiers=(2,))], {"eng": ["ann"]}, tier=1)
    verdict = decide(steps, [Ballot("ann", Vote.go)], CALM)
    assert (steps, can_pass(steps)) == ((), False)
    assert (verdict.outcome, verdict.cannot_pass) == (Outcome.hold, True)


def test_whoever_found_out_what_applies_is_believed() -> None:
    requires = [Requirement(group="eng", tiers=(2,)), Requirement(group="legal")]
    members = {"eng": ["ann"], "legal": ["lea"]}
    assert in_force(requires, 1) == (1,)
    assert [set(s.people) for s in steps_of(requires, members, tier=1, applying=(0,))] == [{"ann"}]


def test_the_owner_narrows_a_group_and_never_widens_it_and_tiers_bound_its_authority() -> None:
    directory = Directory.model_validate(
        {
            "people": {"ann": {}, "bob": {}, "cyd": {}},
            "groups": {
                "eng": {"members": ["bob", "ann"]},
                "fin": {"members": ["cyd"], "approve": [2, 3]},
            },
        }
    )
    narrowed = {"eng": ("bob", "cyd")}
    assert seated(["fin", "eng", "eng"], directory, narrowed, tier=1) == {
        "eng": ("bob",),
        "fin": (),
    }
    assert seated(["fin"], directory, {}, tier=2) == {"fin": ("cyd",)}


@given(committees(), st.integers(1, 3))
@example(Committee((Requirement(group="eng", tiers=(1,)),), {"eng": frozenset({"ann"})}), 2)
def test_steps_ask_in_order_and_know_everybody_who_may_vote(
    committee: Committee, tier: int
) -> None:
    steps = steps_of(committee.requires, committee.members, tier=tier, excluded=committee.excluded)
    numbers = [step.number for step in steps]
    assert numbers == sorted(set(numbers))
    for step in steps:
        asked = [r for r in committee.requires if r.step == step.number]
        asked = [r for r in asked if not r.tiers or tier in r.tiers]
        assert len(step.seats) == sum(requirement.need for requirement in asked)
        assert step.veto_groups == {g for r in asked if r.veto for g in r.groups}
        members = {p for r in asked for g in r.groups for p in committee.members[g]}
        assert set(step.people) == members - committee.excluded
