"""Published documents are found by digest, and never change under it."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import insert

from client.recovering import bring_back
from ledger import DocumentUnknown, Ledger, LedgerError, schema
from phasegate.base import canonical, digest_of
from phasegate.directory import Directory, Group, Person
from phasegate.policy import Policy
from phasegate.product import Product
from phasegate.span import Span

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
POLICY = Policy.model_validate(
    {
        "policy": "standard",
        "version": "1",
        "title": "Standard",
        "phases": [
            {
                "id": "scoping",
                "title": "Scoping",
                "at_risk": "2 weeks",
                "gate": {"id": "g1", "title": "G1", "requires": [{"group": "leads"}]},
            }
        ],
        "sunset": {"tasks": [{"kind": "date", "id": "eol", "title": "EoL", "at": "12 months"}]},
    }
)

OLDER = POLICY.model_copy(
    update={"phases": (POLICY.phases[0].model_copy(update={"at_risk": Span.parse("14 days")}),)}
)
PRODUCT = Product.model_validate({"key": "atlas", "name": "Atlas", "owner": "maria"})


def directory(*people: str) -> Directory:
    return Directory(
        people={person: Person(name=person.title()) for person in people},
        groups={"leads": Group(members=people)},
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    yield opened
    opened.close()


def test_documents_come_back_as_published(ledger: Ledger) -> None:
    documents = ledger.documents
    product = Product.model_validate(
        {
            "key": "atlas",
            "name": "Atlas",
            "owner": "maria",
            "milestones": [{"id": "beta", "phase": "scoping", "due": "2026-12-24"}],
        }
    )
    digest = documents.publish("policy", "standard", POLICY, AT, "maria")
    assert digest == digest_of(POLICY)
    assert documents.read_policy(digest) == POLICY
    digest = documents.publish("directory", "default", directory("ann"), AT, "maria")
    assert documents.read_directory(digest) == directory("ann")
    digest = documents.publish("product", "atlas", product, AT, "maria")
    assert documents.read_product(digest) == product
    assert documents.names("product") == ["atlas"]


def test_publishing_what_is_current_adds_nothing(ledger: Ledger) -> None:
    documents = ledger.documents
    first = documents.publish("directory", "default", directory("ann"), AT, "maria")
    again = documents.publish(
        "directory", "default", directory("ann"), AT + timedelta(days=1), "joe"
    )
    assert first == again
    (publication,) = documents.history("directory", "default")
    assert (publication.n, publication.digest, publication.published_by) == (1, first, "maria")
    assert publication.published_at == AT


def test_the_latest_publication_is_current_and_an_older_one_can_be_again(ledger: Ledger) -> None:
    documents = ledger.documents
    eastern = AT.astimezone(timezone(timedelta(hours=-5)))
    first = documents.publish("directory", "default", directory("ann"), eastern, "maria")
    second = documents.publish("directory", "default", directory("bob"), AT, "joe")
    documents.publish("directory", "other", directory("cy"), AT, "joe")
    documents.publish("directory", "default", directory("ann"), AT, "maria")
    digests = [item.digest for item in documents.history("directory", "default")]
    assert digests == [first, second, first]
    current = documents.current("directory", "default")
    assert current
    assert (current.n, current.digest, current.published_at) == (3, first, AT)
    assert current.published_at.tzinfo is UTC
    assert documents.names("directory") == ["default", "other"]


def test_what_was_never_published(ledger: Ledger) -> None:
    documents = ledger.documents
    assert documents.current("policy", "standard") is None
    assert documents.history("policy", "standard") == []
    with pytest.raises(DocumentUnknown, match="policy sha256:0 is not in the ledger") as error:
        documents.read_policy("sha256:0")
    assert error.value.hint


def test_a_changed_text_is_not_read(ledger: Ledger, tmp_path: Path) -> None:
    digest = ledger.documents.publish("policy", "standard", POLICY, AT, "maria")
    connection = sqlite3.connect(tmp_path / "ledger.db")
    connection.execute("DROP TRIGGER documents_update")
    connection.execute("UPDATE documents SET body = replace(body, 'Scoping', 'Skipping')")
    connection.commit()
    connection.close()
    with pytest.raises(LedgerError, match="cannot be trusted"):
        ledger.documents.read_policy(digest)


def test_a_document_of_another_kind_is_not_mistaken(ledger: Ledger) -> None:
    digest = ledger.documents.publish("directory", "default", directory("ann"), AT, "maria")
    with pytest.raises(LedgerError, match="cannot be read"):
        ledger.documents.read_policy(digest)


def of_an_older_release(ledger: Ledger, policy: Policy) -> str:
    """Store it as a release did that did not know `at_risk` and `wait_for` yet; its digest."""
    body = policy.model_dump(mode="json")
    for phase in body["phases"]:
        del phase["at_risk"], phase["gate"]["wait_for"]
    text = canonical(body).decode()
    digest = "sha256:" + sha256(text.encode()).hexdigest()
    when = {"published_at": AT.isoformat(), "published_by": "maria"}
    with ledger.database.writing() as connection:
        connection.execute(
            insert(schema.documents).values(
                digest=digest, kind="policy", name=policy.policy, body=text, **when
            )
        )
        connection.execute(
            insert(schema.publications).values(
                kind="policy", name=policy.policy, n=1, digest=digest, **when
            )
        )
    return digest


def test_a_text_of_an_older_release_keeps_its_digest_while_it_means_the_same(
    ledger: Ledger,
) -> None:
    policy = OLDER
    digest = of_an_older_release(ledger, policy)
    assert digest != digest_of(policy)
    documents = ledger.documents
    assert documents.read_policy(digest) == policy
    assert documents.digest_of("policy", "standard", policy) == digest
    assert documents.publish("policy", "standard", policy, AT, "ana") == digest
    assert len(documents.history("policy", "standard")) == 1, "it is there once"
    other = policy.model_copy(update={"version": "2"})
    assert documents.publish("policy", "standard", other, AT, "ana") == digest_of(other)
    assert documents.publish("policy", "standard", policy, AT, "ana") == digest, "current again"
    assert [p.digest for p in documents.history("policy", "standard")] == [
        digest,
        digest_of(other),
        digest,
    ]


def test_bringing_back_what_is_there_makes_no_older_version_the_current_one(
    ledger: Ledger,
) -> None:
    of_an_older_release(ledger, OLDER)
    documents, other = ledger.documents, OLDER.model_copy(update={"version": "2"})
    documents.publish("policy", "standard", other, AT, "ana")
    bring_back(ledger, PRODUCT, OLDER)
    current = documents.current("policy", "standard")
    assert current is not None
    assert documents.read_policy(current.digest).version == "2"
    assert documents.current("product", PRODUCT.key) is not None, "it was not there"
