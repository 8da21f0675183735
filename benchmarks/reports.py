"""The reports over a large ledger, beside the floor of merely reading its rows.

The ledger is made up: products of the standard policy, each with about 60 events of the types that
workflows write, without the grounds of decisions: 0.9 kB each, where a life's have 1.6 kB (see
`lifecycle_cost`). Each report is timed, and its peak memory taken, in a process of its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import policies
from benchmarks.harness import ROOT, Report, ratios, spread, turns
from client.logs import configure_logs
from client.reports import Meant, portfolio, slo
from ledger import Ledger
from phasegate.events import Announcement
from phasegate.product import Product
from phasegate.reading import read_policy

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
NOW = datetime(2027, 6, 15, 9, tzinfo=UTC)
DAY = timedelta(days=1)


class Story:
    """One product's events, always the same for its number."""

    def __init__(self, number: int, digest: str, phases: list[tuple[str, str]]) -> None:
        self.key, self.digest, self.phases = f"product-{number:05}", digest, phases
        self.dice, self.events = Random(number), list[Announcement]()
        self.at = START + DAY * self.dice.randrange(200)

    def say(self, type: str, actor: str = "", **data: Any) -> None:
        number = len(self.events) + 1
        self.events.append(
            Announcement(
                id=f"product/{self.key}#{number}",
                type=type,
                product=self.key,
                source=f"product/{self.key}",
                at=self.at,
                actor=actor,
                text=f"{type} of {self.key}, said in a sentence of about the usual length",
                data=data,
            )
        )

    def tell(self) -> list[Announcement]:
        product = Product(
            key=self.key, name=f"Product {self.key}", owner=f"owner.{self.dice.randrange(300)}"
        )
        self.say("product.started", product=product.model_dump(mode="json"),
                 policy_digest=self.digest, directory="default")  # fmt: skip
        for phase, gate in self.phases:
            self.say("product.phase-entered", phase=phase)
            self.at += DAY * self.dice.randrange(5, 40)
            for name in ("one", "two"):
                self.say("milestone.met", milestone=name)
            self.say("product.evidence", link="https://example.org", revision="r1")
            for number in range(1, 3 if self.dice.random() < 0.3 else 2):
                self.round(gate, number, last=number == 2 or self.dice.random() < 0.9)
        return self.events

    def round(self, gate: str, number: int, *, last: bool) -> None:
        about: dict[str, Any] = {"gate": gate, "round": number}
        people = [f"approver.{self.dice.randrange(900)}" for _ in range(6)]
        opened, due = self.at, (self.at + 5 * DAY).isoformat()
        seats = {p: [f"group-{n % 3}"] for n, p in enumerate(people)}
        self.say("gate.opened", waiting_for=people, respond=dict.fromkeys(people, due),
                 seats=seats, resolve_due=(self.at + 10 * DAY).isoformat(), **about)  # fmt: skip
        self.say("gate.reminder", pending=people, **about)
        for person in people:
            self.at += timedelta(hours=self.dice.randrange(1, 30))
            self.say("gate.vote", person, vote="go", comment="as agreed", revision="r1", **about)
        votes = [{"approver": p, "vote": "go", "at": due, "comment": "as agreed"} for p in people]
        self.say("gate.decided", view={
            **about, "opened_at": opened.isoformat(), "decided_at": self.at.isoformat(),
            "outcome": "go" if last else "recycle", "why": "every seat is filled", "votes": votes,
            "requirements": [{"group": f"group-{n}", "need": 2, "have": 2} for n in range(3)],
        }, outcome="go", **about)  # fmt: skip


def write(url: str, products: int) -> int:
    """Write the ledger; how many events it has."""
    ledger = Ledger(url)
    policy = read_policy(policies.text_of("standard"), "standard.yaml")
    digest = ledger.documents.publish("policy", policy.policy, policy, START, "bench")
    phases = [(phase.id, phase.gate.id) for phase in policy.phases if phase.gate][:4]
    written = 0
    for number in range(products):
        events = Story(number, digest, phases).tell()
        ledger.append(events[0].product, events)
        written += len(events)
    ledger.close()
    return written


def floor(ledger: Ledger) -> None:
    """Every row of the record, as the database driver gives it."""
    with ledger.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT product, body FROM events ORDER BY product, seq")
        while rows.fetchmany(500):
            pass


def once(what: str, url: str) -> dict[str, float]:
    """In this process: seconds and peak memory."""
    ledger = Ledger(url)
    ledger.streams()
    began = time.perf_counter()
    if what == "floor":
        floor(ledger)
    elif what == "portfolio":
        assert portfolio(ledger, Meant(), NOW).products
    else:
        assert slo(ledger, Meant(), START, NOW).rounds_decided
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": took, "peak": peak}


def apart(what: str, url: str) -> dict[str, float]:
    """The same in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.reports", what, url],
        check=True, capture_output=True, text=True, cwd=ROOT, timeout=300,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout)
    return found


async def measure(report: Report) -> None:
    kinds = ("floor", "slo", "portfolio")
    for size in report.asked.sizes:
        file = report.asked.folder / f"ledger-{size}.db"
        url = f"sqlite:///{file}"
        report.note(f"{size}: writing the ledger")
        events = write(url, size)
        found: dict[str, dict[str, list[float]]] = {
            kind: {"seconds": [], "peak": []} for kind in kinds
        }
        for order in turns(kinds, report.asked.rounds):
            for kind in order:
                for name, value in apart(kind, url).items():
                    found[kind][name].append(value)
        told: dict[str, Any] = {
            "events": events,
            "ledger bytes per event": file.stat().st_size // events,
        }
        for kind, taken in found.items():
            told[kind] = spread(taken["seconds"])
            told[f"{kind}, MiB at most"] = round(max(taken["peak"]))
            told[f"{kind}, ratio"] = ratios(taken["seconds"], found["floor"]["seconds"])
        report.put(f"{size} reports", told)


if __name__ == "__main__":
    configure_logs(json=False, level="ERROR")
    print(json.dumps(once(sys.argv[1], sys.argv[2])))
