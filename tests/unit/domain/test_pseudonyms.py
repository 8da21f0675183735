"""Names in the open: as they are without a key, and keyed pseudonyms with one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from phasegate.delivery import mail_courier_id
from phasegate.pseudonyms import MARK, PLAIN, Names, in_use, use
from phasegate.search import (
    EVENTS,
    EVERYBODY,
    WAITING_ON_BYTES,
    event_key,
    event_keys,
    inbox_keys,
    owed_by,
    waiting_on,
)

HIDDEN, OTHER = Names(b"1" * 32), Names(b"2" * 32)
names = st.text("abcdefghijklmnop.", min_size=3, max_size=20)


@given(names, names)
def test_a_pseudonym_is_one_persons_and_tells_nothing_of_them(one: str, two: str) -> None:
    assert HIDDEN.person(one) == HIDDEN.person(one)
    assert (HIDDEN.person(one) == HIDDEN.person(two)) is (one == two)
    assert HIDDEN.person(one) not in (OTHER.person(one), HIDDEN.group(one))
    assert HIDDEN.person(one).startswith(MARK)
    assert len(HIDDEN.person(one)) == 21
    assert PLAIN.person(one) == PLAIN.group(one) == one


@given(
    pending=st.dictionaries(names, st.lists(names, max_size=3), max_size=90),
    acting=st.sets(names, max_size=40),
    attesters=st.sets(names, max_size=40),
    owner=names,
)
def test_everybody_who_is_waited_for_finds_it_and_nobody_is_named(
    pending: dict[str, list[str]], acting: set[str], attesters: set[str], owner: str
) -> None:
    keys = waiting_on(pending, acting, attesters=attesters, names=HIDDEN)
    for person, groups in pending.items():
        assert set(keys) & set(inbox_keys(person, groups=groups, names=HIDDEN))
    for person in acting | attesters:
        assert set(keys) & set(inbox_keys(person, names=HIDDEN))
    owed = owed_by(owner, acting, HIDDEN)
    assert set(owed) & set(inbox_keys(owner, names=HIDDEN))
    for found in (keys, owed):
        assert sum(len(key) + 3 for key in found) <= WAITING_ON_BYTES
        assert all(key == EVERYBODY or key.partition(":")[2][0] == MARK for key in found)


def test_an_event_is_found_by_its_subject_and_by_its_type_alone() -> None:
    exact, any_subject = (
        event_key("ci", "passed", "heron", HIDDEN),
        event_key("ci", "passed", None, HIDDEN),
    )
    assert event_keys("ci", "passed", "heron", HIDDEN) == [exact, any_subject, EVENTS]
    assert exact != any_subject
    assert not [word for word in ("ci", "passed", "heron") if word in exact + any_subject]


def test_what_names_nobody_says_so_where_names_are_hidden() -> None:
    assert HIDDEN.said("mail to olga", "mail") == "mail"
    assert PLAIN.said("mail to olga", "mail") == "mail to olga"
    assert mail_courier_id("olga") == "mail/olga"
    assert mail_courier_id("olga", HIDDEN) == f"mail/{HIDDEN.person('olga')}"


def test_a_process_writes_names_in_one_way() -> None:
    assert in_use() is PLAIN
    use(HIDDEN)
    try:
        assert in_use() is HIDDEN
    finally:
        use(PLAIN)
    assert "1" not in repr(HIDDEN)
