"""Policies, directories and rehearsed starts: files in, findings and documents out; no server."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import jsonschema
import pytest
from ruamel.yaml import YAML

import policies
from ledger import Ledger
from phasegate.policy import Policy
from phasegate.reading import read_policy
from tests.cli.shell import DIRECTORY, POLICY, ROOT, Shell


def test_lint_prints_file_line_column_path(shell: Shell) -> None:
    file = shell.write("launch.yaml", POLICY.replace("need: 2", "qorum: 2"))
    result = shell("policy", "lint", file)
    assert result.code == 2
    assert result.out.startswith("launch.yaml:11:58: ")
    assert "phases.0.gate.requires.1.qorum: unknown field, did you mean" in result.out
    assert "1 error, 0 warnings" in result.err


def test_lint_is_quiet_about_good_files(shell: Shell) -> None:
    file = shell.write("tiny.yaml", POLICY)
    people = shell.write("people.yaml", DIRECTORY)
    result = shell("policy", "lint", file, "--directory", people)
    assert (result.code, result.out) == (0, "")


def test_lint_for_machines(shell: Shell) -> None:
    file = shell.write("tiny.yaml", POLICY)
    people = shell.write("people.yaml", DIRECTORY.replace("[bo, cy, dan]", "[bo]"))
    result = shell("policy", "lint", file, "--directory", people, "-o", "json")
    assert result.code == 2
    found = result.json
    assert found["schema_version"] == 1
    assert found["errors"] == len([f for f in found["findings"] if f["severity"] == "error"]) > 0
    assert {"source", "line", "column", "path", "message"} < found["findings"][0].keys()
    assert "can never pass" in found["findings"][0]["message"]


def test_lint_of_a_policy_judges_the_directory_too(shell: Shell) -> None:
    """Whom the directory does not know would pass for somebody who can vote."""
    file = shell.write("tiny.yaml", POLICY)
    people = shell.write("people.yaml", DIRECTORY.replace("[bo, cy, dan]", "[bo, cy, dane]"))
    alone = shell("directory", "lint", people)
    assert "dane is not listed in people; did you mean dan?" in alone.out
    both = shell("policy", "lint", file, "--directory", people)
    assert both.code == alone.code == 2
    assert set(alone.out.splitlines()) <= set(both.out.splitlines())


def test_lint_of_a_product_under_its_policy(shell: Shell) -> None:
    examples = ROOT / "examples"
    people = str(examples / "cpython.directory.yaml")
    goods = str(examples / "python-3.8.product.yaml")
    result = shell(
        *("policy", "lint", "python-release", "--directory", people, "--product", goods),
        *("-o", "json"),
    )
    assert (result.code, result.json["errors"]) == (0, 0)
    about = [f for f in result.json["findings"] if f["source"] == goods]
    assert result.json["warnings"] > len(about) > 0
    (late,) = [f for f in about if f["path"] == "milestones.15.due"]
    assert (late["severity"], late["line"], late["column"]) == ("warning", 48, 37)
    assert "final is due on 2019-10-14, and gate final-release comes before it" in late["message"]


def test_lint_of_a_product_of_another_policy(shell: Shell) -> None:
    file = shell.write("tiny.yaml", POLICY)
    goods = shell.write("k.yaml", "key: k\nname: K\nowner: olga\npolicy: standard\n")
    said = shell("policy", "lint", file, "--product", goods)
    assert said.code == 0
    assert "k.yaml:4:9: warning: policy: this product names policy standard, and is" in said.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("policy: [", "tiny.yaml:"),
        ("", "needs a mapping"),
        (POLICY + "title: Again\n", "title"),
        (POLICY.replace("title: Market", "title: Market\n    next: build"), "circle"),
        (POLICY.replace("need: 2", "need: '2'"), "leave the quotes out"),
        ("\x00", "tiny.yaml"),
    ],
)
def test_malformed_policies_are_code_2(shell: Shell, text: str, said: str) -> None:
    result = shell("policy", "lint", shell.write("tiny.yaml", text))
    assert result.code == 2
    assert said in result.out


def test_a_shipped_policy_shows_whole(shell: Shell) -> None:
    names = {row["policy"] for row in shell("policy", "list", "-o", "json").json}
    assert names == set(policies.names())
    shown = shell("policy", "show", "standard", "-o", "json")
    original = read_policy(policies.text_of("standard"), "standard")
    assert Policy.model_validate_json(shown.out) == original
    plain = shell("policy", "show", "standard").out
    assert all(gate.id in plain for gate in original.gates())
    in_yaml = YAML(typ="safe").load(shell("policy", "show", "standard", "-o", "yaml").out)
    assert in_yaml == shown.json
    assert next(iter(in_yaml)) == "schema_version", "fields keep their order"


def test_a_next_version_under_a_shipped_name_is_listed_and_never_guessed(shell: Shell) -> None:
    """The name alone stays the shipped one; who compares versions must say which."""
    shipped = policies.text_of("standard")
    file = shell.write("standard-2.yaml", shipped.replace('version: "1"', 'version: "2"'))
    for text in (shipped, (shell.folder / file).read_text("utf-8")):
        ledger = Ledger(f"sqlite:///{shell.folder / 'ledger.db'}")
        model = read_policy(text, "standard")
        ledger.documents.publish("policy", "standard", model, datetime.now(UTC), "ana")
        ledger.close()
    rows = shell("policy", "list", "-o", "json").json
    found = [(row["version"], row["origin"]) for row in rows if row["policy"] == "standard"]
    assert found == [("1", "shipped"), ("2", "published")]
    assert shell("policy", "show", "standard", "-o", "json").json["version"] == "1"
    unclear = shell("policy", "diff", "standard@1", "standard")
    assert unclear.code == 2
    assert "version 1 is shipped, and published: 2" in unclear.err
    assert "standard@2" in unclear.err
    assert shell("policy", "diff", "standard@1", "standard@2").code == 0


def test_a_policy_that_was_shown_is_a_policy_file(shell: Shell) -> None:
    for name in policies.names():
        file = shell.write(f"{name}.yaml", shell("policy", "show", name, "-o", "yaml").out)
        found = shell("policy", "lint", file)
        assert found.code == 0, found.out + found.err


def test_schema_judges_the_shipped_policies(shell: Shell) -> None:
    schema = shell("policy", "schema").json
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["title"] == "phasegate policy"
    jsonschema.Draft202012Validator.check_schema(schema)
    for name in policies.names():
        document = YAML(typ="safe").load(policies.text_of(name))
        jsonschema.validate(json.loads(json.dumps(document, default=str)), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"policy": "x"}, schema)
    for kind in ("product", "directory"):
        assert shell("policy", "schema", kind).json["title"] == f"phasegate {kind}"


def test_directory_is_published_once_per_change(shell: Shell) -> None:
    file = shell.write("people.yaml", DIRECTORY)
    nobody = shell("directory", "publish", file, "--no-notify")
    assert (nobody.code, "--as" in nobody.err) == (2, True)
    unheard = shell("directory", "publish", file, "--as", "olga", "-o", "json")
    first = unheard.json
    assert (first["notified"], first["gates_heard"]) == (False, 0)
    assert first["published_by"] == "olga"
    assert "open gates will not have heard" in unheard.err
    assert "hint: phasegate directory publish people.yaml --as olga" in unheard.err
    quiet = shell("directory", "publish", file, "--as", "olga", "--no-notify", "-o", "json")
    assert (quiet.code, quiet.err) == (0, "")
    again = quiet.json
    assert (first["name"], first["n"], first["changed"]) == ("default", 1, True)
    assert (again["digest"], again["n"], again["changed"]) == (first["digest"], 1, False)
    shown = shell("directory", "show", "-o", "json").json
    assert shown["digest"] == first["digest"]
    assert shown["people"]["olga"]["name"] == "Ольга"
    assert "Ольга" in shell("directory", "show").out
    copied = shell.write("copied.yaml", shell("directory", "show", "-o", "yaml").out)
    assert shell("directory", "lint", copied).code == 0
    quiet = shell("directory", "publish", copied, "--as", "cy", "--no-notify", "-o", "json")
    assert (quiet.json["changed"], quiet.json["digest"]) == (False, first["digest"])
    newer = shell.write(
        "newer.yaml", DIRECTORY.replace(", eve: {}", ", flo: {}").replace("bo, cy", "flo, cy")
    )
    change = shell("directory", "diff", "default", newer, "-o", "json").json
    assert (change["people_added"], change["people_removed"]) == (["flo"], ["eve"])
    assert change["groups"] == [
        {"group": "eng", "change": "changed", "added": ["flo"], "removed": ["bo"], "changes": []}
    ]
    same = shell("directory", "diff", "default", file)
    assert (same.code, same.out) == (0, "")


def test_directory_shows_calendars_absences_and_rights(shell: Shell) -> None:
    text = DIRECTORY.replace("ana: {name: Añá}", "ana: {name: Añá, manager: olga, deputy: bo}")
    old = shell.write("old.yaml", text)
    away = "{start: 2026-12-24, end: 2027-01-06, delegate: dan}"
    text = text.replace("bo: {}", f"bo: {{country: DE, subdivision: BY, absences: [{away}]}}")
    text = text.replace("deputy: bo", "deputy: cy, time_zone: Europe/Madrid")
    more = "approve: [2, 3], permissions: {override: [2, 3], extend: [1]}"
    new = shell.write("new.yaml", text.replace("[ana, olga]", f"[ana, olga], {more}"))
    change = shell("directory", "diff", old, new, "-o", "json").json
    assert change["people_changed"] == ["ana", "bo"]
    told = {
        c["person"]: {f["field"]: f["new"] for f in c["changes"]} for c in change["people_changes"]
    }
    assert told["ana"] == {"deputy": "cy", "time_zone": "Europe/Madrid"}
    assert told["bo"]["absences"][0]["delegate"] == "dan"
    (group,) = change["groups"]
    assert {f["field"] for f in group["changes"]} == {"approve", "permissions"}
    shown = shell("directory", "diff", old, new).out
    assert "2026-12-24 to 2027-01-06 (dan)" in shown
    assert "override (tier 2 3)" in shown
    assert shell("directory", "publish", new, "--as", "olga", "--no-notify").code == 0
    page = shell("directory", "show").out
    for said in ("DE-BY", "Europe/Madrid", "2027-01-06", "extend (tier 1)", "2, 3"):
        assert said in page
    assert shell("directory", "show", "-o", "json").json["groups"]["product"]["approve"] == [2, 3]


def test_a_faulty_directory_is_not_published(shell: Shell) -> None:
    file = shell.write("people.yaml", DIRECTORY.replace("[bo, cy, dan]", "[bo, zed]"))
    result = shell("directory", "publish", file, "--as", "olga", "-o", "json")
    assert result.code == 2
    assert result.error["problems"][0]["path"] == "groups.eng.members.1"
    assert shell("directory", "lint", file).code == 2
    assert "no directory was published yet" in shell("directory", "show").err


def test_dry_run_says_who_would_vote_and_starts_nothing(shell: Shell) -> None:
    result = shell.start("x1", "--dry-run", "-o", "json")
    assert result.code == 0, result.err
    launch, retire = result.json["gates"]
    assert launch["voters"] == {"eng": ["bo", "cy", "dan"], "product": ["ana"]}
    assert (retire["after"], retire["opens"]) == ("market", "submit")
    assert "launch" in shell.start("x1", "--dry-run").out


def test_a_start_is_refused_before_anything_happens(shell: Shell) -> None:
    shell.write("people.yaml", DIRECTORY)
    shell.write("tiny.yaml", POLICY)
    file = shell.write("x.yaml", "key: x\nname: X\nowner: zoe\ntier: 4\nteir: 1\n")
    options = ("--policy", "tiny.yaml", "--directory", "people.yaml")
    result = shell("product", "start", file, *options)
    assert result.code == 2
    assert "x.yaml:4:7: tier: must be at most 3" in result.err
    assert "x.yaml:5:1: teir: unknown field, did you mean tier?" in result.err
    file = shell.write("y.yaml", "key: y\nname: Y\nowner: zoe\n")
    assert (
        "y.yaml:3:8: owner: zoe is not in directory"
        in shell("product", "start", file, *options).err
    )
    result = shell("product", "start", file, "--policy", "unknown", "--directory", "people.yaml")
    assert result.code == 2
    assert "there is no policy unknown" in result.err
    assert "there is no directory default" in shell("product", "start", file, *options[:2]).err
    assert "names no policy" in shell("product", "start", file).err


def test_a_group_of_200_people(shell: Shell) -> None:
    people = [f"person-{n:03}@example.org" for n in range(200)]
    listed = ", ".join(people)
    text = (
        f"people: {{olga: {{}}, ana: {{}}, {', '.join(f'{p}: {{}}' for p in people)}}}\n"
        f"groups: {{product: {{members: [ana]}}, eng: {{members: [{listed}]}}}}\n"
    )
    shell.write("tiny.yaml", POLICY)
    shell.write("many.yaml", text)
    product = shell.write("x.yaml", "key: x\nname: X\nowner: olga\n")
    options = ("--policy", "tiny.yaml", "--directory", "many.yaml", "--dry-run", "-o", "json")
    result = shell("product", "start", product, *options)
    assert result.code == 0, result.err
    assert result.json["gates"][0]["voters"]["eng"] == people


def test_no_colour_and_nothing_cut_when_piped(shell: Shell) -> None:
    result = shell("policy", "show", "standard", FORCE_COLOR="1", COLUMNS="20")
    assert "\x1b" not in result.out
    assert "…" not in result.out
