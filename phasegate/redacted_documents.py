"""Documents of old without somebody: directories, and definitions of products."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from phasegate.base import canonical
from phasegate.directory import Directory, Person
from phasegate.redaction import KEPT, Subject


def names_in(directory: Directory, person: str) -> Iterator[str]:
    """What a directory calls somebody beside their id."""
    if found := directory.people.get(person):
        yield from (found.name, found.email)


def document_without(kind: str, body: str, subject: Subject) -> str:
    """A document of old in which the person is somebody: what they are called by, their keys,
    days off and where they live go; who stood in for whom and who was in which group stays."""
    said = json.loads(body)
    if kind == "directory" and subject.id in said["people"]:
        said["people"] = {
            subject.pseudonym if id == subject.id else id: _nobody(it) if id == subject.id else it
            for id, it in said["people"].items()
        }
    return canonical(_hidden(said, subject)).decode()


def _nobody(person: dict[str, Any]) -> dict[str, Any]:
    stays = {name: person.get(name) for name in ("manager", "deputy")}
    stays["absences"] = [away for away in person.get("absences", ()) if away.get("delegate")]
    return Person.model_validate(stays).model_dump(mode="json")


def _hidden(value: Any, subject: Subject) -> Any:
    """Names of fields stay: a group may be called like a person."""
    if isinstance(value, str):
        return subject.hidden(value)
    if isinstance(value, list):
        return [_hidden(item, subject) for item in value]
    if isinstance(value, dict):
        kept = (*KEPT, "key", "id")
        return {
            name: item if name in kept and not isinstance(item, dict) else _hidden(item, subject)
            for name, item in value.items()
        }
    return value
