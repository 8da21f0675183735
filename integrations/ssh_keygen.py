"""Running ssh-keygen: it says whether a signature is good, and makes one.

The worker asks it in an activity, an auditor on a bundle, and the command line signs with it, so
that it stands below all three. Everything that was signed came from outside: what is handed to the
program was taken apart and put together again, in a folder that nobody else can read.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from phasegate.directory import Key
from phasegate.errors import PhasegateError
from phasegate.ports import SignatureFinding
from phasegate.signing import NAMESPACE
from phasegate.ssh_keys import Signature, is_revoked, is_valid, keys_like, public_key, signature

SECONDS = 3.0
"""How long one run may take that asks nobody."""

PATIENCE = 180.0
"""Seconds for somebody to type a passphrase or touch a key."""

_HEARD = 8_000
_NOISE = "Signing data on standard input"


class KeygenError(PhasegateError):
    """ssh-keygen could not be run, so that it is not known whether a signature is good."""


class NotSigned(PhasegateError):
    """Nothing was signed: no key, a wrong passphrase, or nobody touched it."""


def verify(
    keys: Sequence[Key],
    person: str,
    statement: str,
    armored: str,
    *,
    at: datetime,
    signed_at: datetime | None = None,
) -> SignatureFinding:
    """Whether the person signed the statement, with a key of theirs that is valid at `at` and, if
    that is given, was valid at `signed_at`.

    Raises KeygenError where that cannot be found out; it is never a bad signature then.
    """
    try:
        found = signature(armored)
    except ValueError as error:
        return SignatureFinding(code="bad-signature", problem=str(error))
    key = found.key.fingerprint
    if found.namespace != NAMESPACE:
        problem = f"it was made for {found.namespace[:60]!r}, not for {NAMESPACE}"
        return SignatureFinding(key=key, code="bad-signature", problem=problem)
    mine = keys_like(keys, found.key)
    if not mine:
        problem = f"the directory has no key {key} of {person}"
        return SignatureFinding(key=key, code="unknown-key", problem=problem)
    if revoked := [k for k in mine if is_revoked(k, at.date())]:
        problem = f"key {key} of {person} is revoked since {revoked[0].revoked}"
        return SignatureFinding(key=key, code="revoked-key", problem=problem)
    days = {at.date(), (signed_at or at).date()}
    fit = [k for k in mine if all(is_valid(k, day) for day in days)]
    if not fit:
        bounds = f"from {mine[0].valid_from or 'ever'} until {mine[0].valid_until or 'ever'}"
        problem = f"key {key} of {person} is valid {bounds}"
        return SignatureFinding(key=key, code="expired-key", problem=problem)
    if not _good(allowed_signers(person, fit), person, statement, found, at):
        problem = f"key {key} did not sign this: what was signed is something else"
        return SignatureFinding(key=key, code="bad-signature", problem=problem)
    return SignatureFinding(key=key)


def allowed_signers(person: str, keys: Sequence[Key]) -> str:
    """The file that tells ssh-keygen whose keys these are (ssh-keygen(1), ALLOWED SIGNERS).

    Its days are those of the time zone that it runs in: UTC.
    """
    lines = []
    for key in keys:
        options = [f'namespaces="{NAMESPACE}"']
        if key.valid_from:
            options.append(f'valid-after="{key.valid_from:%Y%m%d}"')
        if key.valid_until:
            options.append(f'valid-before="{key.valid_until:%Y%m%d}235959"')
        lines.append(f"{person} {','.join(options)} {public_key(key.key).line}\n")
    return "".join(lines)


def _good(allowed: str, person: str, statement: str, found: Signature, at: datetime) -> bool:
    program = _program()
    try:
        with tempfile.TemporaryDirectory(prefix="phasegate-") as folder:  # 0700
            signers, sig = Path(folder, "allowed_signers"), Path(folder, "signature")
            signers.write_text(allowed, "utf-8")
            sig.write_text(found.armored, "utf-8")
            when = ["-O", f"verify-time={at:%Y%m%d%H%M%S}"]
            files = ["-f", str(signers), "-s", str(sig), *when]
            asked = ["-Y", "verify", "-I", person, "-n", NAMESPACE, *files]
            done = _run([program, *asked], folder, statement.encode())
            if done.returncode == 0 and found.key.fingerprint in done.stdout.decode():
                return True
            # It ends with the same code where it could read nothing. So it is asked what it must
            # know if it works at all: whose key this is.
            proof = _run([program, "-Y", "find-principals", *files], folder, b"")
            if proof.returncode == 0 and person in proof.stdout.decode().split():
                return False
            why = (done.stderr or proof.stderr).decode(errors="replace").strip()[-300:]
    except OSError as error:
        raise _unusable(error.strerror or str(error)) from error
    raise _unusable(why or "it gave no reason")


def _run(argv: list[str], folder: str, stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": folder, "TZ": "UTC", "LC_ALL": "C"}
    try:
        return subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            check=False,
            cwd=folder,
            env=env,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise _unusable(f"it took longer than {SECONDS:.0f} seconds") from error


def _program() -> str:
    if program := shutil.which("ssh-keygen"):
        return program
    raise _unusable("it is not installed")


def _unusable(why: str) -> KeygenError:
    what = "ssh-keygen cannot be used, which makes and checks signatures"
    return KeygenError(what, why, "ssh -V  # it comes with OpenSSH: apt install openssh-client")


async def sign(statement: str, key: Path) -> str:
    """Sign with a key file, or with an agent's key whose .pub file this is; the armored signature.

    ssh-keygen asks on the terminal for a passphrase or a touch. Raises NotSigned and KeygenError.
    """
    process = await asyncio.create_subprocess_exec(
        *(_program(), "-Y", "sign", "-n", NAMESPACE, "-f", str(key)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    try:
        async with asyncio.timeout(PATIENCE):
            with suppress(BrokenPipeError, ConnectionResetError):  # it says why on stderr
                process.stdin.write(statement.encode())
                await process.stdin.drain()
            process.stdin.close()
            said, made = await asyncio.gather(_passed_on(process.stderr), process.stdout.read())
            code = await process.wait()
    except TimeoutError:
        raise _not_signed(key, f"nobody answered within {PATIENCE:.0f} seconds") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code == 0:
        return made.decode()
    lines = [line for line in said.splitlines() if line.strip() and _NOISE not in line]
    raise _not_signed(key, lines[-1].strip() if lines else f"ssh-keygen ended with {code}")


async def _passed_on(stderr: asyncio.StreamReader) -> str:
    """Show what it asks while it asks it; and keep it, to say why nothing was signed."""
    heard = b""
    while chunk := await stderr.read(4096):
        heard = (heard + chunk)[-_HEARD:]
        if _NOISE.encode() not in chunk:
            sys.stderr.write(chunk.decode(errors="replace"))
            sys.stderr.flush()
    return heard.decode(errors="replace")


def _not_signed(key: Path, why: str) -> NotSigned:
    hint = f"ssh-keygen -Y sign -n {NAMESPACE} -f {key} /etc/hostname  # tries the key by itself"
    return NotSigned(f"nothing was signed with {key}", why, hint)


async def agent_keys() -> list[str]:
    """The public keys that an agent holds, as lines of .pub files; none where there is no agent."""
    program = shutil.which("ssh-add")
    if program is None or "SSH_AUTH_SOCK" not in os.environ:
        return []
    process = await asyncio.create_subprocess_exec(
        program, "-L", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(SECONDS):
            out, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return []
    return out.decode(errors="replace").splitlines() if process.returncode == 0 else []
