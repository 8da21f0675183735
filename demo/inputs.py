"""The demo's input files: the real policy, product and directory, their dates compressed.

The engine is given these files and knows nothing of the demo: every clock in them is a real clock
of a few seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import get_args

from ruamel.yaml import YAML

import policies
from demo.timeline import Scene, Timeline, at
from phasegate.adjusting import Adjustments
from phasegate.base import Document
from phasegate.calendars import Calendar
from phasegate.directory import Directory, Person
from phasegate.errors import EngineError
from phasegate.gate import Clocks, Gate
from phasegate.lint import lint_directory, lint_policy, lint_product
from phasegate.policy import Phase, Policy
from phasegate.product import Product
from phasegate.reading import read_directory, read_policy, read_product
from phasegate.sunset import DateTask, Maturity, SunsetPlan, Task
from phasegate.sunset_layout import lay_out

EXAMPLES = Path(__file__).parent.parent / "examples"


@dataclass(frozen=True)
class Staging:
    """One product's files, and when its scenes and gates are."""

    product: str
    directory: str
    scenes: tuple[Scene, ...]
    gates: Mapping[str, str]
    slow: float
    quick: float = 150.0
    notice: str = ""
    """The day of the public notice, for a product that has a sunset."""

    def timeline(self, curtain: datetime) -> Timeline:
        return Timeline(self.scenes, curtain, slow=self.slow, quick=self.quick)


@dataclass(frozen=True)
class Inputs:
    """What the engine is given, read back from the files that were written."""

    policy: Policy
    product: Product
    directory: Directory
    timeline: Timeline
    dues: Mapping[str, datetime]
    """The real dates of the product's milestones."""
    sunset: Mapping[str, datetime]
    """The real dates of the tasks of its sunset."""


def prepare(staging: Staging, curtain: datetime, folder: Path) -> Inputs:
    """Write a product's compressed files to `folder`, and read them. Raises PhasegateError."""
    timeline = staging.timeline(curtain)
    product = read_product(_example(staging.product), staging.product)
    directory = read_directory(_example(staging.directory), staging.directory)
    shipped = f"{product.policy}.yaml"
    policy = read_policy(policies.text_of(str(product.policy)), shipped)
    written = Inputs(
        policy=read_policy(
            _write(folder / shipped, compress_policy(policy, product, timeline, staging)), shipped
        ),
        product=read_product(
            _write(folder / staging.product, compress_product(product, timeline)), staging.product
        ),
        directory=read_directory(_write(folder / staging.directory, directory), staging.directory),
        timeline=timeline,
        dues={m.id: m.due for m in product.milestones if m.due},
        sunset=sunset_days(policy, product, staging),
    )
    _lint(written)
    return written


def sunset_days(policy: Policy, product: Product, staging: Staging) -> dict[str, datetime]:
    """The real date of each task, counted from the real notice."""
    if not (policy.sunset and staging.notice):
        return {}
    notice = at(staging.notice)
    layout = lay_out(
        policy.sunset, Adjustments(), maturity=product.maturity, now=notice, notice=notice
    )
    return {placed.task.id: placed.at for placed in layout.tasks}


def compress_policy(
    policy: Policy, product: Product, timeline: Timeline, staging: Staging
) -> Policy:
    """The policy with every span as long as it is played, counted from where it is used."""
    phases = tuple(_phase(phase, product, timeline, staging) for phase in policy.phases)
    sunset = policy.sunset
    if sunset and staging.notice:
        sunset = _plan(sunset, at(staging.notice), sunset_days(policy, product, staging), timeline)
    update = {"phases": phases, "sunset": sunset, "version": f"{policy.version}-compressed"}
    return policy.model_copy(update=update)


def compress_product(product: Product, timeline: Timeline) -> Product:
    """The product with the days of its milestones as they are played."""
    milestones = tuple(
        goal.model_copy(update={"due": timeline.played(goal.due)}) if goal.due else goal
        for goal in product.milestones
    )
    return product.model_copy(update={"milestones": milestones})


def _phase(phase: Phase, product: Product, timeline: Timeline, staging: Staging) -> Phase:
    update: dict[str, object] = {}
    dues = [m.due for m in product.milestones if m.phase == phase.id and m.due]
    if dues:  # a phase has one warning time for all its dates; the shortest warns of none too soon
        spans = [timeline.before(due, phase.at_risk) for due in dues]
        update["at_risk"] = min(spans, key=lambda span: span.exact)
    if phase.gate:
        update["gate"] = _gate(phase.gate, at(staging.gates[phase.gate.id]), timeline)
    return phase.model_copy(update=update)


def _gate(gate: Gate, opens: datetime, timeline: Timeline) -> Gate:
    days, clocks = Calendar.of(Person()), gate.clocks  # where nobody says otherwise
    due = days.due(opens, clocks.respond)
    clocks = Clocks(
        respond=timeline.between(opens, due),
        resolve=timeline.between(opens, days.due(opens, clocks.resolve)),
        remind=tuple(timeline.between(days.ahead_of(due, w), due) for w in clocks.remind),
        escalate=timeline.between(due, days.due(due, clocks.escalate)),
        on_timeout=clocks.on_timeout,
    )
    return gate.model_copy(update={"clocks": clocks})


def _plan(
    plan: SunsetPlan, notice: datetime, days: Mapping[str, datetime], timeline: Timeline
) -> SunsetPlan:
    owed = {word: timeline.after(notice, plan.notice_for(word)) for word in get_args(Maturity)}
    tasks = tuple(_task(task, notice, days, timeline) for task in plan.tasks)
    return plan.model_copy(update={"tasks": tasks, "minimum_notice": owed})


def _task(task: Task, notice: datetime, days: Mapping[str, datetime], timeline: Timeline) -> Task:
    counted_from = days[task.relative_to] if task.relative_to else notice
    day = days[task.id]
    update: dict[str, object] = {"at": timeline.between(counted_from, day)}
    if task.due:
        update["due"] = timeline.after(day, task.due)
    if isinstance(task, DateTask):
        update["remind"] = tuple(timeline.before(day, span) for span in task.remind)
    return task.model_copy(update=update)


def _example(name: str) -> str:
    return (EXAMPLES / name).read_text(encoding="utf-8")


def _write(path: Path, document: Document) -> str:
    """Write a document as YAML; the text."""
    yaml, text = YAML(), StringIO()
    yaml.width = 100
    text.write("# Generated by `phasegate demo`: real dates and spans, compressed into seconds.\n")
    yaml.dump(document.model_dump(mode="json", exclude_unset=True), text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.getvalue(), encoding="utf-8")
    return text.getvalue()


def _lint(inputs: Inputs) -> None:
    found = [
        *lint_policy(inputs.policy, inputs.directory),
        *lint_product(inputs.product, inputs.policy, inputs.directory),
        *lint_directory(inputs.directory),
    ]
    if errors := [str(finding) for finding in found if finding.severity == "error"]:
        raise EngineError(
            f"the demo's files of {inputs.product.name} have errors",
            "; ".join(errors),
            "phasegate policy lint policies/*.yaml",
        )
