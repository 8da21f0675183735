"""`phasegate directory publish|show|lint|diff`. The ledger keeps them; only `publish` needs a
server, to tell the open gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.options import Output, Who

if TYPE_CHECKING:
    from client.directories import Published
    from ledger import Ledger

File = Annotated[str, Parameter(help="A directory file (YAML)")]
Reference = Annotated[str, Parameter(help="A published directory's NAME, or a FILE")]


async def publish(
    file: File,
    /,
    *,
    who: Who,
    notify: Annotated[
        bool, Parameter(negative="--no-notify", help="Tell open gates to read it again")
    ] = True,
    output: Output = "table",
) -> None:
    """Make a directory the current one of its name, and tell the open gates.

    They then know who joined and who left; votes that were cast stand. The same directory again
    changes nothing, but tells them again. Who publishes it decides who may vote: the record has
    their name as it was given, and nobody checks it but whoever may write the ledger.
    """
    from client import directories
    from client.documents import check_directory, read_text, refuse
    from commands.output import Fields, emit, note
    from commands.parsing import person_of
    from phasegate.reading import parse_directory

    who = person_of(who)
    parsed = parse_directory(read_text(file), file)
    found = check_directory(parsed)
    refuse(found)
    for _, problem in found:
        note(f"warning: {problem}")
    done = directories.publish(_ledger(), parsed.model, who)
    if notify:
        await _tell_gates(done, file, who)
    shown = [
        ("directory", done.name),
        ("publication", f"{done.n}" + ("" if done.changed else " (unchanged)")),
        ("digest", done.digest),
        ("published by", done.published_by),
        ("gates told", done.gates_heard if done.notified else None),
        ("no answer", done.gates_silent),
    ]
    emit(done, lambda: [Fields(shown)], output)


async def _tell_gates(done: Published, file: str, who: str) -> None:
    """Fill in who heard of it. It stands as published, whoever does."""
    from client.engine import Engine
    from client.notifying import notify
    from commands.output import note
    from phasegate.errors import EngineError

    again = f"phasegate directory publish {file} --as {who}"
    try:
        told = await notify(await Engine.connect(), done.name, done.digest, who)
    except EngineError as error:
        note(f"warning: it is published, but open gates will not have heard: {error}")
        note(f"hint: {again}  # tells them, once the server is there")
        return
    done.notified, done.gates_heard, done.gates_silent = True, told.heard, told.silent
    if told.silent:
        note(f"warning: it is published, but {len(told.silent)} open gates gave no answer")
        note(f"hint: {again}  # tells them again; does a worker run? phasegate doctor says")


def show(name: Reference = "default", /, *, output: Output = "table") -> None:
    """People, their calendars and absences; groups, and what their members may do.

    -o yaml prints a file that can be changed and published.
    """
    from client.documents import find_directory
    from commands.directory_blocks import directory_blocks
    from commands.output import emit
    from phasegate.base import digest_of

    directory = find_directory(name, _ledger()).model
    document, digest = directory.model_dump(mode="json"), digest_of(directory)
    if output == "yaml":  # a file that lint and publish read
        print(f"# digest: {digest}")
    elif output != "table":
        document["digest"] = digest
    emit(document, lambda: directory_blocks(directory), output)


def lint(file: File, /, *, output: Output = "table") -> int:
    """Find what is wrong with a directory file. Exit code 2 where there are errors."""
    from client.documents import check_directory, read_text
    from commands.findings import print_findings
    from phasegate.reading import parse_directory

    text = read_text(file)
    return print_findings(file, lambda: check_directory(parse_directory(text, file)), output)


def diff(old: Reference, new: Reference, /, *, output: Output = "table") -> None:
    """Who came, who left, what changed about people and groups."""
    from client import directories
    from client.documents import find_directory
    from commands.directory_blocks import diff_blocks
    from commands.output import emit, note

    ledger = _ledger()
    change = directories.diff(
        find_directory(old, ledger).model, find_directory(new, ledger).model, names=(old, new)
    )
    emit(change, lambda: diff_blocks(change), output)
    if not any((change.people_added, change.people_removed, change.people_changed, change.groups)):
        note("no difference")


def _ledger() -> Ledger:
    from client.settings import Settings
    from ledger import Ledger

    return Ledger(Settings.load().ledger_url)
