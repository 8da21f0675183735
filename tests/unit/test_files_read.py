"""Files that somebody names: read in bounds, whatever they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.documents import read_text
from client.evidence import digest_of_file
from client.usage import UsageError
from commands.parsing import promises_of
from integrations.allowed import AllowListUnreadable, load_allow_list
from integrations.loading import IntegrationsUnreadable, load_integrations


def test_a_file_without_end_ends() -> None:
    with pytest.raises(UsageError) as error:
        read_text("/dev/zero")
    assert error.value.why == "it has more than 1048576 bytes"
    with pytest.raises(UsageError, match="--condition @/dev/zero cannot be read"):
        promises_of(["@/dev/zero"])
    with pytest.raises(IntegrationsUnreadable):
        load_integrations({"PHASEGATE_INTEGRATIONS": "/dev/zero"})
    with pytest.raises(AllowListUnreadable):
        load_allow_list({"PHASEGATE_COMMANDS": "/dev/zero"})


def test_a_file_that_is_no_text_says_so(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(b"policy: x\xff\n")
    with pytest.raises(UsageError, match="cannot be read") as error:
        read_text(str(path))
    assert error.value.why == "it is no UTF-8 text (byte 10)"


def test_evidence_is_a_file(tmp_path: Path) -> None:
    for path in ("/dev/zero", "/dev/tty", str(tmp_path)):
        with pytest.raises(UsageError, match="cannot be read"):
            digest_of_file(path)
    (tmp_path / "plan.pdf").write_bytes(b"plan")
    assert digest_of_file(str(tmp_path / "plan.pdf")).startswith("sha256:")


def test_conditions_nested_without_end() -> None:
    with pytest.raises(UsageError, match="is not JSON"):
        promises_of(["[" * 200_000])
