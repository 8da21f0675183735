"""Keys: whether what the directory lists are keys, whose they are, and who has none for a gate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from phasegate.directory import Directory, Permission, Person
from phasegate.gate import Gate
from phasegate.lint.findings import Finding
from phasegate.problems import DocPath
from phasegate.ssh_keys import is_valid, public_key


def key_findings(directory: Directory, today: date | None = None) -> Iterator[Finding]:
    """What is no public key, the same key twice, bounds that leave no day, and people none of whose
    keys counts `today`; without it, all of whose keys are revoked."""
    owners: dict[bytes, str] = {}
    for name, person in directory.people.items():
        for i, key in enumerate(person.keys):
            path: DocPath = ("people", name, "keys", i)
            try:
                blob = public_key(key.key).blob
            except ValueError as error:
                yield Finding("error", (*path, "key"), str(error))
                continue
            owner = owners.setdefault(blob, name)
            if owner != name:
                message = (
                    f"{owner} has the same key: each could sign for the other. Let one of them "
                    "make another: ssh-keygen -t ed25519"
                )
                yield Finding("error", (*path, "key"), message)
            elif any(other.key.split()[:2] == key.key.split()[:2] for other in person.keys[:i]):
                yield Finding("warning", (*path, "key"), "this key is listed twice; keep one")
            if key.valid_from and key.valid_until and key.valid_until < key.valid_from:
                message = f"ends on {key.valid_until}, before it starts on {key.valid_from}"
                yield Finding("error", (*path, "valid_until"), message)
        if person.keys and not _signs(person, today):
            message = (
                f"no key of {name} counts any more: each is revoked, unreadable or out of its "
                f"days; {name} can sign nothing until there is another"
            )
            yield Finding("warning", ("people", name, "keys"), message)


def signed_gate_findings(
    path: DocPath, gate: Gate, directory: Directory, today: date | None = None
) -> Iterator[Finding]:
    """Who has a say at a gate that takes only what is signed, and no key to sign with."""
    if gate.assurance != "signed":
        return
    here = (*path, "assurance")
    groups = [group for requirement in gate.requires for group in requirement.groups]
    groups += [*gate.reviewers, *(c.attested_by for c in gate.criteria if c.attested_by)]
    asked = dict.fromkeys(person for group in groups for person in directory.members(group))
    bare = [person for person in asked if not _signs(directory.people.get(person), today)]
    if bare:
        yield Finding(
            "warning",
            here,
            f"gate {gate.id} takes only what is signed, and the directory has no key of "
            f"{', '.join(sorted(bare))}; add their .pub lines as keys",
        )
    for permission in (Permission.override, Permission.extend, Permission.reassign):
        holders = dict.fromkeys(
            person
            for group in directory.groups.values()
            if group.permissions.get(permission)
            for person in group.members
        )
        bare = [person for person in holders if not _signs(directory.people.get(person), today)]
        if holders and len(bare) == len(holders):
            yield Finding(
                "warning",
                here,
                f"nobody who may {permission} has a key, so that nobody can {permission} gate "
                f"{gate.id}: {', '.join(sorted(bare))}",
            )


def _signs(person: Person | None, today: date | None) -> bool:
    """Whether the directory has a key of somebody that counts; where the day is not known, one that
    is not revoked."""
    for key in person.keys if person else ():
        counts = is_valid(key, today) if today else not key.revoked
        if counts and _readable(key.key):
            return True
    return False


def _readable(text: str) -> bool:
    try:
        public_key(text)
    except ValueError:
        return False
    return True
