"""Start, inbox, vote, show, list: against a real server, as scripts would."""

from __future__ import annotations

import json
import signal
from typing import Any

from tests.cli.shell import Shell


def test_start_inbox_vote_show_list(served: Shell) -> None:
    started = served.start("alpha", "-o", "json")
    assert started.code == 0, started.err
    assert started.json["started"] is True
    again = served.start("alpha", "-o", "json")
    assert (again.code, again.json["started"]) == (0, False)

    show = ("product", "show", "alpha", "-o", "json")
    served.until(lambda: served(*show).json["phase"] is not None)  # its policy is read after start
    shown = served(*show).json
    contract = {
        *("schema_version", "key", "name", "owner", "status", "phase", "gate", "round"),
        *("policy", "policy_digest", "milestones", "conditions", "next_due", "workflow_id"),
        "ui_url",
    }
    assert contract <= shown.keys()
    assert (shown["name"], shown["status"], shown["phase"]) == ("Ünï alpha", "active", "build")

    forbidden = served("milestone", "report", "alpha", "done", "--as", "bo")
    assert forbidden.code == 4
    replanned = served(
        "milestone", "replan", "alpha", "done", "2031-02-03", "--as", "olga", "-o", "json"
    )
    assert replanned.code == 0, replanned.err
    listed = served("milestone", "list", "alpha", "-o", "json").json
    assert [(m["id"], m["due"]) for m in listed] == [("done", "2031-02-03T23:59:59Z")]
    assert served("milestone", "report", "alpha", "done", "--as", "olga").code == 0
    served.until(lambda: bool(served.inbox("bo", "alpha")))

    (row,) = served.inbox("bo", "alpha")
    contract = {
        *("schema_version", "product", "gate", "round", "revision", "step", "group", "since"),
        *("respond_due", "resolve_due", "overdue", "on_behalf_of"),
    }
    assert contract <= row.keys()
    assert (row["product"], row["gate"], row["group"]) == ("alpha", "launch", "eng")
    assert row["since"].endswith("Z")
    empty = served("inbox", "--as", "nobody-at-all", "-o", "json")
    assert (empty.code, empty.json) == (0, [])
    assert served("inbox", PHASEGATE_AS="nobody-at-all").code == 0

    stale = served("gate", "vote", "alpha", "go", "--as", "bo", "--revision", "r0", "-o", "json")
    assert (stale.code, stale.error["code"]) == (1, "stale-revision")
    said = served("gate", "vote", "alpha", "go", "--as", "bo", "--comment", "- fine", "-o", "json")
    assert said.code == 0, said.err
    assert (said.json["gate"], said.json["status"], said.json["outcome"]) == (
        "launch", "open", None,
    )  # fmt: skip
    assert served("gate", "show", "alpha/launch", "--exit-code").code == 8
    late = served("gate", "vote", "alpha", "go", "--as", "ana", "--wait", "--timeout", "1")
    assert late.code == 3
    condition = json.dumps({"text": "Rotate the keys", "due": "2031-03-01"})
    decided = served(
        *("gate", "vote", "alpha/launch", "conditional-go", "--as", "cy", "--wait"),
        *("--condition", condition, "--timeout", "90", "-o", "json"),
    )
    assert (decided.code, decided.json["outcome"]) == (0, "conditional-go")

    gate = served("gate", "show", "alpha/launch", "-o", "json")
    assert gate.code == 0
    contract = {
        *("product", "gate", "round", "revision", "status", "outcome", "cannot_pass", "step"),
        *("opened_at", "decided_at", "workflow_id", "ui_url", "requirements", "votes", "pending"),
        *("criteria", "conditions", "refused", "respond_due", "resolve_due", "schema_version"),
    }
    assert contract <= gate.json.keys()
    assert [(v["approver"], v["vote"], v["comment"]) for v in gate.json["votes"]] == [
        ("bo", "go", "- fine"), ("ana", "go", ""), ("cy", "conditional-go", ""),
    ]  # fmt: skip
    assert served("gate", "show", "alpha/launch", "--wait").code == 0

    def conditions() -> list[dict[str, Any]]:
        return list(served("condition", "list", "alpha", "-o", "json").json)

    served.until(lambda: [c["state"] for c in conditions()] == ["open"])  # the product has heard
    (promise,) = conditions()
    assert promise["text"] == "Rotate the keys"
    closed = served(
        "condition", "close", "alpha", promise["id"], "--note", "rotated", "--as", "olga"
    )
    assert closed.code == 0, closed.err
    served.told("alpha", "gate.decided")
    rows = served("gate", "list", "alpha", "-o", "json").json
    assert [(r["gate"], r["round"], r["outcome"]) for r in rows] == [
        ("launch", 1, "conditional-go")
    ]
    served.until(
        lambda: (
            "alpha"
            in [
                row["key"]
                for row in served("product", "list", "--status", "active", "-o", "json").json
            ]
        )
    )
    table = served("product", "list")
    assert table.out.splitlines()[0].split()[:2] == ["KEY", "STATUS"]


def test_who_may_not_vote(served: Shell) -> None:
    served.at_gate("beta")
    stranger = served("gate", "vote", "beta/launch", "go", "--as", "eve")
    assert stranger.code == 4
    assert "eve sits in none of its groups" in stranger.err
    own = served("gate", "vote", "beta/launch", "go", "--as", "olga", "-o", "json")
    assert (own.code, own.error["code"]) == (4, "self-approval")
    refused = served("gate", "show", "beta", "-o", "json").json["refused"]
    assert [r["actor"] for r in refused] == ["eve", "olga"]
    submitted = served("gate", "submit", "beta", "--as", "bo")
    assert submitted.code in (1, 4)


def test_a_stopped_gate_is_code_3_and_comes_back_as_a_new_round(served: Shell) -> None:
    served.at_gate("gamma")
    for who in ("bo", "cy"):
        assert served("gate", "vote", "gamma", "recycle", "--as", who).code == 0
    # One yes is not enough for two seats: the round is doomed and decides when all have answered.
    assert served("gate", "vote", "gamma", "go", "--as", "dan").code == 0
    last = served(
        *("gate", "vote", "gamma", "go", "--as", "ana", "--wait", "--timeout", "90", "-o", "json")
    )
    assert (last.code, last.json["outcome"]) == (3, "recycle")
    closed = served("gate", "vote", "gamma/launch", "go", "--as", "ana", "-o", "json")
    assert (closed.code, closed.error["code"]) == (1, "gate-decided")
    evidence = served.write("report.txt", "measured\n")
    attached = served(
        *("product", "evidence", "gamma", "--title", "Report", "--file", evidence, "--as", "olga")
    )
    assert attached.code == 0, attached.err
    submit = ("gate", "submit", "gamma", "--as", "olga", "--reason", "mended")
    served.until(lambda: served(*submit).code == 0)  # once the product has heard of the outcome
    served.until(lambda: served("gate", "show", "gamma", "-o", "json").json["round"] == 2)
    first = served("gate", "show", "gamma/launch", "--round", "1", "-o", "json").json
    second = served("gate", "show", "gamma/launch", "-o", "json").json
    assert (first["round"], first["outcome"]) == (1, "recycle")
    assert first["revision"] != second["revision"]
    assert served("gate", "show", "gamma/launch", "--round", "9").code == 1


def test_hold_resume_cancel(served: Shell) -> None:
    served.at_gate("delta")
    assert served("product", "hold", "delta", "--as", "bo").code == 4
    assert served("product", "hold", "delta", "--as", "olga", "--reason", "budget").code == 0
    served.until(lambda: served("gate", "show", "delta", "-o", "json").json["status"] == "on-hold")
    on_hold = served("gate", "vote", "delta", "go", "--as", "bo", "-o", "json")
    assert (on_hold.code, on_hold.error["code"]) == (1, "gate-on-hold")
    assert served("product", "resume", "delta", "--as", "olga").code == 0
    assert served("product", "resume", "delta", "--as", "olga").code == 1
    unasked = served("product", "cancel", "delta", "--as", "olga")
    assert unasked.code == 2
    assert "--yes" in unasked.err
    rehearsed = served("product", "cancel", "delta", "--as", "olga", "--dry-run", "-o", "json")
    assert (rehearsed.code, rehearsed.json["status"]) == (0, "active")
    assert served("product", "cancel", "delta", "--as", "bo", "--yes").code == 4
    assert served("product", "cancel", "delta", "--as", "olga", "--yes").code == 0
    watched = served("product", "watch", "delta", "-o", "jsonl")
    assert watched.code == 0
    events = [json.loads(line) for line in watched.out.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    # The gate that was open says on its own, before it or after it, that it ends.
    told = [event["type"] for event in events if event["type"].startswith("product.")]
    assert told[-1] == "product.cancelled"
    assert served("product", "show", "delta", "-o", "json").json["status"] == "cancelled"


def test_sunset_by_hand(served: Shell) -> None:
    served.at_gate("epsilon")
    assert "has no sunset" in served("sunset", "show", "epsilon").err
    for who in ("ana", "bo", "cy"):
        assert served("gate", "vote", "epsilon", "go", "--as", who).code == 0
    served.until(lambda: served("gate", "submit", "epsilon", "--as", "olga").code == 0)
    served.until(lambda: served("gate", "vote", "epsilon/retire", "go", "--as", "ana").code == 0)
    waiting = '"waiting"'
    served.until(lambda: waiting in served("sunset", "show", "epsilon", "-o", "json").out)
    assert "Revoke keys" in served("sunset", "show", "epsilon").out
    notes = ("--note", "revoked", "--as")
    assert served("sunset", "confirm", "epsilon", "keys", *notes, "bo").code == 4
    assert served("sunset", "confirm", "epsilon", "told", *notes, "olga").code == 1
    assert served("sunset", "confirm", "epsilon", "keys", *notes, "olga").code == 0
    assert served("product", "watch", "epsilon").code == 0
    shown = served("product", "show", "epsilon", "-o", "json").json
    assert shown["status"] == "retired"


def test_another_product_under_the_same_key(served: Shell) -> None:
    assert served.start("zeta").code == 0
    served.write("other.yaml", "key: zeta\nname: Another\nowner: ana\ntier: 2\n")
    result = served(
        *("product", "start", "other.yaml", "--policy", "tiny", "--directory", "default")
    )
    assert result.code == 1
    assert "zeta is started already" in result.err


def test_watching_ends_with_ctrl_c_as_130(served: Shell) -> None:
    assert served.start("eta").code == 0
    watching = served.spawn("product", "watch", "eta")
    assert watching.stdout is not None
    assert "product.started" in watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    out, err = watching.communicate(timeout=90)
    assert watching.returncode == 130
    assert "Traceback" not in out + err


def test_show_watches_a_gate_until_it_is_decided(served: Shell) -> None:
    served.at_gate("lambda")
    watching = served.spawn("gate", "show", "lambda", "--watch", "--exit-code", "-o", "jsonl")
    assert watching.stdout is not None
    assert json.loads(watching.stdout.readline())["votes"] == []
    for who in ("ana", "bo", "cy"):
        assert served("gate", "vote", "lambda", "go", "--as", who).code == 0
    out, _ = watching.communicate(timeout=90)
    assert watching.returncode == 0
    assert json.loads(out.splitlines()[-1])["outcome"] == "go"


def test_events_come_from_the_ledger(served: Shell) -> None:
    assert served.start("theta").code == 0
    served.until(lambda: "product.started" in served("events", "list", "theta").out)
    (event,) = served(
        *("events", "list", "theta", "--type", "product.started", "-o", "json"),
        TEMPORAL_ADDRESS="127.0.0.1:1",
    ).json
    assert (event["seq"], event["actor"], len(event["hash"])) == (1, "olga", 64)
    none = served("events", "list", "nobody", "-o", "json")
    assert (none.code, none.json) == (0, [])


def test_unknown_products(served: Shell) -> None:
    for words in (
        ("product", "show", "nope"),
        ("gate", "show", "nope"),
        ("gate", "vote", "nope/launch", "go", "--as", "bo"),
        ("product", "watch", "nope"),
        ("product", "hold", "nope", "--as", "olga"),
    ):
        result = served(*words)
        assert result.code == 1
        assert "nope" in result.err
        assert "hint: phasegate product list" in result.err


def test_temporals_own_tools_find_the_products(served: Shell) -> None:
    assert served.start("iota").code == 0

    def listed() -> list[str]:
        query = ("--query", "PhasegateStatus='active' AND PhasegateProduct='iota'")
        result = served.temporal("workflow", "list", *query, "-o", "json")
        return [row["execution"]["workflowId"] for row in json.loads(result.out or "[]")]

    served.until(lambda: listed() == ["product/iota"])


def test_completion_offers_keys_and_gates(served: Shell) -> None:
    served.at_gate("kappa")
    # Completion gives up soon, and then offers nothing.
    served.until(lambda: "kappa\n" in served("__complete", "product", "show", "").out)
    served.until(lambda: "kappa/launch" in served("__complete", "gate", "vote", "").out)
    served.until(lambda: "kappa/launch" in served("__complete", "gate", "override", "").out)
    served.until(lambda: "kappa\n" in served("__complete", "condition", "waive", "").out)
