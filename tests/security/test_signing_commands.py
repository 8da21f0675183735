"""`--sign` as people use it: a process, an agent, key files with and without a passphrase."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from processes import ROOT
from signers import Opened, Signer, entry, make_key, public
from stage import WAIT

from client.inbox import inbox
from client.signing import Signing, ready
from phasegate.errors import PhasegateError
from phasegate.requests import VoteRequest
from phasegate.ssh_keys import public_key

Answer = tuple[int, str, str]


async def phasegate(*words: str, **env: str) -> Answer:
    """The exit code, and what it wrote on stdout and stderr. It has no terminal to ask on."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "cli.py"), *words),
        env={**os.environ, **env},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def at_terminal(command: list[str], passphrase: str) -> tuple[int, str]:
    """What somebody sees who runs this on a terminal and types the passphrase when asked."""
    terminal, theirs = pty.openpty()
    # setsid makes it the controlling terminal: ssh-keygen asks there, whatever its input is.
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *command], stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen, asked = b"", False
    with suppress(OSError):  # how Linux says that nobody is on the other side any more
        while chunk := os.read(terminal, 4096):
            seen += chunk
            if b"passphrase" in seen and not asked:
                asked = True
                os.write(terminal, passphrase.encode() + b"\n")
    os.close(terminal)
    return process.wait(), seen.decode()


@pytest.fixture
def agent(tmp_path: Path, keys: dict[str, Path]) -> Iterator[str]:
    """The socket of an agent that holds the key of ana, and another's before it."""
    socket = tmp_path / "agent"
    process = subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        env = {**os.environ, "SSH_AUTH_SOCK": str(socket)}
        deadline = time.monotonic() + WAIT
        # Its socket is there a moment before it listens. It has no keys yet, which is 1; 2 is that
        # nobody answers.
        listing = ["ssh-add", "-l"]
        while subprocess.run(listing, env=env, capture_output=True, check=False).returncode == 2:
            assert process.poll() is None
            assert time.monotonic() < deadline, "the agent does not answer"
            time.sleep(0.05)
        for who in ("eve", "ana"):
            subprocess.run(["ssh-add", str(keys[who])], env=env, check=True, capture_output=True)
        yield str(socket)
    finally:
        process.kill()
        process.wait()


async def in_inbox(signer: Signer, who: str, there: bool) -> None:
    """Wait until the server's lists, which lag behind votes, have it so."""

    async def is_so() -> bool | None:
        rows = await inbox(signer.stage.engine, who)
        return any(row.product == signer.stage.key for row in rows) is there or None

    await signer.stage.until(is_so, f"{who} is asked: {there}")


async def test_a_vote_signed_by_the_agent_counts_and_one_without_is_not_even_sent(
    opened: Opened, agent: str, tmp_path: Path
) -> None:
    s = await opened()
    place, env = f"{s.stage.key}/launch", {"SSH_AUTH_SOCK": agent, "HOME": str(tmp_path)}
    code, _, err = await phasegate("gate", "vote", place, "go", "--as", "ana", **env)
    assert code == 2
    assert "takes only what is signed" in err
    assert f"hint: phasegate gate vote {place} go --as ana --sign" in err
    code, out, err = await phasegate(
        *("gate", "vote", place, "go", "--as", "ana", "--sign", "-o", "json"), **env
    )
    assert (code, json.loads(out)["round"]) == (0, 1), err
    await in_inbox(s, "ana", there=False)
    code, out, err = await phasegate(
        *("gate", "withdraw", place, "--as", "ana", "--sign", "-o", "json"), **env
    )
    assert code == 0, err
    await in_inbox(s, "ana", there=True)
    every = ("gate", "vote", "--all", "go", "--as", "ana")
    every += ("--product-filter", f'product.key == "{s.stage.key}"')
    code, out, err = await phasegate(*every, "--dry-run", **env)
    assert (code, "what is signed" in out) == (0, True), err
    code, out, err = await phasegate("inbox", "--as", "ana", **env)
    assert "what is signed" in out
    assert f"phasegate gate vote {place} go --as ana --revision" in err
    assert err.rstrip().endswith("--sign")
    words = (*every, "--yes", "-o", "json")
    code, out, err = await phasegate(*words, **env)
    (row,) = json.loads(out)
    assert row["code"] == "unsigned"
    assert row["hint"].startswith(f"phasegate gate vote {place} go --as ana --revision ")
    code, out, err = await phasegate(*words, "--sign", **env)
    assert [row["taken"] for row in json.loads(out)] == [True], err
    code, out, _ = await phasegate("gate", "show", place, "-o", "json")
    shown = json.loads(out)
    assert shown["assurance"] == "signed"
    vote = shown["votes"][-1]
    assert (vote["approver"], vote["vote"], vote["assurance"]) == ("ana", "go", "signed")
    assert vote["key"] == public_key(public(s.keys["ana"])).fingerprint
    assert shown["refused"] == [], "nothing was sent that had to be refused"


async def test_a_key_of_somebody_else_and_one_that_is_not_to_sign_are_not_sent(
    opened: Opened,
) -> None:
    s = await opened()
    place, other = f"{s.stage.key}/launch", str(s.keys["eve"])
    words = ("gate", "vote", place, "go", "--as", "bo", "--key", other)
    code, _, err = await phasegate(*words)
    assert code == 2
    assert f"hint: phasegate {' '.join(words)} --sign" in err
    code, _, err = await phasegate(*words, "--sign")
    assert code == 1
    assert f"key {public_key(public(s.keys['eve'])).fingerprint} is none of bo" in err
    assert public_key(public(s.keys["bo"])).fingerprint in err, "it says which would do"
    code, _, err = await phasegate(*words[:-2], PHASEGATE_SSH_KEY=other)
    assert "takes only what is signed" in err, "a key in the environment is there for --sign"
    view = await s.stage.gate("launch")
    assert (view.votes, view.refused) == ([], []), "nothing was sent"


async def test_a_key_that_cannot_sign_says_why(
    opened: Opened, keys: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = make_key(tmp_path, "locked", "-N", "correct horse")
    s = await opened(cy=[entry(locked)])
    monkeypatch.setenv("SSH_AUTH_SOCK", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    words = ("gate", "vote", f"{s.stage.key}/launch", "go", "--sign", "--as")
    named = ("cy", "--key", str(locked))
    command = [sys.executable, str(ROOT / "cli.py"), *words, *named]
    code, said = await asyncio.to_thread(at_terminal, command, "wrong")
    assert code == 1
    assert "Enter passphrase" in said
    assert "why: " in said
    assert "incorrect passphrase" in said
    code, said = await asyncio.to_thread(at_terminal, command, "correct horse")
    assert code == 0, said
    assert "cy's go counts" in said
    code, _, err = await phasegate(*words, *named, PATH="/nonexistent")
    assert code == 1
    assert "why: it is not installed\nhint: ssh -V" in err

    async def why(who: str, key: str | None = None) -> str:
        request = VoteRequest(approver=who, vote="go", request_id="r")
        with pytest.raises(PhasegateError) as caught:
            await ready(s.stage.engine, s.stage.key, "launch", "vote", request, Signing(True, key))
        assert caught.value.hint
        return str(caught.value)

    assert "there is no such file" in await why("bo", str(tmp_path / "none"))
    assert "nobody has no key to sign with" in await why("nobody")
    assert "none of the keys of bo is at hand" in await why("bo")
    shutil.copytree(keys["bo"].parent, tmp_path / ".ssh")
    shutil.move(tmp_path / ".ssh" / "bo", tmp_path / ".ssh" / "id_mine")
    shutil.move(tmp_path / ".ssh" / "bo.pub", tmp_path / ".ssh" / "id_mine.pub")
    request = VoteRequest(approver="bo", vote="go", request_id="r")
    signed = await ready(
        s.stage.engine, s.stage.key, "launch", "vote", request, Signing(wanted=True)
    )
    assert (await s.send("vote", signed)).text.startswith("bo's go counts")
