"""Acts by command: only what the allow-list has, never a shell, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import textwrap
import time
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from acting import KEY, Acting, order_of

from activities import processes
from ledger import Ledger
from phasegate.sunset_ports import ActOrder


@pytest.fixture
def acting(ledger: Ledger) -> Acting:
    return Acting(ledger)


class Allowed:
    """An allow-list of Python programs that a test writes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.entries = folder, {}  # type: ignore[var-annotated]
        self.file = folder / "commands.yaml"

    def program(self, name: str, code: str, *words: str, **entry: Any) -> None:
        program = self.folder / f"{name}.py"
        program.write_text(textwrap.dedent(code))
        # -I: without the environment's say in what Python imports
        argv = [sys.executable, "-I", str(program), *words]
        self.entries[name] = {"argv": argv, **entry}
        self.file.write_text(json.dumps({"commands": self.entries}))


@pytest.fixture
def allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Allowed:
    monkeypatch.setenv("PHASEGATE_COMMANDS", str(tmp_path / "commands.yaml"))
    return Allowed(tmp_path)


def command(name: str, effect: str = "reversible", **arguments: str) -> ActOrder:
    act = {"kind": "command", "command": name, "arguments": arguments}
    return order_of(act, effect=effect, values={"tenant": "eu-1"})


SHOW = """
import json, os, sys
print(json.dumps({"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.listdir(".")}))
"""


async def test_it_gets_its_words_a_small_environment_and_an_empty_folder(
    acting: Acting, allowed: Allowed, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = allowed.folder / "seen.json"
    (allowed.folder / "token").write_text("s3cr3t\n")
    monkeypatch.setenv("ACME_REGION", "eu")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for it")
    allowed.program(
        "show",
        SHOW.replace("print(", f"open({str(seen)!r}, 'w').write("),
        *("--tenant={tenant}", "{note}", "{product}", "{task}", "{key}", "{literal"),
        inherit=["ACME_REGION", "NOT_SET"],
        secrets={"TOKEN": {"file": str(allowed.folder / "token")}},
        pattern="[a-z0-9 ;$()-]+",
    )
    await acting.done(command("show", tenant="{tenant}", note="a b; $(reboot)"))
    found = json.loads(seen.read_text())
    assert found["argv"] == [
        *("--tenant=eu-1", "a b; $(reboot)", "atlas", "delete-data", KEY, "{literal"),
    ]
    assert found["cwd"] == []
    env = found["env"]
    assert env.pop("PATH").endswith("/usr/sbin:/usr/bin:/sbin:/bin")
    assert env.pop("LC_CTYPE", "") in ("", "C.UTF-8")  # Python's own
    assert env == {
        "LANG": "C.UTF-8",
        "ACME_REGION": "eu",
        "TOKEN": "s3cr3t",
        "PHASEGATE_PRODUCT": "atlas",
        "PHASEGATE_TASK": "delete-data",
        "PHASEGATE_KEY": KEY,
    }


async def test_the_proof_has_the_last_line_and_a_digest(acting: Acting, allowed: Allowed) -> None:
    allowed.program("say", "print('one'); print('\\x1b[31mrevoked 4 keys'); print(' ')")
    proof = await acting.done(command("say"))
    assert proof.text == "the command say ended with 0: [31mrevoked 4 keys"
    written = b"one\n\x1b[31mrevoked 4 keys\n \n"
    assert proof.digest == "sha256:" + sha256(written).hexdigest()
    assert proof.data == {"exit": 0, "bytes": len(written)}


@pytest.mark.parametrize("written", ["TOKEN + '.' * 195", "TOKEN + '.' * 4090", "TOKEN[30:]"])
async def test_no_part_of_a_secret_is_kept(acting: Acting, allowed: Allowed, written: str) -> None:
    (allowed.folder / "token").write_text("first-line-of-the-secret-s3cr3t\nlast-line-s3cr3t")
    secrets = {"TOKEN": {"file": str(allowed.folder / "token")}}
    code = f"import os\nTOKEN = os.environ['TOKEN']\nprint({written})"
    allowed.program("say", code, secrets=secrets)
    proof = await acting.done(command("say"))
    assert "cr3t" not in proof.text


async def test_facts_are_read_from_what_it_writes(acting: Acting, allowed: Allowed) -> None:
    (allowed.folder / "token").write_text("s3cr3t")
    code = """
    import os
    print('{"rows": 7, "digest": "sha256:ab", "who": "used ' + os.environ["TOKEN"] + '"}')
    """
    secrets = {"TOKEN": {"file": str(allowed.folder / "token")}}
    allowed.program("good", code, facts=True, secrets=secrets)
    proof = await acting.done(command("good"))
    assert proof.data["rows"] == 7
    assert proof.data["who"] == "used ***"
    assert proof.digest == "sha256:ab"
    for name, wrong in {
        "nothing": "pass",
        "list": "print('[1]')",
        "deep": 'print(\'{"a": {"b": 1}}\')',
        "many": "print({f'n{n}': n for n in range(51)}.__repr__().replace(chr(39), chr(34)))",
        "large": "print('{\"a\": 1' + ' ' * 70000 + '}')",
    }.items():
        allowed.program(name, wrong, facts=True)
        proof = await acting.done(command(name))
        assert proof.text.endswith("; what it wrote are no facts")


async def test_much_output_is_counted_and_not_kept(acting: Acting, allowed: Allowed) -> None:
    code = "import sys\nfor n in range(300): sys.stdout.write('x' * 9999 + '\\n')\nprint('end')"
    allowed.program("loud", code + "\nsys.stderr.write('y' * 3_000_000)")
    proof = await acting.done(command("loud"))
    assert proof.data["bytes"] == 300 * 10_000 + 4
    assert proof.text.endswith(": end")


@pytest.mark.parametrize(("code", "says"), [(75, "not done"), (3, "nothing"), (-9, "nothing")])
async def test_what_an_exit_code_says(
    acting: Acting, allowed: Allowed, code: int, says: str
) -> None:
    end = f"os._exit({code})" if code > 0 else "os.kill(os.getpid(), 9)"
    program = f"import os, sys; print('why it failed', file=sys.stderr, flush=True); {end}"
    allowed.program("fail", program, not_done=[75])
    error = await acting.failed(command("fail"))
    assert error.type == "command-failed"
    assert "why it failed" in error.message
    if says == "not done":
        error = await acting.failed(command("fail", "deletion"))
        assert "it ended with 75" in error.message
    else:
        result = await acting.carry_out(command("fail", "deletion"))
        assert result.state == "unknown"
        assert f"signal {-code} ended it" in result.why or f"ended with {code}" in result.why


async def test_other_codes_may_mean_done(acting: Acting, allowed: Allowed) -> None:
    allowed.program("gone", "raise SystemExit(4)", done=[0, 4])
    assert (await acting.done(command("gone"))).data["exit"] == 4


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int) -> None:
    end = time.monotonic() + 60
    while alive(pid):
        assert time.monotonic() < end
        time.sleep(0.01)


CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open(sys.argv[1], "w").write(str(child.pid))
"""


async def test_its_time_ends_it(acting: Acting, allowed: Allowed) -> None:
    allowed.program("slow", "import time; time.sleep(60)", timeout="0.2 seconds")
    result = await acting.carry_out(command("slow", "deletion"))
    assert result.state == "unknown"
    assert "it was killed: it had not ended after 0.2 seconds" in result.why


async def test_what_it_leaves_behind_ends_with_it(acting: Acting, allowed: Allowed) -> None:
    file = allowed.folder / "child"
    allowed.program("daemon", CHILD, str(file))
    await acting.done(command("daemon"))
    await asyncio.to_thread(gone, int(file.read_text()))


async def test_a_cancelled_one_is_killed_with_all_it_started(
    acting: Acting, allowed: Allowed
) -> None:
    pipe = allowed.folder / "child"
    os.mkfifo(pipe)
    allowed.program("slow", CHILD + "time.sleep(60)", str(pipe))
    env = acting.environment()
    running = asyncio.ensure_future(env.run(acting.acts.carry_out, command("slow")))
    pid = int(await asyncio.to_thread(pipe.read_text))
    env.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.to_thread(gone, pid)


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("absent", {}, "it is not in the allow-list of this worker"),
        ("one", {}, "it needs the argument tenant"),
        ("one", {"tenant": "a", "more": "b"}, "it takes no argument more"),
        ("one", {"tenant": "-rf"}, "tenant is '-rf', which it does not take"),
        ("one", {"tenant": ""}, "tenant is '', which it does not take"),
        ("one", {"tenant": "a b"}, "tenant is 'a b', which it does not take"),
        ("one", {"tenant": "a\nb"}, "which it does not take"),
        ("one", {"tenant": "{region}"}, "there is no value for {region}"),
        ("missing", {}, "/no/such/program: No such file or directory"),
        ("secret", {}, "the secret $ACME_TOKEN cannot be read"),
    ],
)
async def test_what_cannot_be_run_is_certain_not_to_have_happened(
    acting: Acting, allowed: Allowed, name: str, arguments: dict[str, str], why: str
) -> None:
    allowed.entries["missing"] = {"argv": ["/no/such/program"]}
    allowed.program("secret", "pass", secrets={"TOKEN": {"env": "ACME_TOKEN"}})
    allowed.program("one", "pass", "{tenant}")
    for effect in ("reversible", "deletion"):
        error = await acting.failed(command(name, effect, **arguments))
        assert error.type == "command-refused"
        assert why in error.message
        assert error.next_retry_delay == timedelta(minutes=1)


async def test_a_broken_list_runs_nothing_and_a_mended_one_counts_at_once(
    acting: Acting, allowed: Allowed, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = await acting.failed(command("say"))
    assert "cannot be read: No such file or directory" in error.message
    allowed.file.write_text("commands:\n  say: {argv: [say], secrets: {A: hunter2}}\n")
    error = await acting.failed(command("say"))
    assert "commands.yaml:2:" in error.message
    assert "hunter2" not in error.message
    allowed.program("say", "print('yes')")
    await acting.done(command("say"))
    monkeypatch.delenv("PHASEGATE_COMMANDS")
    assert "not in the allow-list" in (await acting.failed(command("say"))).message


async def test_without_room_for_its_folder_it_is_not_run(
    acting: Acting, allowed: Allowed, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed.program("say", "print('yes')")
    monkeypatch.setattr(processes.tempfile, "tempdir", "/no/such/folder")
    error = await acting.failed(command("say", "deletion"))
    assert "no folder can be made for it" in error.message


def test_output_without_anything_to_see() -> None:
    output = processes.Output()
    output.take(b" \n\x00\n")
    assert output.last_line() == ""
