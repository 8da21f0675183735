"""The script of a rehearsal: who answers what and after how long, who is away, what the owner does.

A document that people write, beside policy, product and directory. What it leaves out is done as
`Script()` has it: everybody says go, halfway through their time to answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from phasegate.base import Document, Figure, FigureName, PersonId, Slug, Text
from phasegate.directory import Absence
from phasegate.span import Span
from phasegate.within import BusinessDays, Length, Within

Word = Literal["go", "conditional-go", "recycle", "hold", "kill", "abstain", "never"]
"""What somebody says at a gate: a vote's word, or never anything."""


def _ahead(length: Length) -> Length:
    if length.approximate.total_seconds() < 0:
        raise ValueError(
            f"needs 0 days or more, not {length.words}: nothing is over before it begins"
        )
    return length


Ahead = AfterValidator(_ahead)
"""Of lengths that begin with what happens: there is no waiting for what is past."""


class Takes(Document):
    """How long something takes: always `median`, or spread so that nine of ten times it takes
    `p90` at most. Spread as a log-normal distribution, as answers and tasks are: many short, few
    long, none below nothing. In a file, a length alone is a median."""

    median: Annotated[Within, Ahead]
    p90: Annotated[Within, Ahead] | None = None

    @model_validator(mode="before")
    @classmethod
    def _length_alone(cls, data: Any) -> Any:
        if isinstance(data, int | float) and not isinstance(data, bool):
            raise ValueError(f"needs a length such as '5 business days', not the number {data}")
        return {"median": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _in_order(self) -> Takes:
        if self.p90 is None:
            return self
        if isinstance(self.median, BusinessDays) != isinstance(self.p90, BusinessDays):
            raise ValueError("median and p90 both need business days, or both a span")
        if self.median.approximate.total_seconds() <= 0:
            raise ValueError("median must be longer than nothing, where it has a p90")
        if self.p90.approximate < self.median.approximate:
            raise ValueError(f"p90 ({self.p90.words}) is below median ({self.median.words})")
        return self


def _word_alone(value: object) -> object:
    return {value: 1} if isinstance(value, str) else value


Weight = Annotated[float, Field(gt=0, le=1_000_000)]
Says = Annotated[
    dict[Word, Weight], Field(min_length=1, max_length=7), BeforeValidator(_word_alone)
]
"""A word, or words with how likely each is beside the others: `{go: 8, recycle: 1, never: 1}`."""


class Manner(Document):
    """How somebody answers. Unset is as in the next more general manner."""

    answers: Takes | None = Field(
        None, description="from being asked; unset: halfway through the time to answer"
    )
    says: Says | None = None


class PersonManner(Manner):
    away: tuple[Absence, ...] = Field(
        (), max_length=200, description="beside the absences that the directory has"
    )


class GateManner(Manner):
    """What is different at one gate; it comes before what is said of a person everywhere."""

    groups: dict[Slug, Manner] = {}
    people: dict[PersonId, Manner] = {}


class EvidencePlayed(Document):
    """Evidence that the owner attaches, on entering a phase or so long after that."""

    phase: Slug
    title: Text = Field("Evidence", min_length=1)
    figures: dict[FigureName, Figure] = Field({}, max_length=50)
    after: Annotated[Span, Ahead] = Span()


class OwnerManner(Document):
    """What the owner does, and whoever does tasks and reports milestones, and when."""

    submits: Takes = Field(
        Takes(median=BusinessDays(1)), description="a gate that opens when submitted, once it can"
    )
    resubmits: Takes = Field(
        Takes(median=BusinessDays(10)), description="a gate that said recycle, and again"
    )
    resumes: Takes = Field(Takes(median=BusinessDays(20)), description="a product on hold")
    closes: Takes = Field(
        Takes(median=BusinessDays(10)), description="a condition, from the decision on"
    )
    meets: Takes = Field(
        Takes(median=BusinessDays(20)),
        description="a milestone that the product gives no date, from entering its phase",
    )
    confirms: Takes = Field(
        Takes(median=BusinessDays(2)), description="a task of the sunset, from its turn on"
    )
    retires: Annotated[Span, Ahead] | None = Field(
        None, description="submits the gate out of the market so long after the launch"
    )
    evidence: tuple[EvidencePlayed, ...] = Field((), max_length=200)


class Script(Document):
    """Who does what in a rehearsal.

    The most particular manner counts, for answers and words each by itself: of the person at the
    gate, of the group at the gate, of everybody at the gate, of the person, of the group, of
    everybody.
    """

    schema_version: Literal[1] = 1
    everybody: Manner = Manner()
    groups: dict[Slug, Manner] = Field({}, max_length=2000)
    people: dict[PersonId, PersonManner] = Field({}, max_length=20_000)
    gates: dict[Slug, GateManner] = Field({}, max_length=200)
    milestones: dict[Slug, Takes] = Field(
        {}, max_length=200, description="from entering the phase, instead of on the date it has"
    )
    unmet: tuple[Slug, ...] = Field((), max_length=200, description="milestones never met")
    owner: OwnerManner = OwnerManner()

    def manners(self, person: str, groups: Iterable[str], gate: str) -> list[Manner]:
        """What is said of somebody at a gate, the most particular first."""
        here = self.gates.get(gate, GateManner())
        asked = sorted(groups)
        found: list[Manner | None] = [
            here.people.get(person),
            *(here.groups.get(group) for group in asked),
            here,
            self.people.get(person),
            *(self.groups.get(group) for group in asked),
            self.everybody,
        ]
        return [manner for manner in found if manner is not None]

    @property
    def is_random(self) -> bool:
        """Whether two runs can differ."""
        manners: list[Manner] = [self.everybody, *self.groups.values(), *self.people.values()]
        for gate in self.gates.values():
            manners += [gate, *gate.groups.values(), *gate.people.values()]
        takes = [manner.answers for manner in manners]
        takes += self.milestones.values()
        own = self.owner
        takes += [own.submits, own.resubmits, own.resumes, own.closes, own.meets, own.confirms]
        return any(t.p90 is not None for t in takes if t) or any(
            len(manner.says) > 1 for manner in manners if manner.says
        )
