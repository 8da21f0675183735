"""`phasegate policy list|show|lint|schema`. No server is asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from commands.options import Output

if TYPE_CHECKING:
    from client.documents import Found
    from commands.output import Block
    from ledger import Ledger
    from phasegate.policy import Policy

Reference = Annotated[str, Parameter(help="A policy's NAME (shipped or published), or a FILE")]


def list_(*, output: Output = "table") -> None:
    """Shipped and published policies; NAME@VERSION means one of several.

    The name of a shipped policy alone means the one of this release; any other, the latest
    published. A policy is published by starting a product with its file, or migrating to it.
    """
    from client.known_policies import known_policies
    from commands.output import Grid, emit

    rows = known_policies(_ledger())
    columns = ("policy", "version", "origin", "title", "digest")
    cells = [(row.policy, row.version, row.origin, row.title, row.digest[:19]) for row in rows]
    emit(rows, lambda: [Grid(columns, cells)], output)


def show(name: Reference, /, *, output: Output = "table") -> None:
    """Phases, gates, requirements and clocks of a policy; -o yaml or json gives all of it."""
    from client.documents import find_policy
    from commands.output import emit

    policy = find_policy(name, _ledger()).model
    emit(policy, lambda: policy_blocks(policy), output)


def policy_blocks(policy: Policy) -> Iterable[Block]:
    """A policy as people read it."""
    from commands.output import Fields, Grid, dense
    from phasegate.sunset import day_in_words

    yield Fields(
        [
            ("policy", f"{policy.policy} {policy.version}"),
            ("title", policy.title),
            ("about", policy.description),
            ("source", policy.source),
        ]
    )
    yield Grid(
        ("phase", "title", "market", "milestones", "review", "gate", "next"),
        [
            (
                phase.id,
                phase.title,
                "in market" if phase.in_market else "",
                [milestone.id for milestone in phase.milestones],
                f"{phase.review.gate.id}, every {phase.review.every.words}" if phase.review else "",
                phase.gate.id if phase.gate else "",
                policy.following(phase.id),
            )
            for phase in policy.phases
        ],
        "Phases",
    )
    clocks = ("opens", "respond", "then managers", "resolve", "if late")
    yield dense(
        ("gate", "takes", "asks", "step", "tiers", "only if", "advice", *clocks),
        [
            (
                gate.id,
                "what is signed" if gate.assurance == "signed" else "",
                requirement.title,
                requirement.step,
                requirement.tiers or "all",
                requirement.when,
                gate.reviewers,
                policy.opening(gate),
                gate.clocks.respond.words,
                f"{gate.clocks.escalate.words} later",
                gate.clocks.resolve.words,
                gate.clocks.on_timeout,
            )
            for gate in policy.gates()
            for requirement in gate.requires
        ],
        "Gates",
    )
    yield dense(
        ("gate", "criterion", "kind", "weight", "needs", "known by", "text"),
        [
            (
                gate.id,
                criterion.id,
                criterion.kind,
                criterion.weight if criterion.kind == "should" and gate.threshold else "",
                f"{gate.threshold} % of all"
                if criterion.kind == "should" and gate.threshold
                else "",
                criterion.milestone
                or criterion.expression
                or criterion.attested_by
                or "the approvers",
                criterion.text,
            )
            for gate in policy.gates()
            for criterion in gate.criteria
        ],
        "Criteria",
    )
    tasks = policy.sunset.tasks if policy.sunset else ()
    yield Grid(
        ("task", "kind", "day", "title"),
        [(task.id, task.kind, day_in_words(task), task.title) for task in tasks],
        "Sunset",
    )


def lint(
    file: Annotated[str, Parameter(help="A policy file (YAML), or the NAME of a policy")],
    /,
    *,
    directory: Annotated[
        str | None,
        Parameter(help="Also say who is missing in this directory, who can block, and when"),
    ] = None,
    product: Annotated[
        str | None,
        Parameter(help="Also judge this product's FILE: its owner, tier, team and dates"),
    ] = None,
    output: Output = "table",
) -> int:
    """Find what is wrong with a policy file. Exit code 2 where there are errors.

    With a directory (NAME or FILE) it proves whether its people can pass the gates, by the rules
    that count votes, and judges the directory, as `directory lint` does. Warnings refuse nothing.
    """
    from client.documents import (
        check_directory,
        check_policy,
        find_directory,
        find_policy,
        find_product,
    )
    from commands.findings import print_findings

    ledger = _ledger()
    people = find_directory(directory, ledger) if directory else None
    goods = find_product(product) if product else None

    def check() -> list[Found]:
        found = check_policy(find_policy(file, ledger), people.model if people else None, goods)
        return found + (check_directory(people) if people else [])

    return print_findings(file, check, output)


def schema(
    kind: Annotated[
        Literal["policy", "product", "directory", "adjustments", "script"],
        Parameter(
            help="Of which documents; adjustments are a product's own sunset, and a script is "
            "the people file of a rehearsal"
        ),
    ] = "policy",
    /,
) -> None:
    """JSON Schema of policy, product, directory and other files, for editors and checks."""
    import json

    from client.documents import json_schema

    print(json.dumps(json_schema(kind), ensure_ascii=False, indent=2))


def _ledger() -> Ledger:
    from client.settings import Settings
    from ledger import Ledger

    return Ledger(Settings.load().ledger_url)
