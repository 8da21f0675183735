"""Requests as anybody may send them to Temporal: read whole, or refused as malformed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.exceptions import ApplicationError

from commands.output import cell
from phasegate.requests import EvidenceRequest, VoteRequest
from workflows.intake import RequestConverter

VOTE = {"approver": "ana", "vote": "go", "request_id": "r1"}


def read(data: bytes, model: type[Any] = VoteRequest, encoding: bytes = b"json/plain") -> Any:
    payload = Payload(metadata={"encoding": encoding}, data=data)
    return RequestConverter().from_payloads([payload], [model])[0]


def body(**more: str) -> bytes:
    """JSON by hand: values as they stand."""
    fields = [f'"{name}": "{value}"' for name, value in VOTE.items()]
    return ("{" + ", ".join([*fields, *(f'"{n}": {v}' for n, v in more.items())]) + "}").encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        body(comment="[" * 5000 + "]" * 5000),
        body(comment='"\\ud800"'),
        body(comment="NaN"),
        body(comment="9" * 5000),
        body(comment='"' + "x" * 4001 + '"'),
        body(conditions="{}"),
        b'{"vote": "go"}',
        b"null",
    ],
    ids=range(11),
)
def test_hostile_json_is_refused(data: bytes) -> None:
    with pytest.raises(ApplicationError) as error:
        read(data)
    assert error.value.type == "malformed"
    assert len(error.value.message) < 2000


@pytest.mark.parametrize("encoding", [b"", b"binary/zlib", b"json/protobuf", b"binary/encrypted"])
def test_foreign_encodings_are_refused(encoding: bytes) -> None:
    with pytest.raises(ApplicationError) as error:
        read(json.dumps(VOTE).encode(), encoding=encoding)
    assert error.value.type == "malformed"


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity"])
def test_figures_are_finite(number: str) -> None:
    data = '{"actor": "ana", "request_id": "r", "title": "t", "figures": {"n": ' + number + "}}"
    with pytest.raises(ApplicationError) as error:
        read(data.encode(), EvidenceRequest)
    assert error.value.type == "malformed"


def test_what_steers_a_terminal_is_kept_and_shown_harmless() -> None:
    found = read(body(comment='"\\u001b[2J\\u202eon"'))
    assert found.comment == "\x1b[2J\u202eon"
    assert cell(found.comment) == "\ufffd[2J\ufffdon"
