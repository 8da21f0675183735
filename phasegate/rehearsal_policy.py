"""A policy and a product made fit for a rehearsal: what would reach the world is done by people.

Phases, gates, requirements, criteria, clocks and the sunset's days stay as they are. No system is
asked, nothing is called, and nobody's key is used: checks are reported, acts are confirmed, and
gates that take signed votes take claimed ones.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from phasegate.check import ReportedCheck
from phasegate.directory import Absence, Directory, Group, Person
from phasegate.policy import Policy
from phasegate.product import Goal, Market, Need, Product
from phasegate.rehearsal import Script

MADE_UP = "rehearsed"
"""The key and owner of a product that nobody gave."""

BY_PEOPLE = ("kind", "id", "title", "at", "relative_to", "after", "by", "due", "effect")
ACTING = ("http", "command", "archive", "mail", "custom")


def by_people(policy: Policy) -> Policy:
    """The policy, with everything that reaches the world done by people."""
    return Policy.model_validate(_by_people(policy.model_dump(mode="python")))


def _by_people(node: Any) -> Any:
    if isinstance(node, list | tuple):
        return [_by_people(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {name: _by_people(value) for name, value in node.items()}
    if "check" in found and found["check"] and found["check"]["kind"] != "reported":
        found["check"] = {"kind": "reported"}
    if "assurance" in found:
        found["assurance"] = "claimed"
    if found.get("kind") in ACTING and "at" in found:
        found = {name: found[name] for name in BY_PEOPLE if name in found} | {"kind": "manual"}
    if found.get("undo"):
        found["undo"] = {"kind": "manual"}
    found.pop("customer_reminder", None)
    return found


def reported(product: Product) -> Product:
    """The product, with the checks of its own milestones reported."""
    milestones = tuple(
        plan.model_copy(update={"check": ReportedCheck()})
        if plan.check and not isinstance(plan.check, ReportedCheck)
        else plan
        for plan in product.milestones
    )
    return product.model_copy(update={"milestones": milestones})


def made_up(policy: Policy, directory: Directory) -> Product:
    """A product that has everything a policy usually asks for, of somebody who votes nowhere."""
    owner = MADE_UP
    while owner in directory.people:
        owner += "-owner"
    return Product(
        key=MADE_UP,
        name="A product made up for a rehearsal",
        owner=owner,
        policy=policy.policy,
        summary="Nobody gave a product",
        market=Market(segment="A segment", problem="A problem", size="Large"),
        customer_needs=(Need(need="A need", evidence="Interviews"),),
        goals=(Goal(goal="A goal", metric="A metric", target="1"),),
    )


def made_up_people(policy: Policy) -> Directory:
    """Two people for each group that the policy names, and a manager of all of them."""
    groups = sorted(_named(policy.model_dump(mode="python")))
    members = {group: (f"{group[:60]}-1", f"{group[:60]}-2") for group in groups}
    people = {person: Person(manager="manager") for both in members.values() for person in both}
    return Directory(
        directory="made-up",
        people={**people, "manager": Person()},
        groups={group: Group(members=both) for group, both in members.items()},
    )


_ONE = ("group", "attested_by", "by", "abort_by", "legal_hold_by")
_SEVERAL = ("any_of", "include", "reviewers")


def _named(node: Any) -> set[str]:
    """The groups that a policy names, wherever it does."""
    if isinstance(node, list | tuple):
        return {group for item in node for group in _named(item)}
    if not isinstance(node, dict):
        return set()
    own = {node[name] for name in _ONE if isinstance(node.get(name), str)}
    own |= {group for name in _SEVERAL for group in node.get(name) or ()}
    return own | {group for value in node.values() for group in _named(value)}


def with_owner(directory: Directory, owner: str) -> Directory:
    """The directory, with the owner of the product in it."""
    if owner in directory.people:
        return directory
    people = {**directory.people, owner: Person(name="Owner of the product")}
    return directory.model_copy(update={"people": people})


def on_leave(directory: Directory, script: Script) -> Directory:
    """The directory, with the absences of the script."""
    people = dict(directory.people)
    for person, manner in script.people.items():
        if manner.away and person in people:
            known = people[person]
            absences = (*known.absences, *manner.away)
            people[person] = known.model_copy(update={"absences": absences})
    return directory.model_copy(update={"people": people})


def without(directory: Directory, person: str, start: datetime, end: datetime) -> Directory:
    """The directory, with one person on leave from the start to a year after the end, and without
    a delegate: nobody is waited for who is back soon after the horizon."""
    away = Absence(start=(start - timedelta(days=2)).date(), end=(end + timedelta(days=366)).date())
    left = directory.people[person].model_copy(update={"absences": (away,)})
    return directory.model_copy(update={"people": {**directory.people, person: left}})


def askable(policy: Policy, product: Product, directory: Directory) -> list[str]:
    """Everybody whom the product may ask something: voters, and members of groups that attest,
    report or do a task. Sorted; without the owner, who stops everything by being away."""
    groups: set[str] = set()
    people: set[str] = set()
    for gate in policy.gates():
        narrowed = product.approvers.get(gate.id, {})
        for requirement in gate.requires:
            if not requirement.tiers or product.tier in requirement.tiers:
                for group in requirement.groups:
                    voters = directory.voters(group, product.tier)
                    named = narrowed.get(group)
                    people |= {p for p in voters if named is None or p in named}
        groups |= {c.attested_by for c in gate.criteria if c.attested_by}
    checks = [goal.check for phase in policy.phases for goal in phase.milestones]
    checks += [plan.check for plan in product.milestones if plan.check]
    groups |= {check.by for check in checks if isinstance(check, ReportedCheck) and check.by}
    groups |= _doers(policy.model_dump(mode="python").get("sunset") or {})
    people |= {person for group in groups for person in directory.members(group)}
    return sorted((people & directory.people.keys()) - {product.owner})


def _doers(node: Any) -> set[str]:
    if isinstance(node, list | tuple):
        return {group for item in node for group in _doers(item)}
    if not isinstance(node, dict):
        return set()
    own = {node["by"]} if node.get("kind") and node.get("by") else set()
    return own | {group for value in node.values() for group in _doers(value)}
