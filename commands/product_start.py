"""`phasegate product start`: everything is checked before anything starts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from commands.options import Output

if TYPE_CHECKING:
    from client.plan import StartPlan
    from commands.output import Block


async def start(
    file: Annotated[str, Parameter(help="The product's definition (YAML), one file")],
    /,
    *,
    policy: Annotated[
        str | None, Parameter(help="A policy by NAME or FILE, instead of the product's own")
    ] = None,
    directory: Annotated[
        str, Parameter(help="A directory: the NAME of a published one, or a FILE to publish")
    ] = "default",
    dry_run: Annotated[
        bool, Parameter(negative=(), help="Show gates and voters; start nothing")
    ] = False,
    output: Output = "table",
) -> None:
    """Start a product's lifecycle.

    Errors in the product, the policy or the directory are printed as file:line:col lines, and
    nothing starts (exit code 2). Starting what already runs in the same way is no error.
    """
    from client import products
    from client.dependencies import require_possible
    from client.documents import check_start, find_directory, find_policy, find_product
    from client.engine import Engine
    from client.plan import plan_start
    from client.settings import Settings
    from client.usage import UsageError
    from commands.output import Fields, emit, note
    from commands.progress import working
    from ledger import Ledger

    ledger = Ledger(Settings.load().ledger_url)
    product = find_product(file)
    name = policy or product.model.policy
    if name is None:
        raise UsageError(
            f"{file} names no policy",
            "and --policy names none either",
            f"phasegate product start {file} --policy standard",
        )
    rules = find_policy(name, ledger)
    published = ledger.documents.names("directory")
    if directory == "default" and len(published) == 1 and "default" not in published:
        raise UsageError(
            "there is no directory default",
            f"--directory is left out, and {published[0]} is the one that is published",
            f"phasegate product start {file} --directory {published[0]}",
        )
    people = find_directory(directory, ledger)
    warnings = [str(problem) for problem in check_start(product, rules, people)]
    for warning in warnings:
        note(f"warning: {warning}")
    if dry_run:
        await require_possible(ledger, product.model, rules.model)
        plan = plan_start(product.model, rules.model, people.model)
        plan.warnings = warnings
        emit(plan, lambda: plan_blocks(plan), output)
        return
    engine = await Engine.connect()
    with working("starting"):
        workflow_id, new = await products.start(engine, product.model, rules.model, people.model)
    key = product.model.key
    started: dict[str, Any] = {
        "schema_version": 1,
        "key": key,
        "name": product.model.name,
        "started": new,
        "policy": f"{rules.model.policy} {rules.model.version}",
        "directory": people.model.directory,
        "workflow_id": workflow_id,
        "ui_url": engine.page(workflow_id),
        "warnings": warnings,
    }
    said = "started" if new else "has been started before, in the same way; nothing to do"
    shown = [("product", f"{key} {said}"), ("policy", started["policy"])]
    emit(started, lambda: [Fields([*shown, ("Temporal", started["ui_url"])])], output)
    with working("waiting for a worker to take it up"):
        taken = not new or await products.under_way(engine, key)
    if not taken:
        note("no worker has taken it up yet; start one with: phasegate worker run")
        note("hint: phasegate doctor  # says why, where a worker runs")
    else:
        note(f"hint: phasegate product show {key}")


def plan_blocks(plan: StartPlan) -> Iterable[Block]:
    """A rehearsed start as people read it."""
    from commands.output import Fields, dense

    yield Fields(
        [
            ("would start", f"{plan.name} ({plan.key})"),
            ("owner", f"{plan.owner} (has no vote)"),
            ("tier", plan.tier),
            ("policy", plan.policy),
            ("directory", plan.directory),
            ("phases", " → ".join(plan.phases)),
        ]
    )
    yield dense(
        ("gate", "after", "opens", "asks", "takes", "voters"),
        [
            (
                gate.gate,
                gate.after,
                gate.when,
                gate.requires,
                "what is signed" if gate.assurance == "signed" else "",
                "; ".join(f"{group}: {', '.join(who)}" for group, who in gate.voters.items()),
            )
            for gate in plan.gates
        ],
    )
