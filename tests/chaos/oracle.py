"""Whether a chaos run kept its promises: from what people were told, what receivers got, and the
record. It asks no workflow for its state, and uses none of the engine's rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from email.message import EmailMessage

from ledger import Ledger
from ledger.errors import LedgerError
from phasegate.chain import ChainBroken
from phasegate.events import Announcement
from phasegate.ids import sunset_id
from tests.chaos.scripts import ADDRESSES, TASKS, Script, outcome_of
from tests.chaos.tally import Cast, Tally
from tests.chaos.world import World

ONCE = ("product.started", "product.retired", "product.killed", "milestone.met")
NEVER = ("milestone.missed", "gate.overdue", "gate.escalated", "gate.timed-out", "gate.abandoned")
"""Nothing is due within a chaos run: whoever says so has believed a clock that jumped."""


def violations(
    scripts: Sequence[Script], tally: Tally, world: World, ledger: Ledger
) -> Iterator[str]:
    yield from tally.stuck
    casts = defaultdict(list)
    for cast in tally.casts:
        casts[cast.product].append(cast)
    ids: list[str] = []
    stories: dict[str, list[Announcement]] = {}
    for script in scripts:
        try:
            ledger.verify(script.key)
        except (LedgerError, ChainBroken) as broken:
            yield f"{script.key}: its chain is broken: {broken}"
        story = [entry.announcement for entry in ledger.events(script.key)]
        stories[script.key] = story
        ids += [event.id for event in story]
        yield from votes(script, casts[script.key], story)
        yield from _ending(script, story)
        yield from _acts(script, story, world)
        yield from _order(script, story, world)
    yield from _deliveries(ids, world, ledger)
    yield from mails(stories, world.mails.mails)


def votes(script: Script, casts: list[Cast], story: list[Announcement]) -> Iterator[str]:
    """Those that were lost, doubled, made up, or taken from somebody who has none."""
    ballots = {
        (s.gate, s.round): {b.who: {b.says, b.first} for b in s.ballots} for s in script.sittings
    }
    written = Counter(e.data["comment"] for e in story if e.type == "gate.vote")
    for cast in casts:
        count, name = written.pop(cast.comment, 0), f"{cast.product}: the {cast.says} of {cast.who}"
        place = f"{cast.gate} {cast.round}"
        if cast.answer == "accepted" and count == 0:
            yield f"{name} at {place} was accepted, and is not in the record"
        own = ballots[cast.gate, cast.round].get(cast.who, ())
        if cast.answer == "accepted" and cast.says not in own:
            yield f"{name} at {place} was accepted, and is none of the votes asked there"
        if cast.answer == "refused" and count:
            yield f"{name} at {place} was refused ({cast.code}), and is in the record"
        if count > 1:
            yield f"{name} at {place} is in the record {count} times"
    for comment in written:
        yield f"{script.key}: the record has a vote that nobody cast: {comment}"
    for event in story:
        if event.type == "gate.vote":
            gate, round = event.data["gate"], event.data["round"]
            if event.actor not in ballots.get((gate, round), ()):
                yield f"{script.key}: the record has a vote of {event.actor} at {gate} {round}"
    yield from _rounds(script, story)


def _rounds(script: Script, story: list[Announcement]) -> Iterator[str]:
    standing: dict[tuple[str, int], dict[str, tuple[str, str]]] = defaultdict(dict)
    for event in story:
        if event.type == "gate.vote":
            place = event.data["gate"], event.data["round"]
            standing[place][event.actor] = (event.data["vote"], event.data["comment"])
    decided = [event for event in story if event.type == "gate.decided"]
    for sitting in script.sittings:
        name, place = f"{script.key}: {sitting.gate} {sitting.round}", (sitting.gate, sitting.round)
        views = [e.data["view"] for e in decided if (e.data["gate"], e.data["round"]) == place]
        if len(views) != 1:
            yield f"{name} was decided {len(views)} times"
            continue
        counted = {
            vote["approver"]: (vote["vote"], vote["comment"])
            for vote in views[0]["votes"]
            if vote["state"] == "standing"
        }
        if counted != standing[place]:
            yield f"{name} counted {counted}, and the record has {standing[place]}"
        says = {who: vote for who, (vote, _) in standing[place].items()}
        came, by_votes = views[0]["outcome"], outcome_of(says)
        if not came == sitting.outcome == by_votes:
            yield f"{name} came to {came}, by its votes {by_votes}, cleanly {sitting.outcome}"
    if len(decided) != len(script.sittings):
        yield f"{script.key} decided {len(decided)} times, not {len(script.sittings)}"


def _ending(script: Script, story: list[Announcement]) -> Iterator[str]:
    types = Counter(event.type for event in story)
    for type in NEVER:
        if types[type]:
            yield f"{script.key}: {type}, and nothing was due"
    for type in ONCE:
        if types[type] > 1:
            yield f"{script.key}: {type} {types[type]} times"
    if types[script.ends] != 1:
        yield f"{script.key} did not end by {script.ends}: {story[-1].type if story else 'nothing'}"
    if script.ends == "product.retired":
        done = Counter(e.data["task"] for e in story if e.type == "sunset.task-done")
        for task in TASKS:
            if done[task] != 1:
                yield f"{script.key}: task {task} was done {done[task]} times"


def _acts(script: Script, story: list[Announcement], world: World) -> Iterator[str]:
    retired = script.ends == "product.retired"
    asked = {e.data["task"] for e in story if e.type == "sunset.settled"}
    for task in ("signups", "wipe"):
        keys = {k: n for (path, k), n in world.calls.items() if path == f"/{task}/{script.key}"}
        expected = f"{sunset_id(script.key)}/1/{task}"
        if set(keys) - {expected}:
            yield f"{script.key}: {task} was called by other keys: {sorted(keys)}"
        if retired and not keys and task not in asked:
            yield f"{script.key}: {task} was never called"
        if not retired and keys:
            yield f"{script.key}: {task} was called, and it was killed before"
        if task == "wipe" and sum(keys.values()) > 1:
            yield f"{script.key}: {task} cannot be undone, and was called {keys}"


def _order(script: Script, story: list[Announcement], world: World) -> Iterator[str]:
    heard = [key for key in world.events if key in {event.id for event in story}]
    if heard != [event.id for event in story if event.id in world.events]:
        yield f"{script.key}: the subscriber heard its events in another order"


def _deliveries(ids: list[str], world: World, ledger: Ledger) -> Iterator[str]:
    for lost in sorted(set(ids) - set(world.events)):
        yield f"the subscriber never heard of {lost}"
    for unknown in sorted(set(world.events) - set(ids)):
        yield f"the subscriber heard of {unknown}, which is not in the record"
    if len(ids) != len(set(ids)):
        yield "two events have one id"
    for key, bodies in world.bodies.items():
        if len(bodies) > 1:
            yield f"{key} was sent with {len(bodies)} different bodies"
    if world.forged:
        yield f"{world.forged} events came with a wrong signature"
    for dead in ledger.dead_letters.of(None, None):
        yield f"given up: {dead}"


def mails(stories: Mapping[str, list[Announcement]], sent: Sequence[EmailMessage]) -> Iterator[str]:
    """The same Message-ID is the same mail; no two mails say the same to one person; everybody with
    an address reads that each round is open, since their vote is asked, and what it came to."""
    said: dict[str, set[str]] = defaultdict(set)
    read: dict[str, list[str]] = defaultdict(list)
    for mail in sent:
        body = mail.get_body(("plain",))
        text = str(body.get_content()) if body else ""
        whole = f"{mail['To']}\n{mail['Subject']}\n{text}"
        if whole not in said:
            read[str(mail["To"])].append(text)
        said[whole].add(str(mail["Message-ID"]))
    for what, under in said.items():
        if len(under) > 1:
            yield f"one mail under {len(under)} Message-IDs: {what.splitlines()[:2]}"
    ids = {str(mail["Message-ID"]) for mail in sent}
    if len(ids) != len(said):
        yield f"{len(ids)} Message-IDs for {len(said)} different mails"
    for address in ADDRESSES:
        for key, story in stories.items():
            told = Counter(e.text for e in story if e.type in ("gate.opened", "gate.decided"))
            for text, times in told.items():
                if sum(_reads(mail, key, text) for mail in read[address]) < times:
                    yield f"{key}: {address} never read that {text}"


def _reads(mail: str, key: str, text: str) -> int:
    """How often a mail says it: in a list of several, or as all that it says."""
    alone = mail.startswith(f"{text}.") and f"The {key} ({key})" in mail
    return mail.count(f"* The {key}: {text}") + alone
