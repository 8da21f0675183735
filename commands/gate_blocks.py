"""A round of a gate as people read it."""

from __future__ import annotations

from collections.abc import Iterable

from commands.output import Block, Fields, Grid, cell, dense
from phasegate.views import CriterionView, GateView, VoteView


def gate_blocks(view: GateView) -> Iterable[Block]:
    """All there is to say, what is out of the ordinary first."""
    yield from _loud(view)
    yield _head(view)
    yield dense(
        ("requirement", "step", "votes", "veto", "state", "why", "could still say yes"),
        [
            (
                r.group,
                r.step,
                f"{r.have} of {r.need}",
                "veto" if r.veto else "",
                r.state,
                r.why,
                r.candidates,
            )
            for r in view.requirements
        ],
        "Requirements",
    )
    said = sorted(view.votes, key=lambda vote: vote.at)
    yield _votes(view, [v for v in said if not v.advice], "Votes")
    yield _votes(view, [v for v in said if v.advice], "Advice (counts for nothing)")
    yield dense(
        ("waits for", "group", "since", "respond by", "may act for them"),
        [(p.approver, p.group, p.since, p.respond_due, p.acting) for p in view.pending],
        "Pending",
    )
    yield dense(
        ("who", "acts for", "from", "until", "named by", "reason"),
        [
            (d.to, d.approver, d.start, "for good" if d.reassigned else d.end, d.by, d.reason)
            for d in view.delegations
        ],
        "Delegations",
    )
    yield Grid(
        ("asked for advice", "people"), [(g, who) for g, who in view.reviewers.items()], "Reviewers"
    )
    yield dense(
        ("criterion", "kind", "state", "score", "weight", "text", "checked by", "why"),
        [
            (
                c.id,
                c.kind,
                c.state,
                _number(c.score),
                c.weight if c.kind == "should" else "",
                c.text,
                _check(c),
                c.why if c.why != c.text else "",
            )
            for c in view.criteria
        ],
        "Criteria",
    )
    yield dense(
        ("evidence", "link", "digest", "by"),
        [
            (e["title"], *(e.get(key, "") for key in ("link", "digest", "by")))
            for e in view.evidence
        ],
        "Evidence",
    )
    yield Grid(("figure", "value"), list(view.figures.items()), "Figures")
    yield dense(
        ("condition", "owner", "due", "text"),
        [(c.id, c.owner, c.due, c.text) for c in view.open_conditions],
        "Open conditions of earlier gates",
    )
    yield Grid(
        ("condition", "owner", "due", "state", "text"),
        [(c.id, c.owner, c.due, c.state, c.text) for c in view.conditions],
        "Conditions",
    )
    more = f" (and {view.refused_more} more)" if view.refused_more else ""
    yield Grid(
        ("who", "what", "why", "at", "channel"),
        [(r.actor, r.what, r.why, r.at, r.channel) for r in view.refused],
        f"Refused{more}",
    )
    yield Grid(("to be known",), [(text,) for text in view.notes], "Notes")


def _loud(view: GateView) -> Iterable[Block]:
    if done := view.override:
        yield Fields(
            [
                ("OVERRIDDEN", f"{view.outcome} by {done.actor}, in the place of the approvers"),
                ("REASON", done.reason),
                ("VOTES SAID", done.votes_said),
                ("AT", done.at),
            ],
            loud=True,
        )
    if work := view.work:
        yield Fields(
            [("WORK ASKED", f"{work.what} (by {work.actor}, {cell(work.at)}; the clocks stop)")],
            loud=True,
        )


def _head(view: GateView) -> Block:
    still = f" (clocks stand still since {cell(view.stopped_since)})" if view.stopped_since else ""
    threshold = f" (needs {view.threshold} %)" if view.threshold is not None else ""
    return Fields(
        [
            ("gate", f"{view.title or view.gate} ({view.product}/{view.gate}), round {view.round}"),
            ("question", view.question),
            ("tier", view.tier),
            ("status", view.status),
            ("outcome", view.outcome),
            ("why", view.why),
            ("cannot pass", "yes" if view.cannot_pass else None),
            ("score", f"{_number(view.score)} %{threshold}" if view.score is not None else None),
            ("evidence", view.revision),
            ("takes only", "what is signed" if view.assurance == "signed" else None),
            ("opened", view.opened_at),
            ("decided", view.decided_at),
            ("respond by", cell(view.respond_due) + still if view.respond_due else None),
            ("resolve by", cell(view.resolve_due) + still if view.resolve_due else None),
            ("Temporal", view.ui_url),
        ]
    )


def _check(criterion: CriterionView) -> str:
    if criterion.milestone:
        return f"milestone {criterion.milestone}"
    if criterion.attested_by:
        who = f" ({', '.join(criterion.waits_for)})" if criterion.waits_for else ""
        return f"attested by {criterion.attested_by}{who}"
    return criterion.expression or ""


def _votes(view: GateView, votes: list[VoteView], title: str) -> Block:
    several = any(vote.step > 1 for vote in votes)
    columns = (
        "who",
        "for",
        "vote",
        "assurance",
        "state",
        "step",
        "at",
        "on",
        "comment",
        "conditions",
    )
    return dense(
        (*columns, "scores", "why"),
        [
            (
                v.approver,
                v.on_behalf_of,
                v.vote,
                v.assurance,
                v.state,
                v.step if several else "",
                v.at,
                v.revision if v.revision == view.revision else f"{v.revision} (old)",
                v.comment,
                v.conditions,
                [f"{name} {score}" for name, score in v.scores.items()],
                v.why,
            )
            for v in votes
        ],
        title,
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}".removesuffix(".0")
