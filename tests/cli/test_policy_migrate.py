"""`policy diff` and `policy migrate` as processes, one of them killed in the middle."""

from __future__ import annotations

import signal

import pytest

from tests.cli.shell import DIRECTORY, POLICY, Shell

KEYS = [f"mover-{letter}" for letter in "abcd"]
PEOPLE = DIRECTORY.replace("people: {", "directory: movers\npeople: {zoe: {}, ") + (
    "  board: {members: [zoe], permissions: {migrate: [3]}}\n"
)
OLD = POLICY.replace("policy: tiny", "policy: movers")
NEW = OLD.replace('version: "1"', 'version: "2"').replace("need: 2}", "need: 3}")


@pytest.fixture(scope="module")
def moving(served: Shell) -> Shell:
    """Four products under a policy, and a file with the next version of it."""
    served.write("movers.yaml", OLD)
    served.write("movers2.yaml", NEW)
    served.write("movers-people.yaml", PEOPLE)
    for key in KEYS:
        served.write(f"{key}.yaml", f"key: {key}\nname: {key}\nowner: olga\npolicy: movers\n")
        files = ("--policy", "movers.yaml", "--directory", "movers-people.yaml")
        assert served("product", "start", f"{key}.yaml", *files).code == 0
    served.until(lambda: len(listed(served)) == len(KEYS))
    served.until(lambda: all(row["phase"] == "build" for row in listed(served)))
    return served


def listed(shell: Shell) -> list[dict[str, str]]:
    rows = shell("product", "list", "--limit", "100", "-o", "json").json
    return [row for row in rows if row["policy"] == "movers"]


def test_diff_tells_what_another_policy_asks(moving: Shell) -> None:
    result = moving("policy", "diff", "movers@1", "movers2.yaml", "-o", "json")
    assert result.code == 0
    found = result.json
    assert (found["schema_version"], found["same"]) == (1, False)
    assert [c["text"] for c in found["changes"]] == [
        "votes that gate launch needs of eng: 3, not 2"
    ]
    same = moving("policy", "diff", found["old_digest"], "movers")
    assert (same.code, "no difference" in same.err) == (0, True)
    unknown = moving("policy", "diff", "movers@7", "movers")
    assert (unknown.code, "its versions here: 1" in unknown.err) == (2, True)


def test_a_migration_that_is_killed_is_finished_by_the_same_command(moving: Shell) -> None:
    asked = ("policy", "migrate", "movers2.yaml", "--as", "zoe", "--reason", "three must agree")
    one = ("--product-filter", "product.key == 'mover-a'")
    filtered = moving(*asked, "--dry-run", *one, "-o", "json")
    assert [row["product"] for row in filtered.json] == ["mover-a"]
    dry = moving(*asked, "--dry-run", "-o", "json")
    assert (dry.code, [row["state"] for row in dry.json]) == (0, ["possible"] * len(KEYS))
    assert all(row["schema_version"] == 1 for row in dry.json)
    assert under(moving) == {"movers 1"}, "it was only looked at"
    unasked = moving(*asked, "--phase", "build=build", "-o", "json")
    assert unasked.code == 2, "nobody is at a terminal to be asked"
    assert unasked.error["hint"] == (
        "phasegate policy migrate movers2.yaml --as zoe --reason 'three must agree' "
        "--phase build=build --yes"
    )
    moving.write("movers3.yaml", NEW.replace("id: build", "id: make").replace('"2"', '"3"'))
    renamed = moving(*asked[:2], "movers3.yaml", *asked[3:], "--dry-run", "-o", "json")
    assert (renamed.code, renamed.json[0]["state"]) == (1, "impossible")
    assert renamed.json[0]["hint"] == (
        "phasegate policy migrate movers3.yaml mover-a --as zoe --reason 'three must agree' "
        "--phase build=make"
    )
    stranger = moving(*asked[:3], "--as", "eve", "--reason", "x", "--yes", "-o", "json")
    assert stranger.code == 4
    assert {row["code"] for row in stranger.json} == {"not-permitted"}
    process = moving.spawn(*asked, "--yes", "-o", "jsonl")
    assert process.stdout is not None
    assert "done" in process.stdout.readline()  # the first is migrated
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=90)
    rest = moving(*asked, "--yes", "-o", "json")
    assert rest.code == 0, rest.err
    assert {row["state"] for row in rest.json} <= {"done", "done-before"}
    assert rest.json[0]["state"] == "done-before"
    assert len({row["migration"] for row in [*rest.json, *dry.json]}) == 1
    assert under(moving) == {"movers 2"}
    again = moving(*asked, "--yes")
    assert (again.code, "nothing was done" in again.err) == (0, True)
    moving.until(lambda: [len(told(moving, key)) for key in KEYS] == [1] * len(KEYS))
    start = moving("product", "start", "mover-a.yaml", "--policy", "movers2.yaml",
                   "--directory", "movers")  # fmt: skip
    assert (start.code, "nothing to do" in start.out) == (0, True), start.err


def test_who_waits_for_what_goes_is_named_before_and_after(moving: Shell) -> None:
    moving.write("movers3.yaml", NEW.replace('"2"', '"3"').replace("id: done", "id: finished"))
    moving.write(
        "waiter.yaml",
        "key: waiter\nname: waiter\nowner: olga\npolicy: movers\nmilestones:\n"
        "  - {id: theirs, phase: build, title: Theirs,\n"
        "     check: {kind: product, product: mover-a, milestone: done}}\n",
    )
    files = ("--policy", "movers", "--directory", "movers")
    assert moving("product", "start", "waiter.yaml", *files).code == 0
    moving.until(lambda: told(moving, "waiter", "product.started"))
    asked = ("policy", "migrate", "movers3.yaml", "mover-a", "--as", "zoe", "--reason", "x")
    text = "waiter/theirs waits for mover-a/done, which movers 3 does not have"
    assert text in " ".join(moving(*asked, "--dry-run").out.split())
    (row,) = moving(*asked, "--yes", "-o", "json").json
    assert (row["state"], row["left_waiting"]) == ("done", [text])


def under(shell: Shell) -> set[str]:
    """The policies that the products are under."""
    return {shell("product", "show", key, "-o", "json").json["policy"] for key in KEYS}


def told(shell: Shell, key: str, kind: str = "product.migrated") -> list[dict[str, str]]:
    rows: list[dict[str, str]] = shell("events", "list", key, "--type", kind, "-o", "json").json
    return rows
