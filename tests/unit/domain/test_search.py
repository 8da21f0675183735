"""What lifecycles are found by: never a list so long that it ends the workflow."""

from __future__ import annotations

from collections import Counter

from committee import facts
from hypothesis import given
from hypothesis import strategies as st

from phasegate.search import (
    ATTRIBUTES,
    WAITING_ON_BYTES,
    acting_key,
    collapses,
    group_key,
    person_key,
    review_attributes,
    waiting_on,
    with_attesters,
)

names = st.text(min_size=1, max_size=64) | st.from_regex(r"[a-z]{1,64}", fullmatch=True)


@given(st.dictionaries(names, st.sets(names, max_size=4), max_size=60), st.sets(names, max_size=60))
def test_the_list_stays_below_the_limit_and_names_people_or_their_groups(
    pending: dict[str, set[str]], acting: set[str]
) -> None:
    found = waiting_on(pending, acting)
    assert sum(len(entry.encode()) for entry in found) <= WAITING_ON_BYTES
    assert len(found) == len(set(found))
    people, stand_ins = set(map(person_key, pending)), set(map(acting_key, acting))
    groups = {group_key(group) for of in pending.values() for group in of}
    if collapses(pending, acting):
        assert set(found) <= groups | stand_ins
    else:
        assert set(found) == people | stand_ins


def test_stand_ins_are_told_from_those_who_are_waited_for() -> None:
    found = waiting_on({"ann": ["eng"]}, ["max", "dan", "max"])
    assert found == ["person:ann", "acting:dan", "acting:max"]


def test_of_a_crowd_the_groups_are_named_first_and_then_what_fits_of_the_stand_ins() -> None:
    crowd = {f"person-{i:03}@example.org": ["eng"] for i in range(200)}
    found = waiting_on(crowd, [f"deputy-{i:03}@example.org" for i in range(200)])
    assert found[:2] == ["group:eng", "acting:deputy-000@example.org"]
    assert 1400 < sum(len(entry) + 3 for entry in found) <= WAITING_ON_BYTES


def test_those_who_attest_come_last_and_as_far_as_they_fit() -> None:
    assert with_attesters(["person:ann"], ["kim", "kim"]) == ["person:ann", "attests:kim"]
    crowd = [f"person-{i:03}@example.org" for i in range(200)]
    assert sum(len(entry) + 3 for entry in with_attesters([], crowd)) <= WAITING_ON_BYTES


def test_people_are_named_while_they_fit() -> None:
    assert waiting_on({"bob": ["eng"], "ann": ["eng", "legal"]}) == ["person:ann", "person:bob"]
    assert waiting_on({}) == []


def test_two_hundred_people_collapse_to_their_groups() -> None:
    crowd = {f"person-{i:03}@example.org": ["eng", f"team-{i % 3}"] for i in range(200)}
    assert waiting_on(crowd) == ["group:eng", "group:team-0", "group:team-1", "group:team-2"]


def test_people_are_counted_in_bytes_and_not_in_characters() -> None:
    """Sixty names of twelve letters fit; of twelve three-byte letters they do not."""
    assert waiting_on({f"{i:012}": ["g"] for i in range(60)})[0].startswith("person:")
    assert waiting_on({f"{i:02}" + "日" * 10: ["g"] for i in range(60)}) == ["group:g"]


def test_the_limit_is_reached_and_not_passed() -> None:
    """Entries of ten bytes and three of overhead: 115 people fit, 116 do not."""
    fits = WAITING_ON_BYTES // (len("person:000") + 3)
    assert len(waiting_on({f"{i:03}": ["g"] for i in range(fits)})) == fits
    assert waiting_on({f"{i:03}": ["g"] for i in range(fits + 1)}) == ["group:g"]


def test_more_groups_than_fit_are_cut_and_not_sent() -> None:
    pending = {f"p{i:03}": [f"group-{i:03}-{'x' * 50}"] for i in range(200)}
    found = waiting_on(pending)
    assert found[0].startswith("group:group-000")
    assert len(found) == WAITING_ON_BYTES // (len(found[0]) + 3)


def test_no_more_attributes_than_a_sql_store_allows() -> None:
    kinds = Counter(ATTRIBUTES.values())
    assert kinds["Keyword"] <= 7
    assert kinds["KeywordList"] <= 1
    assert kinds["Datetime"] <= 1
    assert sum(kinds.values()) == len(ATTRIBUTES) <= 9


def test_stand_ins_are_told_from_those_whose_vote_is_missing() -> None:
    found = waiting_on({"bob": ["eng"], "ann": ["eng"]}, ["zoe", "ann"])
    assert found == ["person:ann", "person:bob", "acting:ann", "acting:zoe"]
    crowd = {f"person-{i:03}@example.org": ["eng"] for i in range(200)}
    assert waiting_on(crowd, ["zoe"]) == ["group:eng", "acting:zoe"]
    assert collapses(crowd, ["zoe"])
    assert not collapses(["ann"], ["zoe"])


def test_the_attributes_a_round_starts_with() -> None:
    assert review_attributes(facts(), "g1") == {
        "PhasegateStatus": "open",
        "PhasegateProduct": "kettle",
        "PhasegateOwner": "owner",
        "PhasegatePolicy": "standard",
        "PhasegateGate": "g1",
    }
