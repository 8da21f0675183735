"""Who acts for whom, however long the chain, and at which instants that changes."""

from __future__ import annotations

from committee import DAY, HOUR, START, away
from hypothesis import given
from hypothesis import strategies as st

from phasegate.standing_in import Delegation, Mandates, without

PEOPLE = ("ann", "bob", "cyd", "dan")


def gives(approver: str, to: str, start: float = 0, end: float | None = None) -> Delegation:
    """A delegation, its days counted from the start."""
    return Delegation(
        approver=approver,
        to=to,
        start=START + start * DAY,
        end=START + end * DAY if end is not None else None,
    )


def test_a_delegation_begins_at_its_start_and_its_end_is_not_part_of_it() -> None:
    found = Mandates(given=[gives("ann", "bob", 1, 3)])
    days = [found.delegate_of("ann", START + day * DAY) for day in (0.9, 1, 2.9, 3)]
    assert days == [None, "bob", "bob", None]
    assert found.delegate_of("bob", START + DAY) is None


def test_the_newest_delegation_of_a_person_replaces_the_earlier_ones() -> None:
    found = Mandates()
    for to in ("bob", "cyd"):
        found.give(gives("ann", to))
    found.give(gives("dan", "bob"))
    assert [(d.approver, d.to) for d in found.given] == [("ann", "cyd"), ("dan", "bob")]


def test_an_absence_names_a_delegate_for_its_days_and_a_command_goes_before_it() -> None:
    found = Mandates(absences={"ann": (away(START, START + 2 * DAY, "bob"),)})
    days = [found.delegate_of("ann", START + day * DAY) for day in (-0.1, 0, 1.9, 2)]
    assert days == [None, "bob", "bob", None]
    found.give(gives("ann", "cyd"))
    assert found.delegate_of("ann", START) == "cyd"


def test_a_delegate_who_is_away_hands_on_and_one_who_named_nobody_keeps_it() -> None:
    found = Mandates(
        given=[gives("ann", "bob")],
        absences={
            "bob": (away(START, START + DAY, "cyd"),),
            "cyd": (away(START, START + DAY),),
        },
    )
    assert found.delegate_of("ann", START) == "cyd"
    assert found.delegate_of("ann", START + DAY) == "bob"


def test_where_a_chain_leads_back_nobody_acts() -> None:
    found = Mandates(
        given=[gives("ann", "bob"), gives("bob", "cyd")],
        absences={"cyd": (away(START, START + DAY, "bob"),)},
    )
    assert [found.delegate_of(person, START) for person in ("ann", "bob", "cyd")] == [None] * 3
    assert found.delegate_of("ann", START + DAY) == "cyd"


def test_a_circle_is_seen_however_long_and_whenever_it_closes() -> None:
    found = Mandates(given=[gives("bob", "cyd"), gives("cyd", "dan", 3, 5)])
    assert not found.circles(gives("dan", "ann"), START)
    assert found.circles(gives("dan", "bob"), START), "once cyd's begins"
    assert not found.circles(gives("dan", "bob", 0, 3), START), "it ends before"
    assert not found.circles(gives("dan", "bob", 5), START), "it begins after"
    assert found.circles(gives("dan", "bob", -9), START + 4 * DAY)
    assert not found.circles(gives("dan", "bob", -9), START + 5 * DAY)
    assert not found.circles(gives("ann", "bob"), START), "ann is in none of it"


def test_a_circle_of_others_that_does_not_touch_one_is_not_ones_own() -> None:
    gone = {"bob": (away(START, START + DAY, "cyd"),), "cyd": (away(START, START + DAY, "bob"),)}
    assert not Mandates(absences=gone).circles(gives("ann", "bob"), START)


def test_the_keys_that_a_mandate_rests_on_are_those_on_its_way() -> None:
    def signed(approver: str, to: str) -> Delegation:
        return gives(approver, to).model_copy(update={"key": f"key of {approver}"})

    found = Mandates(given=[signed("ann", "bob"), gives("bob", "cyd"), signed("dan", "ann")])
    assert found.signed_way("dan", "cyd", START) == {"dan": "key of dan", "ann": "key of ann"}
    assert found.signed_way("ann", "ann", START) == {}
    assert found.signed_way("ann", "dan", START) is None
    gone = {"cyd": (away(START, START + DAY, "bob"),)}
    assert found.knowing(gone).signed_way("ann", "dan", START) is None, "it leads round and round"


def test_what_is_known_of_one_more_person_changes_nothing_of_before() -> None:
    before = Mandates(given=[gives("bob", "cyd")])
    after = before.knowing({"ann": (away(START, START + DAY, "bob"),)})
    after.give(gives("cyd", "dan"))
    assert after.delegate_of("ann", START) == "dan"
    assert (before.absences, len(before.given)) == ({}, 1)


def test_the_instants_ahead_at_which_somebody_begins_or_ceases_to_act() -> None:
    found = Mandates(given=[gives("ann", "bob", 1, 3), gives("bob", "cyd", 2)])
    assert found.turns(START) == [START + 1 * DAY, START + 2 * DAY, START + 3 * DAY]
    assert found.turns(START + 2 * DAY) == [START + 3 * DAY]
    assert found.turns(START + 3 * DAY) == []


def test_nobody_twice_and_nobody_barred() -> None:
    assert without(["bob", "ann", "bob", "cyd"], {"ann": "owns it"}) == ("bob", "cyd")


links = st.tuples(
    st.sampled_from(PEOPLE),
    st.sampled_from(PEOPLE),
    st.integers(0, 5),
    st.none() | st.integers(1, 5),
).filter(lambda link: link[0] != link[1])


@given(st.lists(links, max_size=8))
def test_delegations_that_were_let_in_never_lead_back_at_any_hour(
    wanted: list[tuple[str, str, int, int | None]],
) -> None:
    found = Mandates()
    for approver, to, start, length in wanted:
        wish = gives(approver, to, start, start + length if length else None)
        if not found.circles(wish, START):
            found.give(wish)
    for hour in range(0, 24 * 12, 6):
        now = START + hour * HOUR
        for d in found.given:
            acting = found.delegate_of(d.approver, now)
            assert (acting is not None) is d.holds(now)
            assert acting != d.approver
