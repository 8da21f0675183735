"""A retrospective as people read it at a terminal, and as the page that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from client.usage import UsageError
from commands.output import Block, Fields, Grid, dense
from commands.times import day_of
from phasegate.retrospective_view import Retrospective, SunsetStory
from phasegate.roadmap_words import slip_words


def retrospective_blocks(life: Retrospective) -> Iterator[Block]:
    """In short; details are in the page and in the machine formats."""
    counts = life.counts
    yield Fields(
        [
            ("product", f"{life.name} ({life.key})"),
            ("status", life.status),
            ("owners", ", ".join(owner.owner for owner in life.owners)),
            ("policy", life.policy),
            ("life", f"{day_of(life.started_at)} to {day_of(life.ended_at) or 'now'}"),
            ("days", f"{life.days:.0f}, without time on hold"),
            (
                "gates",
                f"{counts.rounds} rounds, {counts.votes} votes, {counts.overrides} overrides",
            ),
            ("refused", counts.refusals),
            ("people", counts.people),
        ]
    )
    yield Grid(
        ("phase", "from", "to", "days", "planned to end", "slip"),
        [
            (
                phase.title,
                day_of(phase.since),
                day_of(phase.until) or "now",
                f"{phase.days:.1f}",
                day_of(phase.planned_end),
                slip_words(phase.slip),
            )
            for phase in life.phases
        ],
        "Phases (calendar days, without holds)",
    )
    yield dense(
        ("gate", "round", "outcome", "decided", "days", "votes", "refused", "overridden by"),
        [
            (
                held.title,
                held.round,
                held.outcome,
                held.ended_at,
                f"{held.days:.1f}",
                ", ".join(f"{v.approver} {v.vote}" for v in held.view.votes) if held.view else "",
                held.refusals or "",
                ", ".join(filter(None, [held.overridden_by, *(one.by for one in held.overruled)])),
            )
            for held in life.rounds
        ],
        "Gates",
    )
    yield dense(
        ("milestone", "state", "first planned", "last due", "met", "slip", "moved"),
        [
            (
                goal.title or goal.id,
                goal.state,
                day_of(goal.planned),
                day_of(goal.due),
                day_of(goal.met_at),
                slip_words(goal.slip),
                len(goal.moves) or "",
            )
            for goal in life.milestones
        ],
        "Milestones",
    )
    yield dense(
        ("condition", "of", "owner", "state", "what became of it"),
        [(one.text or one.id, one.gate, one.owner, one.state, one.note) for one in life.conditions],
        "Conditions",
    )
    for sunset in life.sunsets:
        yield from _sunset_blocks(sunset)
    yield Fields(
        [
            ("events", counts.events),
            ("hash chain", life.chain_fault or "checked, unbroken"),
            ("head", f"{life.head.seq} {life.head.hash}"),
        ],
        loud=bool(life.chain_fault),
    )


def _sunset_blocks(sunset: SunsetStory) -> Iterator[Block]:
    aborted = sunset.aborted
    yield Fields(
        [
            ("sunset", sunset.number),
            ("outcome", sunset.outcome),
            ("public notice", sunset.notice_at),
            ("aborted", f"by {aborted.by}: {aborted.text}" if aborted else ""),
            ("customers", ", ".join(f"{n} {name}" for name, n in sunset.customers.items())),
            ("customers' digest", sunset.customers_digest),
            ("legal holds", ", ".join(hold.matter for hold in sunset.legal_holds)),
        ]
    )
    yield dense(
        ("task", "kind", "effect", "state", "planned", "done", "by", "digest", "what shows it"),
        [
            (
                task.id,
                task.kind,
                task.effect if task.effect != "reversible" else "",
                task.state,
                day_of(task.planned),
                task.done_at,
                task.confirmed_by,
                task.digest,
                task.done or task.undone,
            )
            for task in sunset.tasks
        ],
        f"Tasks of sunset {sunset.number}",
    )


def write_html(life: Retrospective, file: str) -> None:
    """Raises UsageError where the file cannot be written."""
    from client.pictures.retrospective import html

    try:
        Path(file).write_text(html(life), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"--html {file} cannot be written",
            error.strerror or str(error),
            f"phasegate report retrospective {life.key} --html {life.key}.html",
        ) from error
