"""`phasegate keyring new|add|use|show`. No server is needed, and no key is ever printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from commands.options import Output

if TYPE_CHECKING:
    from client.keyring import Keyring

File = Annotated[str, Parameter(help="The file of the key ring")]
Id = Annotated[str, Parameter(help="What the key is called: a date is a good name, and no secret")]


def new(
    file: File,
    /,
    *,
    key_id: Annotated[str | None, Parameter(name="--id", help="What its key is called")] = None,
    output: Output = "table",
) -> None:
    """Make a key ring in a new file that only you may read.

    An existing file is never overwritten. Keep a copy where your backups are not: without it,
    nothing of what Temporal holds can be read again.
    """
    from pathlib import Path

    from client.keyring import FILE, Keyring, write_keyring
    from commands.output import note

    path, ring = Path(file).expanduser(), Keyring.new(key_id or _unused())
    write_keyring(path, ring, new=True)
    _show(ring, file, output)
    note(f"hint: export {FILE}={path.absolute()}  # for every worker and command")


def add(
    file: File,
    /,
    *,
    key_id: Annotated[str | None, Parameter(name="--id", help="What the key is called")] = None,
    output: Output = "table",
) -> None:
    """Add a key to a key ring. It decrypts at once, and encrypts when it is used.

    Give the file to every machine and restart what runs there; then phasegate keyring use.
    """
    from pathlib import Path

    from client.keyring import read_keyring, write_keyring
    from commands.output import note

    path, key_id = Path(file).expanduser(), key_id or _unused()
    ring = read_keyring(path).with_key(key_id)
    write_keyring(path, ring, new=False)
    _show(ring, file, output)
    note(f"hint: phasegate keyring use {file} {key_id}  # once every machine has this file")


def use(file: File, key_id: Id, /, *, output: Output = "table") -> None:
    """Encrypt with this key from now on. The others go on decrypting.

    What runs takes it up when it is restarted.
    """
    from pathlib import Path

    from client.keyring import read_keyring, write_keyring

    path = Path(file).expanduser()
    ring = read_keyring(path).using(key_id)
    write_keyring(path, ring, new=False)
    _show(ring, file, output)


def show(
    file: Annotated[
        str | None, Parameter(help="The file of the key ring; that of the environment if unset")
    ] = None,
    /,
    *,
    output: Output = "table",
) -> None:
    """Say which keys a key ring has, and which one encrypts; no key is shown.

    Machines whose key rings have the same fingerprint read each other.
    """
    from pathlib import Path

    from client.keyring import FILE, TEXT, load_keyring, read_keyring
    from client.usage import UsageError

    ring = read_keyring(Path(file).expanduser()) if file else load_keyring()
    if ring is None:
        why = f"neither {FILE} nor {TEXT} is set: confidential mode is off"
        raise UsageError("there is no key ring", why, "phasegate keyring show keyring.json")
    _show(ring, file, output)


def _show(ring: Keyring, file: str | None, output: Any) -> None:
    from commands.output import Fields, emit

    document = {
        "schema_version": 1,
        "file": file,
        "current": ring.current,
        "keys": list(ring.keys),
        "fingerprint": ring.fingerprint,
    }
    rows = [
        ("file", file),
        ("encrypts with", ring.current),
        ("decrypts with", ", ".join(ring.keys)),
        ("fingerprint", ring.fingerprint),
    ]
    emit(document, lambda: [Fields(rows)], output)


def _unused() -> str:
    """An id that no other ring has: two of one name would be told apart by nobody."""
    from datetime import UTC, datetime
    from secrets import token_hex

    return f"k{datetime.now(UTC):%Y-%m-%d}-{token_hex(3)}"
