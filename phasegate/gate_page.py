"""A round as a status page in the Temporal UI."""

from __future__ import annotations

from phasegate.markdown import day, line, said, section
from phasegate.views import GateView, PendingView, VoteView


def gate_page(view: GateView, product: str, question: str) -> str:
    """The round as Markdown for somebody on call: state first, then who is missing."""
    lines = [f"### {line(view.title) or view.gate}: {_headline(view)}"]
    if question:
        lines.append(f"*{line(question)}*")
    lines.append(f"**{line(product)}** · round {view.round} · evidence `{view.revision}`")
    if view.override:
        lines.append(
            f"**OVERRIDDEN by {view.override.actor}**: {line(view.override.reason)}. "
            f"The votes said: {line(view.override.votes_said)}."
        )
    if view.work:
        lines.append(f"**{view.work.actor} asks the owner for work**: {line(view.work.what)}")
    if view.status != "decided":
        lines.append(f"Now: {line(view.why)}.")
        if view.assurance == "signed":
            lines.append("It takes only what is signed with a key of the directory.")
        lines.append(_clocks(view))
    else:
        lines.append(f"Why: {line(view.why)}.")
    lines.append(
        section(
            "Requirements",
            (
                f"{r.group}{' (veto)' if r.veto else ''} {r.have} of {r.need}, **{r.state}**"
                + said(r.why)
                for r in view.requirements
            ),
        )
    )
    standing = [vote for vote in view.votes if vote.state == "standing"]
    lines.append(
        section(
            "Votes",
            (_vote(v, view.revision) for v in standing[:40]),
        )
    )
    if view.pending:
        names = [_waiting(pending) for pending in view.pending]
        more = f" and {len(names) - 20} more" if len(names) > 20 else ""
        lines.append(f"Waiting for: {', '.join(names[:20])}{more}")
        answer = f"phasegate gate vote {view.product}/{view.gate} go --as WHO"
        sign = " --sign" if view.assurance == "signed" else ""
        lines.append(f"Answer with `{answer} --revision {view.revision}{sign}`.")
    lines.append(
        section(
            "Criteria" + _score(view),
            (f"{c.kind} {c.id}: **{c.state}**. {line(c.why)}" for c in view.criteria),
        )
    )
    lines.append(
        section("Evidence", (line(e["title"]) + said(e.get("link", "")) for e in view.evidence))
    )
    if view.refused:
        count = len(view.refused) + view.refused_more
        last = view.refused[-1]
        lines.append(f"Refused attempts: {count}. Last: {line(last.what)} ({line(last.why)}).")
    return "\n\n".join(filter(None, lines))


def _clocks(view: GateView) -> str:
    """The deadlines, and whether they come nearer."""
    due = f"Respond by {day(view.respond_due)}, resolve by {day(view.resolve_due)}"
    if view.stopped_since is None:
        return f"{due}."
    return f"{due}. **The clocks stand still** since {day(view.stopped_since)}: both will be later."


def _score(view: GateView) -> str:
    """Rounded down, so that a score that falls short is never shown as the threshold."""
    if view.threshold is None or view.score is None:
        return ""
    return f" ({int(view.score)} % scored)"


def _headline(view: GateView) -> str:
    if view.outcome:
        return view.outcome.upper() + (", OVERRIDDEN" if view.override else "")
    if view.status == "decided":
        return "ABANDONED"
    return "cannot pass" if view.cannot_pass else view.status


def _vote(vote: VoteView, revision: str) -> str:
    whose = f" for {vote.on_behalf_of}" if vote.on_behalf_of else ""
    seen = "" if vote.revision == revision else f" on evidence `{vote.revision}`"
    advice = " (advice)" if vote.advice else ""
    known = ", signed," if vote.assurance == "signed" else ""
    return f"{vote.approver}{whose} **{vote.vote}**{advice}{known} on {day(vote.at)}{seen}" + said(
        vote.comment
    )


def _waiting(pending: PendingView) -> str:
    acting = f" (or {', '.join(pending.acting)} for them)" if pending.acting else ""
    return pending.approver + acting
