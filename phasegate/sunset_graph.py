"""What waits for what, and whether it ever ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from phasegate.sunset import GateTask
from phasegate.sunset_expand import Expanded, Leaf

Edges = Mapping[str, Sequence[str]]
"""What each waits for."""


def waiting_for(leaves: Sequence[Leaf], found: Expanded, skipped: Iterable[str] = ()) -> Edges:
    """What each task waits for: `after`, the gate above it, and a gate all that is above it.

    Of several gates above, only the nearest is named: it waits for the others. For a task that is
    left out, what it would have waited for is waited for in its stead.
    """
    edges: dict[str, list[str]] = {}
    above: list[str] = []
    gate: list[str] = []
    for leaf in leaves:
        task = leaf.task
        needs = [*gate, *found.ids_of(task.after)]
        if isinstance(task, GateTask):
            needs += above
            above, gate = [], [task.id]
        else:
            above.append(task.id)
        edges[task.id] = list(dict.fromkeys(needs))
    return _without(edges, frozenset(skipped))


def _without(edges: dict[str, list[str]], skipped: frozenset[str]) -> Edges:
    if not skipped or cycle(edges):
        return edges
    kept: dict[str, list[str]] = {}
    for name in in_order(edges):
        needs: list[str] = []
        for other in edges[name]:
            needs += kept[other] if other in skipped else [other]
        kept[name] = list(dict.fromkeys(needs))
    return {name: kept[name] for name in edges}


def cycle(edges: Edges) -> list[str]:
    """The first circle there is, its first name repeated at the end; empty where there is none."""
    done: set[str] = set()
    for start in edges:
        way: list[str] = []
        on_way: set[str] = set()
        stack = [(start, iter(edges[start]))]
        while stack:
            name, others = stack[-1]
            if name not in on_way:
                if name in done:
                    stack.pop()
                    continue
                way.append(name)
                on_way.add(name)
            other = next((o for o in others if o in edges and o not in done), None)
            if other is None:
                done.add(name)
                on_way.discard(way.pop())
                stack.pop()
            elif other in on_way:
                return [*way[way.index(other) :], other]
            else:
                stack.append((other, iter(edges[other])))
    return []


def in_order(edges: Edges) -> list[str]:
    """Every name after those that it waits for; otherwise as they are listed. No cycles allowed."""
    order: dict[str, None] = {}
    for start in edges:
        stack = [start]
        while stack:
            name = stack[-1]
            missing = [o for o in edges[name] if o not in order]
            if missing and name not in order:
                stack += reversed(missing)
                continue
            stack.pop()
            order.setdefault(name)
    return list(order)
