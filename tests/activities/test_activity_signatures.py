"""Checking a signature on a real ledger: by the directory that is named, or the current one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from signers import make_key, public, raw_sign
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.signatures import SignatureActivities
from ledger import Ledger
from phasegate.directory import Directory
from phasegate.ports import SignatureFinding, SignatureQuery

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


async def test_the_answer_is_that_of_the_directory_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    key = make_key(tmp_path, "ana")
    made = raw_sign("text", key)
    known = [
        Directory.model_validate({"people": {"ana": {"keys": keys}}, "groups": {}})
        for keys in ([{"key": public(key)}], [])
    ]
    old, new = (
        ledger.documents.publish("directory", "default", directory, NOW, "max")
        for directory in known
    )
    activity = SignatureActivities(ledger).verify_signature

    def check(digest: str, person: str = "ana", name: str = "default") -> SignatureFinding:
        query = SignatureQuery(
            directory_digest=digest,
            directory=name,
            person=person,
            statement="text",
            signature=made,
            at=NOW,
        )
        found: SignatureFinding = ActivityEnvironment().run(activity, query)
        return found

    assert (check(old).code, check(old).directory) == ("", old)
    assert (check(new).code, check(new).directory) == ("unknown-key", new)
    assert (check("").code, check("").directory) == ("unknown-key", new)
    assert check(old, "who").code == "unknown-key"
    for digest, name in (("sha256:none", "default"), ("", "other")):
        with pytest.raises(ApplicationError) as caught:
            check(digest, name=name)
        assert caught.value.type == "directory-unknown"
        assert not caught.value.non_retryable
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    with pytest.raises(ApplicationError, match="not installed") as caught:
        check(old)
    assert (caught.value.type, caught.value.non_retryable) == ("keygen-unusable", False)
    ledger.close()
