"""What lifecycles are found by: never a list so long that it ends the workflow."""

from __future__ import annotations

from collections import Counter

from committee import facts
from hypothesis import given
from hypothesis import strategies as st

from phasegate.search import (
    ATTRIBUTES,
    EVERYBODY,
    WAITING_ON_BYTES,
    acting_key,
    attester_key,
    collapses,
    group_key,
    inbox_keys,
    owed_by,
    person_key,
    review_attributes,
    waiting_on,
)

names = st.text(min_size=1, max_size=64) | st.from_regex(r"[a-z]{1,64}", fullmatch=True)
people = st.sets(names, max_size=60)
committees = st.dictionaries(names, st.sets(names, max_size=4), max_size=60)


def size(keys: list[str]) -> int:
    """As the server counts them: with quotes and a comma."""
    return sum(len(key.encode()) + 3 for key in keys)


def mail(name: str, count: int) -> list[str]:
    return [f"{name}-{number:03}@example.org" for number in range(count)]


def crowd(count: int = 200) -> dict[str, list[str]]:
    return {person: ["eng"] for person in mail("person", count)}


@given(committees, people, people, people)
def test_everybody_the_gate_waits_on_is_found_by_a_key_of_their_inbox(
    pending: dict[str, set[str]], acting: set[str], attesters: set[str], given_to: set[str]
) -> None:
    """Whatever the size: by name, by group, or by the key that everybody asks for. Who was given a
    seat is in none of the groups that it sits in."""
    given_to |= set(list(pending)[::7])
    keys = waiting_on(pending, acting, given=given_to, attesters=attesters)
    assert size(keys) <= WAITING_ON_BYTES
    assert len(keys) == len(set(keys))
    for person in pending.keys() | acting | attesters:
        groups = pending.get(person, ()) if person not in given_to else ()
        assert set(keys) & set(inbox_keys(person, groups=groups)), person


@given(committees, people, people)
def test_who_covers_somebody_finds_what_waits_for_them(
    pending: dict[str, set[str]], acting: set[str], given_to: set[str]
) -> None:
    keys = waiting_on(pending, acting, given=given_to)
    for person, groups in pending.items():
        known = groups if person not in given_to else ()
        assert set(keys) & set(inbox_keys("deputy", [person], known)), person


@given(names, people)
def test_the_owner_who_owes_work_and_the_team_find_it(owner: str, team: set[str]) -> None:
    keys = owed_by(owner, team)
    assert keys[0] == person_key(owner)
    assert size(keys) <= WAITING_ON_BYTES
    for person in team | {owner}:
        assert set(keys) & set(inbox_keys(person)), person


@given(committees, people)
def test_people_are_named_or_their_groups_and_strangers_are_not_asked_without_need(
    pending: dict[str, set[str]], acting: set[str]
) -> None:
    found, stand_ins = set(waiting_on(pending, acting)), set(map(acting_key, acting))
    groups = {group_key(group) for of in pending.values() for group in of}
    groups |= {person_key(person) for person, of in pending.items() if not of}
    if collapses(pending, acting):
        assert found <= groups | stand_ins | {EVERYBODY}
        assert (EVERYBODY in found) is (not groups | stand_ins <= found)
    else:
        assert found == set(map(person_key, pending)) | stand_ins


def test_of_a_team_with_long_names_the_owner_is_named_first_and_the_rest_is_not_lost() -> None:
    team = mail("developer", 50)
    found = owed_by("zoe", [*team, "zoe"])
    assert found[:2] == ["person:zoe", f"person:{team[0]}"]
    assert (found[-1], len(found)) == (EVERYBODY, 44)
    assert owed_by("zoe", ["ann", "zoe"]) == ["person:zoe", "person:ann"]


def test_who_was_given_a_seat_of_a_large_committee_is_named_before_its_groups() -> None:
    committee = {**crowd(80), "heir": ["eng"]}
    assert waiting_on(committee, given=["heir"]) == ["person:heir", "group:eng"]
    assert waiting_on(committee, given=["voted"]) == ["group:eng"]
    assert waiting_on({"heir": ["eng"]}, given=["heir"]) == ["person:heir"]


def test_more_managers_than_fit_are_told_by_the_key_of_everybody() -> None:
    managers = mail("manager", 80)
    found = waiting_on(crowd(80), managers)
    assert (found[0], found[1], found[-1]) == ("group:eng", acting_key(managers[0]), EVERYBODY)
    assert EVERYBODY in inbox_keys(managers[-1])
    assert size(found) + size([acting_key(managers[-1])]) > WAITING_ON_BYTES


def test_what_an_inbox_asks_for() -> None:
    assert inbox_keys("ann", ["bob", "ann"], ["legal", "eng"]) == [
        *("person:ann", "person:bob", "acting:ann", "acting:bob", "attests:ann"),
        *("group:eng", "group:legal", EVERYBODY),
    ]


def test_stand_ins_are_told_from_those_who_are_waited_for() -> None:
    found = waiting_on({"ann": ["eng"]}, ["max", "dan", "max"])
    assert found == ["person:ann", "acting:dan", "acting:max"]


def test_of_a_crowd_the_groups_are_named_first_and_then_what_fits_of_the_stand_ins() -> None:
    found = waiting_on(crowd(), mail("deputy", 200))
    assert found[:2] == ["group:eng", "acting:deputy-000@example.org"]
    assert 1400 < size(found) <= WAITING_ON_BYTES


def test_those_who_attest_come_last_and_as_far_as_they_fit() -> None:
    few = waiting_on({"ann": ["eng"]}, ["max"], attesters=["kim", "kim"])
    assert few == ["person:ann", "acting:max", "attests:kim"]
    many = mail("person", 200)
    found = waiting_on({"ann": ["eng"]}, attesters=many)
    assert found[:2] == ["person:ann", attester_key(many[0])]
    assert found[-1] == EVERYBODY
    assert waiting_on(crowd(), attesters=["kim"]) == ["group:eng", "attests:kim"]


def test_people_are_named_while_they_fit() -> None:
    assert waiting_on({"bob": ["eng"], "ann": ["eng", "legal"]}) == ["person:ann", "person:bob"]
    assert waiting_on({}) == []


def test_two_hundred_people_collapse_to_their_groups() -> None:
    committee = {person: ["eng", f"team-{i % 3}"] for i, person in enumerate(crowd())}
    assert waiting_on(committee) == ["group:eng", "group:team-0", "group:team-1", "group:team-2"]


def test_people_are_counted_in_bytes_and_not_in_characters() -> None:
    """Sixty names of twelve letters fit; of twelve three-byte letters they do not."""
    assert waiting_on({f"{i:012}": ["g"] for i in range(60)})[0].startswith("person:")
    assert waiting_on({f"{i:02}" + "日" * 10: ["g"] for i in range(60)}) == ["group:g"]


def test_the_limit_is_reached_and_not_passed() -> None:
    """Entries of ten bytes and three of overhead: 115 people fit, 116 do not."""
    fits = WAITING_ON_BYTES // (len("person:000") + 3)
    assert len(waiting_on({f"{i:03}": ["g"] for i in range(fits)})) == fits
    assert waiting_on({f"{i:03}": ["g"] for i in range(fits + 1)}) == ["group:g"]
    assert waiting_on({f"{i:03}": ["g"] for i in range(fits)}, attesters=["kim"])[-1] == EVERYBODY


def test_more_groups_than_fit_are_cut_and_not_sent() -> None:
    pending = {f"p{i:03}": [f"group-{i:03}-{'x' * 50}"] for i in range(200)}
    found = waiting_on(pending)
    assert found[0].startswith("group:group-000")
    assert len(found) == WAITING_ON_BYTES // (len(found[0]) + 3) + 1
    assert found[-1] == EVERYBODY


def test_no_more_attributes_than_a_sql_store_allows() -> None:
    kinds = Counter(ATTRIBUTES.values())
    assert kinds["Keyword"] <= 7
    assert kinds["KeywordList"] <= 1
    assert kinds["Datetime"] <= 1
    assert sum(kinds.values()) == len(ATTRIBUTES) <= 9


def test_stand_ins_are_told_from_those_whose_vote_is_missing() -> None:
    found = waiting_on({"bob": ["eng"], "ann": ["eng"]}, ["zoe", "ann"])
    assert found == ["person:ann", "person:bob", "acting:ann", "acting:zoe"]
    assert waiting_on(crowd(), ["zoe"]) == ["group:eng", "acting:zoe"]
    assert collapses(crowd(), ["zoe"])
    assert not collapses(["ann"], ["zoe"])


def test_the_attributes_a_round_starts_with() -> None:
    assert review_attributes(facts(), "g1") == {
        "PhasegateStatus": "open",
        "PhasegateProduct": "kettle",
        "PhasegateOwner": "owner",
        "PhasegatePolicy": "standard",
        "PhasegateGate": "g1",
    }
