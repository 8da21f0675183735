"""A plan without plans in it: every task by itself, under the name it is known by.

Names in `after` and `relative_to` are looked up where they stand first, then further out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field, ValidationError

from phasegate.adjusting import Adjustments
from phasegate.problems import DocPath, dotted
from phasegate.span import Span
from phasegate.sunset import (
    ArchiveTask,
    CommandTask,
    CustomTask,
    DateTask,
    GateTask,
    HttpTask,
    MailTask,
    ManualTask,
    NoticeTask,
    PlanTask,
    SunsetPlan,
    Task,
    WaitTask,
)
from phasegate.sunset_flaws import Flaw, meant

FlatTask = Annotated[
    NoticeTask
    | HttpTask
    | CommandTask
    | ArchiveTask
    | MailTask
    | ManualTask
    | CustomTask
    | WaitTask
    | DateTask
    | GateTask,
    Field(discriminator="kind"),
]
"""Every task but a plan."""

MOST = 500
"""Tasks of a sunset: its state is one payload, carried along whenever it continues as new."""

LONGEST_ID = 63


@dataclass(frozen=True)
class Leaf:
    """A task by itself. `path` is where it is written, from the top of its document."""

    task: FlatTask
    path: DocPath
    added: bool = False


@dataclass(frozen=True)
class Anchor:
    """From where the day of a task, or of a plan within the plan, counts; None: the notice."""

    at: Span
    relative_to: str | None


@dataclass
class Expanded:
    """All tasks in the order of the plan, those that a product adds at the end.

    `groups` are plans within the plan, and their copies, with the tasks in them; `days` has the
    plans, too. With `flaws` the rest is as good as it can be, for lint; of too many tasks nothing.
    """

    leaves: list[Leaf] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=dict)
    days: dict[str, Anchor] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)

    def ids_of(self, names: Iterable[str]) -> list[str]:
        """The tasks that names stand for, each once: a group's name stands for all in it."""
        found = (self.groups.get(name, [name]) for name in names)
        return list(dict.fromkeys(task for ids in found for task in ids))


@dataclass(frozen=True)
class _Within:
    """What a task has of the plans around it: `scopes` are their names, the innermost last."""

    scopes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    plan: str | None = None
    after: tuple[tuple[str, tuple[str, ...]], ...] = ()
    by: str | None = None
    due: Span | None = None
    each: str = ""

    def name(self, task_id: str) -> str:
        return f"{self.scopes[-1]}--{task_id}" if self.scopes else task_id


def expand(plan: SunsetPlan, adjustments: Adjustments | None = None) -> Expanded:
    """Take plans within the plan apart, and add what the product adds."""
    found = Expanded()
    count = _count(plan.tasks) + len(adjustments.add if adjustments else ())
    if count > MOST:  # plans in plans multiply, and a few lines make millions
        why = f"it has {count}, and {MOST} are carried out"
        found.flaws.append(Flaw("too-many-tasks", "there are too many tasks", why, path=("tasks",)))
        return found
    plans: list[_RawPlan] = []
    raw = list(_walk(plan.tasks, ("tasks",), _Within(), found.groups, plans, found.flaws))
    for i, added in enumerate(adjustments.add if adjustments else ()):
        raw.append((added, ("add", i), _Within()))
    kinds = {task.id: task.kind for task, _, _ in raw}
    known = kinds.keys() | found.groups.keys()
    names = [*((name, path) for name, _, path, _ in plans), *((t.id, path) for t, path, _ in raw)]
    found.flaws += _twins(names)
    for name, plan_task, path, within in plans:
        relative = _date(name, plan_task, path, within, kinds, found.flaws)
        found.days[name] = Anchor(plan_task.at, relative)
    for task, path, within in raw:
        after = _after(task, path, within, known, found.flaws)
        relative = _date(task.id, task, path, within, kinds, found.flaws)
        found.days[task.id] = Anchor(task.at, relative)
        flat = task.model_copy(update={"after": after, "relative_to": relative})
        found.leaves.append(Leaf(flat, path, added=path[0] == "add"))
    return found


def _count(tasks: Sequence[Task]) -> int:
    """How many tasks there are once every plan within the plan is taken apart."""
    plans = [task for task in tasks if isinstance(task, PlanTask)]
    return len(tasks) - len(plans) + sum(_count(p.tasks) * len(p.each or ("",)) for p in plans)


_Raw = tuple[FlatTask, DocPath, _Within]
_RawPlan = tuple[str, PlanTask, DocPath, _Within]


def _walk(
    tasks: Sequence[Task],
    path: DocPath,
    within: _Within,
    groups: dict[str, list[str]],
    plans: list[_RawPlan],
    flaws: list[Flaw],
) -> Iterator[_Raw]:
    """Tasks under their names, with what they have of the plans around them."""
    for i, task in enumerate(tasks):
        here = (*path, i)
        name = within.name(task.id)
        if not isinstance(task, PlanTask):
            if flat := _flat(task, name, here, within, flaws):
                for group in within.groups:
                    groups[group].append(flat.id)
                yield flat, here, within
            continue
        plans.append((name, task, here, within))
        for copy in task.each or ("",):
            scope = f"{name}--{copy}" if copy else name
            mine = tuple(dict.fromkeys((name, scope)))
            for group in mine:
                groups.setdefault(group, [])
            inner = _Within(
                scopes=(*within.scopes, scope),
                groups=(*within.groups, *mine),
                plan=name,
                after=(*within.after, *((other, within.scopes) for other in task.after)),
                by=task.by or within.by,
                due=task.due or within.due,
                each=copy or within.each,
            )
            yield from _walk(task.tasks, (*here, "tasks"), inner, groups, plans, flaws)


def _flat(
    task: FlatTask, name: str, path: DocPath, within: _Within, flaws: list[Flaw]
) -> FlatTask | None:
    """The task under its name, with what it inherits and the name that {each} stands for."""
    if not within.scopes:
        return task
    if len(name) > LONGEST_ID:
        why = f"its name is {name}, which is longer than {LONGEST_ID} characters"
        flaws.append(Flaw("unfit-task", f"{name} cannot be a task", why, path=path))
        return None
    data = task.model_dump(exclude_unset=True) | {"id": name}
    inherited = {"by": within.by, "due": within.due}
    data |= {key: value for key, value in inherited.items() if value and not data.get(key)}
    try:
        return type(task).model_validate(_put(data, within.each) if within.each else data)
    except ValidationError as error:
        why = error.errors(include_url=False)[0]["msg"]
        flaws.append(Flaw("unfit-task", f"{name} cannot be a task", why, path=path))
        return None


def _put(value: Any, each: str) -> Any:
    match value:
        case str():
            return value.replace("{each}", each)
        case dict():
            return {key: _put(inner, each) for key, inner in value.items()}
        case list() | tuple():
            return type(value)(_put(inner, each) for inner in value)
    return value


def _resolved(name: str, scopes: tuple[str, ...], known: Collection[str]) -> str | None:
    """The task or plan that a name means where it stands: the nearest of that name."""
    for scope in (*reversed(scopes), ""):
        full = f"{scope}--{name}" if scope else name
        if full in known:
            return full
    return None


def _after(
    task: FlatTask, path: DocPath, within: _Within, known: Collection[str], flaws: list[Flaw]
) -> tuple[str, ...]:
    """The tasks that a task comes after, also because the plan that it is of comes after them."""
    found: list[str] = []
    named = [*((name, within.scopes) for name in task.after), *within.after]
    for name, scopes in named:
        if target := _resolved(name, scopes, known):
            found.append(target)
        else:
            what = f"{task.id} cannot come after {name}"
            why = f"the sunset has no task of that name{meant(name, known)}"
            flaws.append(Flaw("unknown-task", what, why, path=(*path, "after")))
    return tuple(dict.fromkeys(found))


def _date(
    name: str,
    task: FlatTask | PlanTask,
    path: DocPath,
    within: _Within,
    kinds: Mapping[str, str],
    flaws: list[Flaw],
) -> str | None:
    """The date that a day counts from, or the plan that it is of; None means the notice."""
    if task.relative_to is None:
        return within.plan
    target = _resolved(task.relative_to, within.scopes, kinds)
    if target is not None and kinds[target] == "date":
        return target
    what, here = f"the day of {name} cannot count from {task.relative_to}", (*path, "relative_to")
    if target is None:
        dates = [task_id for task_id, kind in kinds.items() if kind == "date"]
        why = f"the sunset has no date of that name{meant(task.relative_to, dates)}"
        flaws.append(Flaw("unknown-task", what, why, path=here))
    else:
        why = f"that is no date (kind {kinds[target]}), and only dates are days to count from"
        flaws.append(Flaw("not-a-date", what, why, path=here))
    return within.plan


def _twins(names: Iterable[tuple[str, DocPath]]) -> Iterator[Flaw]:
    """Names given twice; those of tasks within a plan have its name in front."""
    first: dict[str, DocPath] = {}
    for name, path in names:
        if name in first and first[name] != path:
            what = f"sunset task {name} is given twice"
            where = dotted(first[name] if first[name][0] == "add" else ("sunset", *first[name]))
            why = f"first as {where}; rename one of them"
            yield Flaw("given-twice", what, why, path=(*path, "id"))
        elif name in first:
            what = f"sunset task {name} is given twice"
            why = "`each` names something twice"
            yield Flaw("given-twice", what, why, path=(*path[:-2], "each"))
        first.setdefault(name, path)
