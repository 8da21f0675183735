"""The command line. What the commands are is in `commands.catalogue`, their bodies beside it.

Commands are registered by import path and the overview pages are printed from the catalogue, so
that neither a typo nor `--help` waits for temporalio and pydantic to load.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from commands.catalogue import COMMANDS, Command, Noun

if TYPE_CHECKING:
    from cyclopts import App

ABOUT = "Product lifecycle gates on Temporal: from inception through launch to sunset."
EVERYWHERE = """\
Every command: --help, and --debug for tracebacks. Environment: PHASEGATE_AS (who you are),
PHASEGATE_DATA_DIR, PHASEGATE_LEDGER, PHASEGATE_TASK_QUEUE, PHASEGATE_UI_URL, and Temporal's own
TEMPORAL_*. Shell completion: phasegate --install-completion. Exit codes: 0 ok, 1 failure, 2 usage
or faulty document, 3 other outcome or timed out, 4 not permitted, 8 pending, 130 interrupted."""
HELP_FLAGS = ("--help", "-h")


def every_command() -> Iterator[tuple[tuple[str, ...], Command]]:
    """Every command with the words that call it."""
    for word, entry in COMMANDS.items():
        if isinstance(entry, Command):
            yield (word,), entry
        else:
            yield from (((word, verb), command) for verb, command in entry.verbs.items())


def build_app() -> App:
    """The whole command line, without a single body loaded."""
    from importlib.metadata import version

    from cyclopts import App

    app = App(
        name="phasegate",
        help=ABOUT,
        version=lambda: version("phasegate"),
        help_format="plaintext",
        help_epilogue=EVERYWHERE,
    )
    for word, entry in COMMANDS.items():
        if isinstance(entry, Command):
            _register(app, word, entry)
        else:
            noun = App(name=word, help=entry.help, version_flags=[])
            app.command(noun)
            for verb, command in entry.verbs.items():
                _register(noun, verb, command)
    app.register_install_completion_command(help="Install completion for your shell")
    return app


def _register(app: App, name: str, command: Command) -> None:
    app.command(
        command.body,
        name=name,
        version_flags=[],
    )


def overview(arguments: Sequence[str]) -> str | None:
    """The page for `phasegate` or `phasegate NOUN`, with or without --help; None for the rest."""
    words = [argument for argument in arguments if argument not in HELP_FLAGS]
    if not words:
        nouns = ((word, entry.help) for word, entry in COMMANDS.items())
        return _page("phasegate COMMAND", ABOUT, nouns, "phasegate dev", EVERYWHERE)
    entry = COMMANDS.get(words[0])
    if len(words) > 1 or not isinstance(entry, Noun):
        return None
    verbs = ((verb, command.help) for verb, command in entry.verbs.items())
    example = "\n  ".join(command.example for command in entry.verbs.values())
    more = f"More: phasegate {words[0]} COMMAND --help"
    return _page(f"phasegate {words[0]} COMMAND", f"{entry.help}.", verbs, example, more)


def _page(usage: str, about: str, rows: Iterator[tuple[str, str]], example: str, more: str) -> str:
    listed = list(rows)
    width = max(12, *(len(name) + 2 for name, _ in listed))
    lines = "\n".join(f"  {name:<{width}}{text}" for name, text in listed)
    return f"Usage: {usage}\n\n{about}\n\nCommands:\n{lines}\n\nExample:\n  {example}\n\n{more}"


def invoke(words: Sequence[str]) -> int:
    """Run a command; its exit code."""
    if (page := overview(words)) is not None:
        print(page)
        return 0
    from commands.failing import run

    code = run(build_app, list(words))
    if any(flag in words for flag in HELP_FLAGS) and (command := _called(words)):
        print(f"\nExample:\n  {command.example}")  # unwrapped, so that it can be copied
    return code


def _called(words: Sequence[str]) -> Command | None:
    entry = COMMANDS.get(words[0])
    if isinstance(entry, Noun):
        return entry.verbs.get(words[1]) if len(words) > 1 else None
    return entry


def _nowhere() -> TextIO:
    """For a stream that was closed by whoever called (`>&-`): Python has none then."""
    from os import devnull

    return open(devnull, "w", encoding="utf-8")


def main() -> int:
    """The console entry."""
    words = sys.argv[1:]
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    try:
        code = invoke(words)
        sys.stdout.flush()
    except OSError as error:  # printed beside the command: its help
        from commands.failing import unwritten

        code = unwritten(error, words)
    if "temporalio" in sys.modules:
        from client.leaving import leave

        leave(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
