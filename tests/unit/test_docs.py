"""What the pages promise is so: documents lint, commands parse, links resolve, fields are there."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from pathlib import Path

import pytest
from cyclopts import MissingArgumentError
from ruamel.yaml import YAML
from temporalio.envconfig import ClientConfigProfile

import cli
from commands.catalogue import COMMANDS, Command
from integrations.allowed import AllowList
from integrations.document import Integrations
from phasegate.base import Document
from phasegate.directory import Directory
from phasegate.lint import Finding, lint_directory, lint_policy, lint_product
from phasegate.policy import Policy
from phasegate.product import Product
from phasegate.reading import (
    DocumentError,
    parse,
    parse_policy,
    read_directory,
    read_policy,
    read_product,
)
from phasegate.rehearsal import Script
from phasegate.search import ATTRIBUTES
from phasegate.sunset import SunsetPlan, WaitTask

ROOT = Path(__file__).parents[2]
PAGES = {
    path.name: path.read_text("utf-8") for path in [*ROOT.glob("docs/*.md"), ROOT / "README.md"]
}
POLICY = PAGES["policy.md"]
RUNNING = PAGES["running.md"]
YAML_BLOCKS = [
    pytest.param(block, id=f"{name}-{number}")
    for name, text in PAGES.items()
    for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S), 1)
]
EXAMPLES = [str(param.values[0]) for param in YAML_BLOCKS]


def errors(found: list[Finding]) -> list[str]:
    return [str(finding) for finding in found if finding.severity == "error"]


def the_first(key: str) -> str:
    """The first example with that key at its top."""
    return next(block for block in EXAMPLES if re.search(rf"^{key}:", block, re.M))


def test_tests_that_are_named_are_there() -> None:
    """In the tables of what is promised: `folder/test_file.py`, and the test in it if one is."""
    named = {
        found
        for name, text in PAGES.items()
        if name.startswith(("security", "operating"))
        for found in re.findall(r"`((?:\w+/)+test_\w+\.py)(?:::(test_\w+))?`", text)
    }
    assert len(named) > 30
    for file, test in sorted(named):
        text = (ROOT / "tests" / file).read_text("utf-8")
        assert not test or f"def {test}(" in text, f"{file}::{test}"


# -- documents ------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", YAML_BLOCKS)
def test_yaml_lints_without_errors(block: str) -> None:
    keys = YAML(typ="safe").load(block).keys()
    people = read_directory(the_first("people"), "people.yaml")
    policy = read_policy(the_first("phases"), "launch.yaml")
    if keys & Integrations.model_fields.keys():
        assert parse(Integrations, block, "integrations.yaml").model.secrets()
        return
    if keys & AllowList.model_fields.keys():
        assert parse(AllowList, block, "commands.yaml").model.secrets()
        return
    if "phases" in keys:
        first = block == the_first("phases")
        found = lint_policy(read_policy(block, "policy"), people if first else None)
    elif "people" in keys:
        found = lint_directory(read_directory(block, "directory"))
    else:
        product = read_product(block, "product")
        assert product.policy == policy.policy
        found = lint_product(product, policy, people)
    assert errors(found) == []


MISTAKES = [
    ("need: 1, veto", "qorum: 1, veto"),
    ('version: "1"', "version: 1"),
    ("title: Small launch", "title: Small launch\ntitle: Again"),
    ("at: 90 days, remind", "at: 90 dayz, remind"),
    ("milestone: feature-complete", "milestone: features-complete"),
    ("milestone: feature-complete", "expression: product.tier <= "),
    ("need: 1, veto: true", "need: 1, when: product.teir == 1"),
    ("title: Build", "title: Build\n    next: markt"),
    ("in_market: true", "in_market: true\n    next: build"),
    ("need: 1, veto: true", "need: 1, veto: true, step: 3"),
    ("at: 90 days, by: engineering", "after: [end-of-live], by: engineering"),
    ("at: 90 days, by: engineering", "after: [end-of-life], by: engineering, effect: irreversible"),
]


@pytest.mark.parametrize(("right", "wrong"), MISTAKES)
def test_lint_answers_as_the_page_says(right: str, wrong: str) -> None:
    text = the_first("phases").replace(right, wrong, 1)
    try:
        parsed = parse_policy(text, "launch.yaml")
        found = [parsed.problem(f.path, f.message) for f in lint_policy(parsed.model)]
    except DocumentError as error:
        found = list(error.problems)
    assert found
    assert [str(said) for said in found if str(said) not in POLICY] == []


def test_lint_says_of_the_lamp_and_its_owner_what_the_page_shows() -> None:
    people = read_directory(the_first("people"), "people.yaml")
    policy = read_policy(the_first("phases"), "launch.yaml")
    lamp = read_product(the_first("key"), "lamp.yaml")
    found = [*lint_policy(policy, people), *lint_product(lamp, policy, people)]
    assert [finding.path for finding in found] == [("phases", 0, "gate", "requires"), ("owner",)]
    for finding in found:
        assert f" {finding}\n" in POLICY


# -- fields ---------------------------------------------------------------------------------------


def models(base: type[Document] = Document) -> list[type[Document]]:
    found = [base] if base.__module__ != Document.__module__ and base.__name__[0] != "_" else []
    return found + [model for below in base.__subclasses__() for model in models(below)]


def rows(heading: str, page: str = "policy.md") -> dict[str, str]:
    """The table below a heading of a page: the first cell's name → the rest of the line."""
    section = re.search(rf"^### {heading}\n(.*?)(?=^##|\Z)", PAGES[page], re.M | re.S)
    assert section, f"{page} has no heading {heading}"
    return dict(re.findall(r"^\| `([a-z_0-9]+)` \|(.*)$", section[1], re.M))


def page_of(model: type[Document]) -> str:
    if model.__module__.startswith("integrations."):
        return "integrations.md"
    return "simulate.md" if model.__module__ == "phasegate.rehearsal" else "policy.md"


def is_task(model: type[Document]) -> bool:
    return model.__name__.endswith("Task")


@pytest.mark.parametrize("model", [m for m in models() if not is_task(m)], ids=lambda m: m.__name__)
def test_every_field_is_described(model: type[Document]) -> None:
    described = rows(model.__name__, page_of(model))
    assert described.keys() == model.model_fields.keys()
    for name, field in model.model_fields.items():
        says = bool(
            re.match(r" yes\b", described[name]) or re.search(r"\bneeded\b", described[name])
        )
        assert says == field.is_required(), f"{model.__name__}.{name}"


@pytest.mark.parametrize("model", [m for m in models() if is_task(m)], ids=lambda m: m.__name__)
def test_every_sunset_task_is_described(model: type[Document]) -> None:
    described = rows("Tasks")
    own = next(text for text in described.values() if f" {model.__name__} " in text)
    assert all(name in described or f"`{name}`" in own for name in model.model_fields)
    assert {*WaitTask.model_fields, "effect", "undo"} <= described.keys()


def test_models_are_found() -> None:
    assert {Policy, Product, Directory, SunsetPlan, Script} <= set(models())


# -- commands -------------------------------------------------------------------------------------


def code_lines(text: str) -> list[str]:
    """Lines of code blocks, indented or fenced, with their continuations joined."""
    blocks = re.findall(r"^```(?:sh|bash|console|shell)?\n(.*?)^```", text, re.M | re.S)
    blocks.append("\n".join(re.findall(r"^    (.*)$", text, re.M)))
    joined = "\n".join(blocks).replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines()]


def words_of(line: str) -> list[str]:
    """The words of a shell line after `phasegate`; empty where it calls something else."""
    try:
        tokens = shlex.split(line.removeprefix("$ "), comments=True)
    except ValueError:
        return []
    while tokens and re.match(r"[A-Z_]+=", tokens[0]):
        tokens.pop(0)
    if not tokens or tokens[0].rpartition("/")[2] != "phasegate":
        return []
    stop = next((i for i, t in enumerate(tokens) if t in ("|", ">", "&&", "||", "&", ";")), None)
    return tokens[1:stop]


LINES = sorted({line for text in PAGES.values() for line in code_lines(text) if words_of(line)})
INLINE = sorted(
    {code for text in PAGES.values() for code in re.findall(r"`(phasegate [^`]+)`", text)}
)


def test_command_lines_are_found() -> None:
    assert len(LINES) > 10


@pytest.mark.parametrize("line", LINES)
def test_command_line_parses(line: str) -> None:
    cli.build_app().parse_args(words_of(line), print_error=False, exit_on_error=False)


@pytest.mark.parametrize("code", INLINE)
def test_command_named_in_the_text_exists(code: str) -> None:
    words = code.split()[1:]
    entry = COMMANDS.get(words[0])
    if entry is None:
        assert words[0].startswith("-") or not words[0].isalpha() or words[0].isupper(), code
    elif not isinstance(entry, Command):
        verbs = words[1].split("|") if len(words) > 1 and re.match(r"[a-z|]+$", words[1]) else []
        assert all(verb in entry.verbs for verb in verbs), code


FOR_THE_CALL = sorted(set(re.findall(r"`(phasegate [^`]+)`", PAGES["operating.md"])))


@pytest.mark.parametrize("code", FOR_THE_CALL)
def test_what_the_operating_guide_says_in_passing_parses_too(code: str) -> None:
    """Nobody on call has time to find the right option. Arguments may be missing, nothing else."""
    with suppress(MissingArgumentError):
        cli.build_app().parse_args(shlex.split(code)[1:], print_error=False, exit_on_error=False)


# -- links and names ------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("name", PAGES)
def test_links_resolve(name: str) -> None:
    here = ROOT if name == "README.md" else ROOT / "docs"
    for link in re.findall(r"\]\(([^)\s]+)\)", PAGES[name]):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = here / path if path else here / name
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), link


def test_pages_named_elsewhere_exist() -> None:
    files = (file for file in (ROOT / "deploy").rglob("*") if file.is_file())
    for file in (ROOT / "docker-compose.yml", *files):
        for page in re.findall(r"docs/[\w-]+\.md", file.read_text("utf-8")):
            assert (ROOT / page).exists(), f"{file.name} names {page}"


def test_every_setting_is_described() -> None:
    used = {
        name
        for folder in ("client", "activities", "ledger", "commands")
        for file in (ROOT / folder).rglob("*.py")
        for name in re.findall(r'"(PHASEGATE_[A-Z_]+)"', file.read_text("utf-8"))
    }
    assert used
    assert {name for name in used if f"`{name}`" not in RUNNING} == set()


def test_temporal_reads_the_variables_that_are_named() -> None:
    named = re.findall(r"`(TEMPORAL_(?!PROFILE|CONFIG_FILE|GRPC_META)[A-Z_]+)`", RUNNING)
    given = {name: "true" if name == "TEMPORAL_TLS" else name.lower() for name in named}
    found = ClientConfigProfile.load(
        disable_file=True, override_env_vars={**given, "TEMPORAL_GRPC_META_X_TEAM": "us"}
    )
    assert found.tls is not None
    assert found.grpc_meta == {"x-team": "us"}
    seen = repr(found)
    assert [name for name, value in given.items() if value != "true" and value not in seen] == []


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_every_search_attribute_is_described(name: str) -> None:
    assert f"`{name}`" in RUNNING
