"""What each lifecycle of a chaos run is to go through, by a seed: who says what, what comes of it.

Every script has one ending, whatever the order in which its votes arrive: whoever changes their
mind does so before the others speak, and no seat hangs on who comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

SPONSOR = "ana"
ENGINEERS = ("bo", "cy", "dan")
QUORUM = 2

DIRECTORY = """
directory: chaos
people:
  olga: {}
  eve: {}
  ana: {email: ana@acme.example}
  bo: {email: bo@acme.example}
  cy: {}
  dan: {}
groups:
  product: {members: [ana]}
  eng: {members: [bo, cy, dan]}
"""

ADDRESSES = ("ana@acme.example", "bo@acme.example")
"""Of those who have a vote at every gate, and get mail."""

POLICY = """
policy: chaos-WAIT
version: "1"
title: Build, sell, leave
phases:
  - id: build
    title: Build
    milestones:
      - id: beta
        title: The beta is out
        check: {kind: http, url: "URL/beta/{product}", expression: "body.done", every: 2 seconds}
    gate:
      id: launch
      title: Launch
      wait_for: WAIT
      requires: [{group: product}, {group: eng, need: 2}]
      criteria: [{id: beta, text: The beta is out, milestone: beta}]
  - id: market
    title: Market
    in_market: true
    gate:
      id: retire
      title: Retire
      opens: submit
      wait_for: WAIT
      requires: [{group: product}, {group: eng, need: 2}]
sunset:
  tasks:
    - {id: note, title: Public notice, kind: notice}
    - id: signups
      title: Stop sign-ups
      kind: http
      by: eng
      at: 2 seconds
      url: "URL/signups/{product}"
    - id: "off"
      title: Shut it down
      kind: gate
      point_of_no_return: true
      gate:
        id: "off"
        title: Shut it down
        wait_for: WAIT
        requires: [{group: product}, {group: eng, need: 2}]
    - id: wipe
      title: Delete the data
      kind: http
      by: eng
      effect: deletion
      url: "URL/wipe/{product}"
    - {id: keys, title: Revoke the keys, kind: manual, by: eng}
"""

TASKS = ("note", "signups", "wipe", "keys")
Wait = Literal["need", "all"]


def policy_text(wait: Wait, url: str) -> str:
    return POLICY.replace("WAIT", wait).replace("URL", url)


@dataclass(frozen=True)
class Ballot:
    """What one person says; `first` is what they say before they change their mind."""

    who: str
    says: str
    first: str = ""


@dataclass(frozen=True)
class Sitting:
    gate: str
    round: int
    ballots: tuple[Ballot, ...]
    outcome: str


@dataclass(frozen=True)
class Script:
    key: str
    wait: Wait
    sittings: tuple[Sitting, ...]
    ready: float
    """Seconds until its beta is out."""
    intruders: bool
    """Somebody without a vote tries, the owner too, and somebody votes on evidence of yesterday."""

    @property
    def ends(self) -> str:
        """The last event of its record."""
        killed = self.sittings[-1].outcome == "kill"
        return "product.killed" if killed else "product.retired"


def outcome_of(says: dict[str, str]) -> str:
    """What a gate of these policies decides by the standing vote of each person: the rule once
    more, in the simplest form that serves here (design: 2 of 3 engineers, and the sponsor)."""
    yes = {who for who, vote in says.items() if vote in ("go", "conditional-go")}
    if SPONSOR in yes and len(yes & set(ENGINEERS)) >= QUORUM:
        return "conditional-go" if "conditional-go" in (says[who] for who in yes) else "go"
    noes = [vote for vote in says.values() if vote in ("recycle", "hold", "kill")]
    mild = ["recycle", "hold", "kill"]
    return max(mild, key=lambda word: (noes.count(word), -mild.index(word))) if noes else "hold"


def scripts(seed: int, count: int) -> list[Script]:
    return [_script(Random(f"{seed}/{n}"), f"life-{n:03}") for n in range(1, count + 1)]  # noqa: S311


def _script(dice: Random, key: str) -> Script:
    words = dice.choices(["recycle", "hold", ""], [3, 1, 4])
    words = [word for word in words if word]
    words.append(dice.choices(["go", "conditional-go", "kill"], [5, 3, 1])[0])
    sittings = [_sitting(dice, "launch", n, word) for n, word in enumerate(words, 1)]
    if words[-1] != "kill":
        sittings.append(_sitting(dice, "retire", 1, dice.choice(["go", "conditional-go"])))
        sittings.append(_sitting(dice, "off", 1, "go"))
    return Script(
        key=key,
        wait=dice.choice(["need", "all"]),
        sittings=tuple(sittings),
        ready=dice.uniform(0, 3),
        intruders=dice.random() < 0.4,
    )


def _sitting(dice: Random, gate: str, number: int, outcome: str) -> Sitting:
    one, two, third = dice.sample(ENGINEERS, 3)
    if outcome in ("go", "conditional-go"):
        says = {SPONSOR: "go", one: outcome, two: "go", third: dice.choice(_thirds(outcome))}
    else:
        says = {SPONSOR: "go", one: outcome, two: outcome, third: "go"}
    changes = dice.choice(["", "", one, two])
    ballots = [
        Ballot(who, word, dice.choice(["abstain", "recycle"]) if who == changes else "")
        for who, word in says.items()
    ]
    dice.shuffle(ballots)
    assert outcome_of(says) == outcome, (says, outcome)
    return Sitting(gate, number, tuple(ballots), outcome)


def _thirds(outcome: str) -> Sequence[str]:
    """What the third engineer may say without changing what two of them have decided."""
    return ["go", "abstain", "recycle"] if outcome == "go" else ["abstain", "recycle"]
