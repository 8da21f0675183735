"""A product definition: what product management asks of one, as its owner writes it down."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from phasegate.base import Document, Due, Figure, FigureName, PersonId, Slug, Text, canonical
from phasegate.check import Check, owned
from phasegate.errors import Rejected
from phasegate.sunset import Maturity


class Market(Document):
    """Who it is for, and what hurts them."""

    segment: Text = ""
    problem: Text = ""
    size: Text = ""
    alternatives: tuple[Text, ...] = ()


class Need(Document):
    """One customer need, and how we know."""

    need: Text
    evidence: Text = ""


class Feature(Document):
    title: Text
    id: str = Field("", max_length=63, description="its number or name in the tracker")
    link: str = Field("", max_length=2000)


class Strategy(Document):
    """Where the product is going, and why we should be the ones to build it."""

    vision: Text = ""
    direction: Text = ""
    positioning: Text = ""


class Goal(Document):
    """What success looks like, measurably."""

    goal: Text
    metric: Text = ""
    target: Text = ""


class Stakeholder(Document):
    """Somebody with an interest. Being listed here gives nobody a vote; the directory does."""

    name: Text
    role: Text
    interest: Text = ""


class RoadmapMilestone(Document):
    """A dated goal. With the id of a policy's milestone it gives that one its date, no check."""

    id: Slug
    phase: Slug
    title: Text = ""
    due: Due | None = None
    check: Check | None = None

    @field_validator("check")
    @classmethod
    def _ours(cls, check: Check | None) -> Check | None:
        return check and owned(check)


LARGEST = 200_000
"""Bytes of a definition's JSON: it travels in a payload with the product's evidence and state."""


class Product(Document):
    """A product as its owner defines it."""

    schema_version: Literal[1] = 1
    key: Slug
    name: Text
    owner: PersonId
    tier: int = Field(3, ge=1, le=3, description="1 is the largest launch, 3 the smallest")
    maturity: Maturity = Field(
        "ga", description="alpha, beta or ga: how long before its end of life the public is told"
    )
    policy: Slug | None = Field(None, description="the policy to use unless --policy names one")
    summary: Text = ""
    market: Market = Market()
    customer_needs: tuple[Need, ...] = Field((), max_length=200)
    features: tuple[Feature, ...] = Field((), max_length=500)
    strategy: Strategy = Strategy()
    goals: tuple[Goal, ...] = Field((), max_length=200)
    figures: dict[FigureName, Figure] = Field(
        {}, description="numbers and facts that policies may ask about, as product.figures.NAME"
    )
    stakeholders: tuple[Stakeholder, ...] = Field((), max_length=200)
    team: tuple[PersonId, ...] = Field(
        (), description="who may submit gates and evidence beside the owner"
    )
    milestones: tuple[RoadmapMilestone, ...] = Field((), max_length=200)
    approvers: dict[Slug, dict[Slug, tuple[PersonId, ...]]] = Field(
        {},
        description="per gate and group, the members who sit for this product; it can only narrow "
        "a group, never add to it",
    )


def require_bounded(product: Product) -> None:
    """Raise Rejected when a definition is too large to be kept for years."""
    size = len(canonical(product.model_dump(mode="json")))
    if size > LARGEST:
        raise Rejected(
            "too-large",
            f"the definition of {product.key} is too large",
            f"as JSON it has {size} bytes, and {LARGEST} are taken",
            f"phasegate product show {product.key}  # link to documents instead of quoting them",
        )
