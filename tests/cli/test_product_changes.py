"""Products that change while they are decided on: definition, owner, evidence, conditions."""

from __future__ import annotations

import json

import pytest

from tests.cli.shell import Shell
from tests.cli.test_committee import shown, start, taken


def definition(key: str, **more: object) -> str:
    return json.dumps({"key": key, "name": key, "owner": "olga", "tier": 2, **more})


def test_a_new_definition_voids_the_yes_of_an_open_gate(served: Shell) -> None:
    start(served, "newer")
    assert served("gate", "vote", "newer", "go", "--as", "bo").code == 0
    assert served("gate", "vote", "newer", "hold", "--as", "cy").code == 0
    before = shown(served, "newer")["revision"]
    file = served.write("newer.json.yaml", definition("newer", summary="Cheaper", team=["sam"]))
    rehearsed = taken(served("product", "update", file, "--as", "olga", "--dry-run", "-o", "json"))
    assert {c["field"]: c["new"] for c in rehearsed["changes"]} == {
        "summary": "Cheaper", "team": ["sam"],
    }  # fmt: skip
    assert shown(served, "newer")["revision"] == before
    change = ("product", "update", file, "--note", "new pricing", "-o", "json", "--as")
    assert served(*change, "bo").error["code"] == "not-owner"
    assert "summary" in taken(served(*change, "olga"))["text"]
    served.until(lambda: shown(served, "newer")["revision"] != before)
    view = shown(served, "newer")
    assert [(v["approver"], v["state"]) for v in view["votes"]] == [
        ("bo", "voided"), ("cy", "standing"),
    ]  # fmt: skip
    page = served("gate", "show", "newer").out
    assert f"{before} (old)" in page
    assert f"the evidence is now {view['revision']}" in page
    again = served(*change, "olga")
    assert (again.code, again.error["code"]) == (1, "unchanged")
    served.write("newer.json.yaml", definition("newer", owner="ana"))
    owner = served(*change, "olga")
    assert "product handover newer ana --as olga" in owner.error["hint"]
    served.write("newer.json.yaml", definition("newer", milestones=[{"id": "m", "phase": "no"}]))
    faulty = served(*change, "olga")
    assert (faulty.code, "has no phase no" in faulty.err) == (2, True)
    narrowed = definition("newer", approvers={"launch": {"eng": ["olga"]}})
    served.write("newer.json.yaml", narrowed)
    for args in ((*change, "olga"), (*change[:3], "--dry-run", "--as", "olga")):
        stranger = served(*args)
        assert (stranger.code, "olga is not a member of eng" in stranger.err) == (2, True), (
            stranger.err
        )


def test_figures_are_numbers_words_and_truths(served: Shell) -> None:
    start(served, "figures")
    said = ("product", "evidence", "figures", "--title", "Beta", "--as", "olga", "-o", "json")
    before = shown(served, "figures")["revision"]
    result = served(*said, "--figure", "retention=0.91", "--figure", "signed=true")
    assert taken(result)["product"] == "figures"
    served.until(lambda: shown(served, "figures")["revision"] != before)
    told = ("events", "list", "figures", "--type", "product.evidence", "-o", "json")
    served.until(lambda: bool(served(*told).json))
    (event,) = served(*told).json
    assert event["data"]["figures"] == {"retention": 0.91, "signed": True}
    wrong = served(*said, "--figure", "Not-This=1")
    assert (wrong.code, "--figure" in wrong.err) == (2, True)
    twice = served(*said, "--figure", "a=1", "--figure", "a=2")
    assert (twice.code, "names a twice" in twice.err) == (2, True)


def test_another_owner(served: Shell) -> None:
    start(served, "handed")
    give = ("product", "handover", "handed", "ana", "--reason", "new job", "-o", "json", "--as")
    assert served(*give, "bo").error["code"] == "not-owner"
    assert taken(served(*give, "olga"))["owner"] == "ana"
    assert served("product", "show", "handed", "-o", "json").json["owner"] == "ana"
    served.until(lambda: "ana" not in {p["approver"] for p in shown(served, "handed")["pending"]})
    assert served(*give, "ana").error["code"] == "same-owner"
    assert served("product", "handover", "handed", "zoe", "--reason", "r", "--as", "ana").code == 1


def test_a_killed_product_is_revived(served: Shell) -> None:
    start(served, "dead")
    early = served("product", "revive", "dead", "--as", "vera", "--reason", "r", "--yes")
    assert (early.code, "cannot be revived" in early.err) == (1, True)
    kill = ("gate", "override", "dead", "kill", "--reason", "no market", "--yes", "--as", "vera")
    assert served(*kill).code == 0
    served.until(lambda: served("product", "show", "dead", "-o", "json").json["status"] == "killed")
    served.told("dead", "product.killed")  # which has the state to go on with
    again = ("product", "revive", "dead", "--reason", "a buyer came", "-o", "json", "--as")
    unasked = served(*again, "vera")
    assert (unasked.code, "--yes" in unasked.err) == (2, True)
    assert served(*again, "bo", "--yes").code == 4
    assert "revives" in taken(served(*again, "vera", "--yes"))["text"]
    view = served("product", "show", "dead", "-o", "json").json
    assert (view["status"], view["phase"]) == ("active", "build")


def test_conditions_are_seen_at_the_gate_closed_with_proof_and_waived(served: Shell) -> None:
    start(served, "kept")
    none = served("condition", "list", "kept", "-o", "json")
    assert (none.json, "kept has none yet" in none.err) == ([], True)
    for number, who in enumerate(("ana", "bo", "cy")):
        promise = json.dumps({"text": f"Promise {number}", "owner": who})
        vote = ("gate", "vote", "kept/launch", "conditional-go", "--as", who)
        assert served(*vote, "--condition", promise).code == 0
        if number == 0:
            listed = served("condition", "list", "kept", "-o", "json").json
            assert [(c["text"], c["state"], c["gate"]) for c in listed] == [
                ("Promise 0", "promised", "launch")
            ]
    served.until(
        lambda: (
            [c["state"] for c in served("condition", "list", "kept", "-o", "json").json]
            == ["open"] * 3
            and served("product", "show", "kept", "-o", "json").json["phase"] == "market"
        )
    )
    first, second, third = (c["id"] for c in served("condition", "list", "kept", "-o", "json").json)
    proof = served.write("proof.txt", "rotated\n")
    close = ("condition", "close", "kept", first, "--note", "rotated", "--as", "ana")
    taken(served(*close, "--link", "https://tickets.example.org/77", "--file", proof))
    waive = ("condition", "waive", "kept", "--note", "not sold there", "-o", "json", "--as")
    assert served(*waive, "bo", second).error["code"] == "not-permitted"
    assert served(*waive, "olga", second).error["code"] == "self-approval"
    assert taken(served(*waive, "vera", second))["condition"] == second
    listed = served("condition", "list", "kept", "-o", "json").json
    assert [c["state"] for c in listed] == ["closed", "waived", "open"]
    assert listed[0]["link"] == "https://tickets.example.org/77"
    assert listed[0]["digest"].startswith("sha256:")
    assert (listed[1]["closed_by"], listed[1]["note"]) == ("vera", "not sold there")
    assert "not sold there" in served("condition", "list", "kept").out
    unknown = served(*waive, "vera", "no-such")
    assert (unknown.code, third in unknown.err) == (1, True)


@pytest.mark.slow
def test_two_hundred_approvers_find_the_gate_in_their_inbox(served: Shell) -> None:
    people = [f"approver.with.a.long.name.{number:03}" for number in range(200)]
    listed = ", ".join(people)
    everybody = ", ".join(f"{person}: {{}}" for person in [*people, "olga", "ana"])
    served.write(
        "crowd.yaml",
        f"directory: crowd\npeople: {{{everybody}}}\n"
        f"groups: {{product: {{members: [ana]}}, eng: {{members: [{listed}]}}, "
        "security: {members: [ana]}}\n",
    )
    file = served.write("crowded.yaml", definition("crowded"))
    options = ("--policy", "committee.yaml", "--directory", "crowd.yaml")
    start(served, "crowd-policy")
    assert served("product", "start", file, *options).code == 0
    served.until(lambda: served("gate", "submit", "crowded", "--as", "olga").code == 0)
    first, last = people[0], people[-1]
    served.until(lambda: bool(served.inbox(last, "crowded")))
    assert served("gate", "delegate", "crowded", first, "--as", last).code == 0
    served.until(lambda: len(served.inbox(first, "crowded")) == 2)
    (row,) = [row for row in served.inbox(first, "crowded") if row["on_behalf_of"]]
    assert (row["on_behalf_of"], row["group"]) == (last, "eng")
    bulk = ("gate", "vote", "--all", "--product-filter", "product.key == 'crowded'", "go")
    done = served(*bulk, "--as", first, "--yes", "-o", "json")
    assert [(r["taken"], r["on_behalf_of"]) for r in done.json] == [(True, None)]
    assert "nobody counts twice" in done.err
    served.until(lambda: [r["on_behalf_of"] for r in served.inbox(first, "crowded")] == [last])
