"""The criteria of a round as they stand: what was found, attested and scored.

Cooper's scorecard: must-meet criteria knock out; should-meet criteria are scored from 0 to 10 and
weighted. Exact fractions, since a threshold is met or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from phasegate.base import Wire
from phasegate.casting import Attestation, CastVote
from phasegate.gate import Criterion, Gate
from phasegate.ports import CriterionFinding

FULL = 10


class Standing(Wire):
    """How a criterion stands. `state` is met, unmet or judged; `score` is that of a should."""

    id: str
    kind: str
    state: str
    why: str
    score: float | None = None


class Scorecard:
    """The criteria of a round, with attestations and the voters' scores laid over the findings."""

    def __init__(
        self,
        gate: Gate,
        findings: Sequence[CriterionFinding],
        attestations: Iterable[Attestation],
        votes: Iterable[CastVote],
    ) -> None:
        self._gate = gate
        self._findings = {finding.id: finding for finding in findings}
        self._attested = [a for a in attestations if not a.voided]
        self._votes = list(votes)
        self._states = {c.id: self._state(c) for c in gate.criteria}

    def unmet_musts(self) -> tuple[str, ...]:
        return tuple(
            c.id
            for c in self._gate.criteria
            if c.kind == "must" and self._states[c.id][0] == "unmet"
        )

    def weak_shoulds(self) -> tuple[str, ...]:
        """What permits only a Conditional Go: the score below its threshold; without a threshold
        every should that is known to be unmet."""
        if self._gate.threshold is None:
            return tuple(
                c.id
                for c in self._gate.criteria
                if c.kind == "should" and self._states[c.id][0] == "unmet"
            )
        score = self.percent()
        assert score is not None, "a gate with a threshold has should-criteria"
        if score >= self._gate.threshold:
            return ()
        return (f"the score of {_shown(score)} % ({self._gate.threshold} % is asked)",)

    def percent(self) -> Fraction | None:
        """The weighted score of the should-criteria in percent; None without any."""
        shoulds = [c for c in self._gate.criteria if c.kind == "should"]
        if not shoulds:
            return None
        total = sum((c.weight * self._score(c) for c in shoulds), Fraction(0))
        return 100 * total / (FULL * sum(c.weight for c in shoulds))

    def views(self) -> list[Standing]:
        return [
            Standing(
                id=c.id,
                kind=c.kind,
                state=self._states[c.id][0],
                why=self._states[c.id][1] or c.text,
                score=float(self._score(c)) if c.kind == "should" else None,
            )
            for c in self._gate.criteria
        ]

    def _state(self, criterion: Criterion) -> tuple[str, str]:
        if criterion.attested_by:
            return self._attestation(criterion)
        finding = self._findings.get(criterion.id)
        if finding is None:  # the policy is pinned, so this is a round convened by nobody yet
            return "unmet", "not looked at yet"
        return finding.state, finding.why

    def _attestation(self, criterion: Criterion) -> tuple[str, str]:
        """Met if somebody of the group says so and nobody of them says that it is not."""
        said = {a.actor: a for a in self._attested if a.criterion == criterion.id}
        if not said:
            return "unmet", f"to be attested by {criterion.attested_by}"
        against = [a for a in said.values() if a.state == "unmet"]
        shown = against[0] if against else list(said.values())[-1]
        return shown.state, f"{shown.actor} attests: {shown.note}"

    def _score(self, criterion: Criterion) -> Fraction:
        """From 0 to 10; what nobody scored has 0, since silence earns nothing."""
        state, _ = self._states[criterion.id]
        said = {a.actor: a for a in self._attested if a.criterion == criterion.id}
        given = [a.score for a in said.values() if a.score is not None]
        if not given and state == "judged":
            scored = {vote.holder: vote for vote in self._votes if criterion.id in vote.scores}
            given = [vote.scores[criterion.id] for vote in scored.values()]
        if given:
            return Fraction(sum(given), len(given))
        return Fraction(FULL if state == "met" else 0)


def _shown(score: Fraction) -> str:
    """Rounded down, so that a score that falls short is never shown as the threshold."""
    return str(int(score))
