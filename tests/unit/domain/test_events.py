"""The outbox: every announcement once, in order, in calls that fit."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from phasegate.events import BATCH, BATCH_BYTES, Anchor, Outbox

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
RUN = "01a208fb-e9fa-727c-9cf0-d5f701234567"


def outbox(source: str = "product/kettle") -> Outbox:
    return Outbox(source=source, product="kettle")


@given(st.lists(st.integers(1, 30) | st.just("written"), max_size=30))
def test_ids_are_unique_and_the_same_on_replay_and_nothing_is_lost(
    steps: list[int | str],
) -> None:
    """Announcements keep coming while batches are being written."""

    def play() -> tuple[list[str], list[str]]:
        box, written = outbox(), []
        announced = []
        for step in steps:
            if isinstance(step, int):
                announced += [box.add("x", f"{i}", run=RUN, at=NOW).id for i in range(step)]
            else:
                batch = box.batch()
                announced.append(
                    box.add("late", "while the batch is under way", run=RUN, at=NOW).id
                )
                written += [event.id for event in batch]
                box.written(len(batch), Anchor(seq=len(written)))
        while batch := box.batch():
            written += [event.id for event in batch]
            box.written(len(batch), Anchor(seq=len(written)))
        assert box.anchor.seq == len(written)
        return announced, written

    announced, written = play()
    assert written == announced
    assert len(set(written)) == len(written)
    assert play() == (announced, written)


def test_two_workflows_never_make_the_same_id() -> None:
    product = [outbox().add("x", "", run=RUN, at=NOW).id for _ in range(3)]
    rounds = [
        outbox(f"product/kettle/gate/g1/{number}").add("x", "", run=RUN, at=NOW).id
        for number in (1, 2)
    ]
    assert len({*product, *rounds}) == 3, "the same source counts anew only in a new outbox"


def test_ids_count_on_after_the_state_was_saved_and_read_back() -> None:
    box = outbox()
    box.add("x", "", run=RUN, at=NOW)
    box.written(1, Anchor(seq=1, hash="h"))
    again = Outbox.model_validate_json(box.model_dump_json())
    assert again.add("x", "", run=RUN, at=NOW).id.startswith("product/kettle#2.01234567.")
    assert again.anchor == Anchor(seq=1, hash="h")


def test_after_a_reset_the_counter_starts_again_and_the_ids_do_not() -> None:
    other = RUN.replace("01234567", "76543210")
    assert outbox().add("x", "", run=RUN, at=NOW).id != outbox().add("y", "", run=other, at=NOW).id


def test_a_task_done_again_in_another_order_repeats_its_ids_and_takes_no_other() -> None:
    def play(*votes: str) -> dict[str, str]:
        box = outbox()
        box.add("opened", "round 1", run=RUN, at=NOW, history=3)
        return {
            box.add("vote", f"{who} votes", run=RUN, at=NOW, history=9).id: who for who in votes
        }

    lost, done = play("cy", "cy"), play("dan", "cy", "cy")
    assert set(lost) < set(done)
    assert {done[id] for id in lost} == {"cy"}


def test_an_announcement_carries_what_was_said() -> None:
    event = outbox().add(
        "gate.vote", "ann votes go", run=RUN, at=NOW, actor="ann", vote="go", round=1
    )
    assert event.model_dump(mode="json") == {
        "id": event.id,
        "type": "gate.vote",
        "product": "kettle",
        "source": "product/kettle",
        "at": "2026-11-23T09:00:00Z",
        "actor": "ann",
        "text": "ann votes go",
        "data": {"vote": "go", "round": 1},
        "run": RUN[-8:],
        "follows": "",
    }


def test_a_batch_has_fifty_announcements_at_most() -> None:
    box = outbox()
    for _ in range(BATCH + 1):
        box.add("x", "", run=RUN, at=NOW)
    assert [event.id.split(".")[0] for event in box.batch()] == [
        f"product/kettle#{n}" for n in range(1, 51)
    ]
    box.written(BATCH, Anchor())
    assert [event.id.split(".")[0] for event in box.batch()] == ["product/kettle#51"]
    box.written(1, Anchor())
    assert box.batch() == []


def test_a_batch_of_long_texts_fits_into_one_call() -> None:
    box = outbox()
    for _ in range(BATCH):
        box.add("gate.decided", "x", run=RUN, at=NOW, view={"comment": "日" * 20_000})
    sizes = []
    while batch := box.batch():
        sizes.append(sum(len(event.model_dump_json().encode()) for event in batch))
        box.written(len(batch), Anchor())
    assert max(sizes) <= BATCH_BYTES
    assert len(sizes) == 4, "and is not cut smaller than it must be"


def test_while_the_ledger_is_dead_the_outbox_keeps_within_a_payload() -> None:
    """Votes go on; once much waits, their announcements keep the text and lose the rest."""
    box = outbox()
    for _ in range(1000):
        box.add("gate.vote", "ann votes go", run=RUN, at=NOW, comment="日" * 2000)
    assert len(box.waiting) == 1000
    assert len(box.model_dump_json().encode()) < 2_000_000
    assert box.waiting[0].data["comment"]
    assert box.waiting[-1].data == {"shortened": True}
    assert box.waiting[-1].text == "ann votes go"


def test_an_announcement_larger_than_a_batch_still_goes_out_alone() -> None:
    box = outbox()
    box.add("small", "", run=RUN, at=NOW)
    box.add("huge", "x" * (BATCH_BYTES + 1), run=RUN, at=NOW)
    box.add("small", "", run=RUN, at=NOW)
    sent = []
    while batch := box.batch():
        sent.append([event.type for event in batch])
        box.written(len(batch), Anchor())
    assert sent == [["small"], ["huge"], ["small"]]


def test_boxes_do_not_share_their_anchor() -> None:
    one, other = outbox(), outbox()
    one.anchor.seq = 7
    assert other.anchor.seq == 0


def test_what_a_request_brings_about_is_one_event_in_whatever_task_it_is_said_again() -> None:
    first, again = Outbox(source="w", product="p"), Outbox(source="w", product="p")
    said = first.add("gate.vote", "bo votes go", run="r" * 8, at=NOW, history=10, key="bo/1")
    again.add("gate.refused", "somebody else", run="r" * 8, at=NOW, history=10)
    retold = again.add("gate.vote", "bo votes go", run="r" * 8, at=NOW, history=14, key="bo/1")
    other = again.add("gate.vote", "bo votes go", run="r" * 8, at=NOW, history=18, key="bo/2")
    assert said.id == retold.id != other.id
