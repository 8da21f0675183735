"""`phasegate directory publish|show|lint|diff`. The ledger keeps them; no server is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.options import Output

if TYPE_CHECKING:
    from ledger import Ledger

File = Annotated[str, Parameter(help="A directory file (YAML)")]
Reference = Annotated[str, Parameter(help="A published directory's NAME, or a FILE")]


def publish(
    file: File,
    /,
    *,
    who: Annotated[
        str, Parameter(name="--as", env_var="PHASEGATE_AS", help="Who publishes it")
    ] = "",
    output: Output = "table",
) -> None:
    """Make a directory the current one of its name. The same one again changes nothing.

    Rounds that open from now on use it; open rounds keep the one they opened with.
    """
    from client import directories
    from client.documents import check_directory, read_text, refuse
    from commands.output import Fields, emit, note
    from commands.parsing import person_of
    from phasegate.reading import parse_directory

    who = person_of(who) if who else ""
    parsed = parse_directory(read_text(file), file)
    found = check_directory(parsed)
    refuse(found)
    for _, problem in found:
        note(f"warning: {problem}")
    done = directories.publish(_ledger(), parsed.model, who)
    shown = [
        ("directory", done.name),
        ("publication", f"{done.n}" + ("" if done.changed else " (unchanged)")),
        ("digest", done.digest),
    ]
    emit(done, lambda: [Fields(shown)], output)


def show(name: Reference = "default", /, *, output: Output = "table") -> None:
    """Groups and their members."""
    from client.documents import find_directory
    from commands.output import Fields, Grid, emit
    from phasegate.base import digest_of

    directory = find_directory(name, _ledger()).model
    digest = digest_of(directory)
    document = {**directory.model_dump(mode="json"), "digest": digest}
    head = Fields(
        [
            ("directory", directory.directory),
            ("people", len(directory.people)),
            ("digest", digest),
        ]
    )
    groups = [
        (group, about.title, len(about.members), directory.members(group))
        for group, about in sorted(directory.groups.items())
    ]
    people = [
        (person, about.name, about.email, about.manager, directory.groups_of(person))
        for person, about in sorted(directory.people.items())
    ]
    emit(
        document,
        lambda: [
            head,
            Grid(("group", "title", "size", "members"), groups, "Groups"),
            Grid(("person", "name", "mail", "manager", "groups"), people, "People"),
        ],
        output,
    )


def lint(file: File, /, *, output: Output = "table") -> int:
    """Find what is wrong with a directory file. Exit code 2 where there are errors."""
    from client.documents import check_directory, read_text
    from commands.findings import print_findings
    from phasegate.reading import parse_directory

    text = read_text(file)
    return print_findings(file, lambda: check_directory(parse_directory(text, file)), output)


def diff(old: Reference, new: Reference, /, *, output: Output = "table") -> None:
    """Who came, who left, which groups changed."""
    from client import directories
    from client.documents import find_directory
    from commands.output import Grid, emit, note

    ledger = _ledger()
    change = directories.diff(
        find_directory(old, ledger).model, find_directory(new, ledger).model, names=(old, new)
    )
    people = [
        *(("added", person) for person in change.people_added),
        *(("removed", person) for person in change.people_removed),
        *(("changed", person) for person in change.people_changed),
    ]
    groups = [(g.change, g.group, g.added, g.removed) for g in change.groups]
    emit(
        change,
        lambda: [
            Grid(("change", "person"), people, "People"),
            Grid(("change", "group", "joined", "left"), groups, "Groups"),
        ],
        output,
    )
    if not people and not groups:
        note("no difference")


def _ledger() -> Ledger:
    from client.settings import Settings
    from ledger import Ledger

    return Ledger(Settings.load().ledger_url)
