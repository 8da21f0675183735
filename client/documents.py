"""Documents by name or by file, with the place of every problem in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeVar

import policies
from client.extensions import extension_hints
from client.usage import UsageError
from integrations.files import read_bounded
from ledger import Ledger
from phasegate.adjusting import Adjustments
from phasegate.base import Document
from phasegate.directory import Directory
from phasegate.lint import Finding, lint_directory, lint_policy, lint_product
from phasegate.policy import Policy
from phasegate.problems import DocumentError, Problem
from phasegate.product import Product
from phasegate.reading import Parsed, parse_directory, parse_policy, parse_product
from phasegate.rehearsal import Script
from phasegate.views import ProductView

D = TypeVar("D", bound=Document)
Found = tuple[Finding, Problem]
"""A lint finding, and the same with its file, line and column."""

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_VERSIONED = re.compile(r"([a-z0-9][a-z0-9-]{0,62})@([^/\\]{1,40})")


def looks_like_file(reference: str) -> bool:
    """Whether NAME|FILE means a file: it has a suffix or a folder, or no name looks like that."""
    return not _SLUG.fullmatch(reference)


def read_text(file: str) -> str:
    """A document's text. Raises UsageError."""
    try:
        return read_bounded(file).decode()
    except UnicodeDecodeError as error:
        why = f"it is no UTF-8 text (byte {error.start + 1})"
        raise UsageError(f"{file} cannot be read", why, f"file {file}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{file} cannot be read", reason, f"ls -l {file}") from error


def find_policy(reference: str, ledger: Ledger) -> Parsed[Policy]:
    """A policy by file, by the name of a shipped one, by the name it was published under, by
    NAME@VERSION, or by its digest.

    A shipped name always means the policy of this release, whatever was published under it.
    """
    if _DIGEST.fullmatch(reference):
        return _published(ledger.documents.read_policy(reference), reference, parse_policy)
    if (versioned := _VERSIONED.fullmatch(reference)) and not Path(reference).exists():
        return _of_version(versioned[1], versioned[2], ledger)
    if looks_like_file(reference):
        return parse_policy(read_text(reference), reference)
    if reference in policies.names():
        return parse_policy(policies.text_of(reference), f"{reference}.yaml (shipped)")
    documents = ledger.documents
    if current := documents.current("policy", reference):
        return _published(documents.read_policy(current.digest), reference, parse_policy)
    known = [*policies.names(), *documents.names("policy")]
    raise _unknown("policy", reference, known, "phasegate policy list")


def _of_version(name: str, version: str, ledger: Ledger) -> Parsed[Policy]:
    """The policy that has this version, as it was published, or as it is shipped."""
    versions = []
    for publication in reversed(ledger.documents.history("policy", name)):
        policy = ledger.documents.read_policy(publication.digest)
        if policy.version == version:
            return _published(policy, f"{name}@{version}", parse_policy)
        versions.append(policy.version)
    if name in policies.names():
        shipped = parse_policy(policies.text_of(name), f"{name}.yaml (shipped)")
        if shipped.model.version == version:
            return shipped
        versions.append(shipped.model.version)
    known = (
        f"its versions here: {', '.join(sorted(set(versions)))}" if versions else "it is unknown"
    )
    what = f"there is no policy {name} of version {version}"
    raise UsageError(what, known, "phasegate policy list")


def find_directory(reference: str, ledger: Ledger) -> Parsed[Directory]:
    """A directory by file, or by the name it was published under."""
    if looks_like_file(reference):
        return parse_directory(read_text(reference), reference)
    documents = ledger.documents
    if current := documents.current("directory", reference):
        return _published(documents.read_directory(current.digest), reference, parse_directory)
    known = documents.names("directory")
    raise _unknown("directory", reference, known, "phasegate directory publish FILE --as WHO")


def find_product(file: str) -> Parsed[Product]:
    """A product definition from its file."""
    return parse_product(read_text(file), file)


def check_policy(
    policy: Parsed[Policy],
    directory: Directory | None = None,
    product: Parsed[Product] | None = None,
) -> list[Found]:
    """What is wrong with a policy, in the order of the file; then with a product under it."""
    found = [*lint_policy(policy.model, directory, _today()), *extension_hints(policy.model)]
    if product is None:
        return _placed(policy, found)
    about = lint_product(product.model, policy.model, directory, _today(), told=True)
    if (named := product.model.policy) not in (None, policy.model.policy):
        why = f"this product names policy {named}, and is judged by {policy.model.policy} here"
        mend = f"lint {named} with it, or name {policy.model.policy}"
        about.append(Finding("warning", ("policy",), f"{why}; {mend}"))
    return _placed(policy, found) + _placed(product, about)


def check_directory(directory: Parsed[Directory]) -> list[Found]:
    """What is wrong with a directory, in the order of the file."""
    return _placed(directory, lint_directory(directory.model, _today()))


def check_start(
    product: Parsed[Product], policy: Parsed[Policy], directory: Parsed[Directory]
) -> list[Problem]:
    """The warnings about a product that is to be started. Raises DocumentError for errors.

    A gate that lacks people is judged for this product: its tier, its owner, its own choice of
    approvers. What only other products would miss is a warning here.
    """
    certain = [
        *_placed(directory, lint_directory(directory.model, _today())),
        *_placed(policy, lint_policy(policy.model)),
        *_placed(product, lint_product(product.model, policy.model, directory.model, _today())),
        *_placed(product, extension_hints(product.model)),
    ]
    known = set(certain)
    people = [found for found in check_policy(policy, directory.model) if found not in known]
    refuse(certain)
    return [problem for _, problem in [*certain, *people]]


def check_update(product: Parsed[Product], running: ProductView, ledger: Ledger) -> list[Found]:
    """What is wrong with a product under the policy and the directory it runs by, in the order of
    the file: an update must not leave a gate without people that a start would have refused."""
    documents = ledger.documents
    current = documents.current("directory", running.directory)
    # Another owner is refused by the product, which says how to hand it over.
    same = product.model.owner == running.owner
    directory = documents.read_directory(current.digest) if current and same else None
    policy = documents.read_policy(running.policy_digest)
    return _placed(product, lint_product(product.model, policy, directory, _today()))


def refuse(found: Iterable[Found]) -> None:
    """Raise DocumentError if there are errors among the findings."""
    if errors := [problem for finding, problem in found if finding.severity == "error"]:
        raise DocumentError(tuple(errors))


Kind = Literal["policy", "product", "directory", "adjustments", "script"]


def json_schema(kind: Kind) -> dict[str, Any]:
    """The JSON Schema of a kind of document."""
    models: dict[str, type[Document]] = {
        "policy": Policy,
        "product": Product,
        "directory": Directory,
        "adjustments": Adjustments,
        "script": Script,
    }
    schema = models[kind].model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": f"phasegate {kind}",
    }


def _today() -> date:
    """The day by which keys are judged: UTC, as the engine does."""
    return datetime.now(UTC).date()


def _placed(parsed: Parsed[D], findings: Iterable[Finding]) -> list[Found]:
    found = [(finding, parsed.problem(finding.path, finding.message)) for finding in findings]
    return sorted(found, key=lambda pair: (pair[1].line, pair[1].column))


def _published(model: D, name: str, parse: Callable[[str, str], Parsed[D]]) -> Parsed[D]:
    """A published document, placed in the text that `show NAME -o json` prints."""
    return parse(model.model_dump_json(indent=2), f"{name} (published)")


def _unknown(kind: str, name: str, known: Iterable[str], hint: str) -> UsageError:
    names = sorted(set(known))
    close = get_close_matches(name, names, n=1)
    why = f"did you mean {close[0]}? " if close else ""
    why += f"known: {', '.join(names)}" if names else f"no {kind} was published yet"
    return UsageError(f"there is no {kind} {name}", why, hint)
