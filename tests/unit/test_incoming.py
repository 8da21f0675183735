"""What senders send: who may, by which proof, and what is read from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from time import time
from typing import Any

import pytest
import webhooks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webhooks import as_body

from integrations.document import Source
from integrations.incoming import LARGEST_BATCH, Incoming, read
from integrations.proof import prove
from integrations.refused import Refused
from integrations.secret import Secret

SECRET, OLD, SIGNING = "s3cret-of-ours", "s3cret-before", "whsec_c2lnbmluZy1rZXktb2Ytb3Vycw=="
KIND = {
    "github": "github",
    "gitlab": "gitlab",
    "bus": "cloudevents",
    "hooks": "standard-webhooks",
}


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("NOW", SECRET), ("OLD", OLD), ("SIGNING", SIGNING)):
        monkeypatch.setenv(name, value)


def source(name: str, secret: str = "", previous: str | None = "OLD") -> Source:
    return Source.model_validate(
        {
            "kind": KIND[name],
            "secret": Secret(env=secret or ("SIGNING" if name == "hooks" else "NOW")),
            "previous": Secret(env=previous) if previous else None,
        }
    )


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def taken(name: str, headers: Mapping[str, str], body: bytes, **which: Any) -> list[Incoming]:
    """What is read of it, if it is proven who sent it."""
    prove(source(name, **which), lower(headers), body)
    return read(name, source(name, **which), lower(headers), body)


def refused(name: str, headers: Mapping[str, str], body: bytes, **which: Any) -> tuple[int, str]:
    with pytest.raises(Refused) as refusal:
        taken(name, headers, body, **which)
    error = refusal.value
    assert error.what
    assert error.why
    assert error.hint
    told = f"{error} {error.hint} {error.headers}"
    assert not any(secret in told for secret in (SECRET, OLD, SIGNING))
    return error.status, error.code


# -- GitHub ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [SECRET, OLD])
@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("milestone", webhooks.GITHUB_MILESTONE_CLOSED),
        ("release", webhooks.GITHUB_RELEASE_PUBLISHED),
    ],
)
def test_github(event: str, payload: dict[str, Any], secret: str) -> None:
    body = as_body(payload)
    (found,) = taken("github", webhooks.github(secret, event, body), body)
    assert found.event.model_dump() == {
        "source": "github",
        "origin": "https://github.com/Codertocat/Hello-World",
        "type": event,
        "subject": "Codertocat/Hello-World",
        "id": "72d3162e",
    }
    assert found.data == payload


def test_github_asks_whether_somebody_is_there() -> None:
    body = as_body(webhooks.GITHUB_PING)
    assert taken("github", webhooks.github(SECRET, "ping", body), body) == []
    assert refused("github", webhooks.github("guessed", "ping", body), body)[0] == 401


def test_an_event_of_an_organisation_is_about_no_repository() -> None:
    body = as_body({"action": "member_added", "repository": "gone"})
    (found,) = taken("github", webhooks.github(SECRET, "organization", body), body)
    assert (found.event.subject, found.event.origin) == (None, "github")


def test_github_without_its_proof() -> None:
    body = as_body(webhooks.GITHUB_MILESTONE_CLOSED)
    good = webhooks.github(SECRET, "milestone", body)
    assert refused("github", good, body + b" ") == (401, "wrong-proof")
    assert refused("github", webhooks.github("guessed", "milestone", body), body)[0] == 401
    unsigned = {k: v for k, v in good.items() if k != "X-Hub-Signature-256"}
    assert refused("github", unsigned, body) == (401, "no-proof")
    assert refused("github", good | {"X-Hub-Signature-256": "sha256=\xe9"}, body)[0] == 401
    assert refused("github", webhooks.github(OLD, "milestone", body), body, previous=None)[0] == 401


@pytest.mark.parametrize("missing", ["X-GitHub-Event", "X-GitHub-Delivery"])
def test_github_without_a_header_that_it_always_sends(missing: str) -> None:
    body = as_body(webhooks.GITHUB_MILESTONE_CLOSED)
    headers = webhooks.github(SECRET, "milestone", body)
    del headers[missing]
    assert refused("github", headers, body) == (400, "malformed")


def test_a_github_form_is_not_read_and_the_hint_says_what_to_choose() -> None:
    body = b"payload=%7B%7D"
    headers = webhooks.github(SECRET, "milestone", body) | {
        "Content-Type": "application/x-www-form-urlencoded"
    }
    prove(source("github"), lower(headers), body)
    with pytest.raises(Refused, match="form") as refusal:
        read("github", source("github"), lower(headers), body)
    assert refusal.value.status == 415
    assert "application/json" in refusal.value.hint


# -- GitLab ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "payload", "subject"),
    [
        ("Pipeline Hook", webhooks.GITLAB_PIPELINE, "gitlab-org/gitlab-test"),
        ("Tag Push Hook", webhooks.GITLAB_TAG_PUSH, "jsmith/example"),
        ("Release Hook", webhooks.GITLAB_RELEASE, "gitlab-org/release-webhook-example"),
        ("Issue Hook", webhooks.GITLAB_ISSUE, "gitlabhq/gitlab-test"),
    ],
)
def test_gitlab(event: str, payload: dict[str, Any], subject: str) -> None:
    body = as_body(payload)
    for secret in (SECRET, OLD):
        (found,) = taken("gitlab", webhooks.gitlab(secret, event), body)
        assert (found.event.type, found.event.subject) == (event, subject)
        assert (found.event.id, found.event.origin) == ("f5e5f430", payload["project"]["web_url"])
        assert found.data == payload


def test_gitlab_signs_as_standard_webhooks_do() -> None:
    """The id is the same as of the Idempotency-Key header (GitLab, merge request 230944)."""
    body = as_body(webhooks.GITLAB_PIPELINE)
    plain = webhooks.gitlab("", "Pipeline Hook")
    del plain["X-Gitlab-Token"]
    headers = plain | webhooks.standard(SIGNING, body, id="f5e5f430")
    which = source("gitlab", secret="SIGNING")
    prove(which, lower(headers), body)
    assert read("gitlab", which, lower(headers), body)[0].event.id == "f5e5f430"
    assert refused("gitlab", headers, body + b" ", secret="SIGNING") == (401, "wrong-proof")
    late = plain | webhooks.standard(SIGNING, body, at=time() - 3600)
    assert refused("gitlab", late, body, secret="SIGNING") == (401, "stale-timestamp")


def test_gitlab_with_both_needs_one_of_them() -> None:
    body = as_body(webhooks.GITLAB_PIPELINE)
    headers = webhooks.gitlab(SECRET, "Pipeline Hook") | webhooks.standard(SIGNING, body)
    prove(source("gitlab"), lower(headers), body)
    prove(source("gitlab", secret="SIGNING"), lower(headers), body)


def test_gitlab_without_its_proof() -> None:
    body = as_body(webhooks.GITLAB_PIPELINE)
    headers = webhooks.gitlab("guessed", "Pipeline Hook")
    assert refused("gitlab", headers, body) == (401, "wrong-proof")
    del headers["X-Gitlab-Token"]
    assert refused("gitlab", headers, body) == (401, "no-proof")


def test_an_older_gitlab_shares_an_id_between_events_that_bring_about_each_other() -> None:
    headers = webhooks.gitlab(SECRET, "Issue Hook")
    del headers["Idempotency-Key"]
    ids = [
        taken("gitlab", headers, as_body(payload))[0].event.id
        for payload in (webhooks.GITLAB_ISSUE, webhooks.GITLAB_PIPELINE, webhooks.GITLAB_ISSUE)
    ]
    assert ids[0] == ids[2] != ids[1]
    assert ids[0].startswith("13792a34-cac6-4fda-95a8-c58e00a3954e/")
    del headers["X-Gitlab-Event-UUID"]
    assert refused("gitlab", headers, b"{}") == (400, "malformed")


# -- Standard Webhooks ----------------------------------------------------------------------------


def test_standard_webhooks() -> None:
    body = as_body({"type": "deploy.done", "timestamp": "2026-11-23T09:00:00Z", "data": {"n": 1}})
    (found,) = taken("hooks", webhooks.standard(SIGNING, body), body)
    assert found.event.model_dump(exclude_none=True) == {
        "source": "hooks",
        "origin": "hooks",
        "type": "deploy.done",
        "id": "msg_2KWP",
    }
    assert found.data == {"n": 1}


CLOUD_EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "A234-1234-1234",
    "source": "https://ci.example.com/jobs",
    "type": "com.example.build.passed",
    "subject": "kettle",
    "time": "2026-11-23T09:00:00Z",
    "datacontenttype": "application/json",
    "data": {"branch": "main", "tests": 812},
}


@pytest.mark.parametrize("media", ["application/json", "application/cloudevents+json"])
def test_a_cloud_event_in_a_standard_webhook_keeps_its_own_id(media: str) -> None:
    body = as_body(CLOUD_EVENT)
    headers = webhooks.standard(SIGNING, body) | {"Content-Type": media}
    (found,) = taken("hooks", headers, body)
    assert (found.event.id, found.event.origin) == ("A234-1234-1234", CLOUD_EVENT["source"])
    assert found.data == CLOUD_EVENT["data"]


def test_a_rotated_key_and_a_list_of_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLD", "whsec_YmVmb3Jl")
    body = as_body({"type": "t", "data": None})
    headers = webhooks.standard("whsec_YmVmb3Jl", body)
    assert taken("hooks", headers, body)[0].data is None
    both = "v2,aaaa v1a,bbbb v1,Y2NjYw== " + headers["webhook-signature"]
    assert taken("hooks", headers | {"webhook-signature": both}, body)


@pytest.mark.parametrize("away", [-3600, -301, 301, 3600])
def test_a_replay_is_refused_and_says_so(away: int) -> None:
    body = as_body({"type": "t", "data": {}})
    late = webhooks.standard(SIGNING, body, at=time() + away)
    with pytest.raises(Refused) as refusal:
        prove(source("hooks", previous=None), lower(late), body)
    assert (refusal.value.status, refusal.value.code) == (401, "stale-timestamp")
    assert ("too old" if away < 0 else "too new") in refusal.value.why


@pytest.mark.parametrize(
    "broken",
    [
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,a,b"},
        {"webhook-signature": "v1,?"},
        {"webhook-signature": "v1,\xe9"},
        {"webhook-timestamp": "yesterday"},
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-id": "msg_another"},
    ],
)
def test_a_broken_signature_is_no_accident(broken: dict[str, str]) -> None:
    body = as_body({"type": "t", "data": {}})
    headers = webhooks.standard(SIGNING, body) | broken
    assert refused("hooks", headers, body, previous=None) == (401, "wrong-proof")


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_signature(name: str) -> None:
    headers = webhooks.standard(SIGNING, b"{}")
    del headers[name]
    assert refused("hooks", headers, b"{}") == (401, "no-proof")


def test_a_body_that_is_no_text_matches_no_signature() -> None:
    body = b"\xff\xfe{}"
    headers = webhooks.standard(SIGNING, body)
    assert refused("hooks", headers, body, previous=None) == (401, "wrong-proof")


# -- CloudEvents ----------------------------------------------------------------------------------

BEARER = {"Authorization": f"Bearer {SECRET}"}
STRUCTURED = {**BEARER, "Content-Type": "application/cloudevents+json; charset=utf-8"}
BATCH = {**BEARER, "Content-Type": "application/cloudevents-batch+json"}
BINARY = {
    **BEARER,
    "Content-Type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": "A234-1234-1234",
    "ce-source": "https://ci.example.com/jobs",
    "ce-type": "com.example.build.passed",
    "ce-subject": "kettle",
    "ce-time": "2026-11-23T09:00:00Z",
    "ce-traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}


def test_structured_and_binary_say_the_same() -> None:
    structured = taken("bus", STRUCTURED, as_body(CLOUD_EVENT))
    assert structured == taken("bus", BINARY, as_body(CLOUD_EVENT["data"]))
    assert structured[0].event.model_dump() == {
        "source": "bus",
        "origin": "https://ci.example.com/jobs",
        "type": "com.example.build.passed",
        "subject": "kettle",
        "id": "A234-1234-1234",
    }
    assert structured[0].data == {"branch": "main", "tests": 812}


def test_header_values_are_percent_decoded() -> None:
    """HTTP binding 1.0.2, section 3.1.3.2."""
    (found,) = taken("bus", BINARY | {"ce-subject": "Euro%20%E2%82%AC%20%F0%9F%98%80"}, b"{}")
    assert found.event.subject == "Euro € 😀"


def test_a_batch() -> None:
    events = [{**CLOUD_EVENT, "id": str(n)} for n in range(3)]
    found = taken("bus", BATCH, as_body(events))
    assert [one.event.id for one in found] == ["0", "1", "2"]
    assert taken("bus", BATCH, b"[]") == []
    many = [CLOUD_EVENT] * (LARGEST_BATCH + 1)
    assert refused("bus", BATCH, as_body(many)) == (413, "too-large")
    one_bad = [CLOUD_EVENT, {**CLOUD_EVENT, "id": ""}]
    assert refused("bus", BATCH, as_body(one_bad)) == (400, "malformed")


def test_unset_attributes_may_be_null() -> None:
    (found,) = taken("bus", STRUCTURED, as_body({**CLOUD_EVENT, "subject": None, "data": None}))
    assert (found.event.subject, found.data) == (None, None)


@pytest.mark.parametrize(
    ("media", "body", "data"),
    [
        ("text/plain", b"passed", "passed"),
        ("application/octet-stream", b"\xff\x00", None),
        ("application/vnd.ci+json", b'{"a": [1]}', {"a": [1]}),
        ("application/json", b"", None),
        ("application/json", b"7", 7),
    ],
)
def test_data_of_other_kinds(media: str, body: bytes, data: Any) -> None:
    (found,) = taken("bus", BINARY | {"Content-Type": media}, body)
    assert found.data == data


def test_base64_data_is_not_looked_into() -> None:
    event = {k: v for k, v in CLOUD_EVENT.items() if k != "data"} | {"data_base64": "AAE="}
    assert taken("bus", STRUCTURED, as_body(event))[0].data is None


@pytest.mark.parametrize("missing", ["id", "source", "type", "specversion"])
def test_required_attributes_are_not_made_up(missing: str) -> None:
    event = {k: v for k, v in CLOUD_EVENT.items() if k != missing}
    assert refused("bus", STRUCTURED, as_body(event)) == (400, "malformed")
    if missing != "specversion":
        headers = {k: v for k, v in BINARY.items() if k != f"ce-{missing}"}
        assert refused("bus", headers, b"{}") == (400, "malformed")


@pytest.mark.parametrize(
    "bad",
    [
        {"specversion": "0.3"},
        {"specversion": 1},
        {"id": 7},
        {"type": ""},
        {"subject": 7},
        {"time": "noon"},
        {"time": 1764000000},
        {"Upper": "case"},
        {"type": "a\nb"},
        {"type": "t" * 2001},
        {"id": "\ud800"},
        {"data_base64": "a", "data": None},
    ],
    ids=str,
)
def test_attributes_that_are_not_as_they_should_be(bad: dict[str, Any]) -> None:
    assert refused("bus", STRUCTURED, as_body({**CLOUD_EVENT, **bad})) == (400, "malformed")


GARBAGE = [
    b"",
    b"{",
    b"\xff",
    b"null",
    b"[]",
    b'"text"',
    b'{"a": NaN}',
    b"[" * 100_000,
    b'{"a": ' + b"9" * 5000 + b"}",
]


@pytest.mark.parametrize("body", GARBAGE, ids=lambda body: repr(body[:12]))
def test_garbage_is_malformed_for_every_kind(body: bytes) -> None:
    assert refused("bus", STRUCTURED, body) == (400, "malformed")
    assert refused("github", webhooks.github(SECRET, "milestone", body), body)[0] == 400
    assert refused("gitlab", webhooks.gitlab(SECRET, "Issue Hook"), body)[0] == 400
    if body != b"[]":
        assert refused("bus", BATCH, body)[0] == 400
    if body and body[:1] != b"\xff":
        assert refused("hooks", webhooks.standard(SIGNING, body), body)[0] == 400


@pytest.mark.parametrize("body", [b"{", b"\xff", b"NaN"])
def test_binary_data_that_says_it_is_json_and_is_not(body: bytes) -> None:
    assert refused("bus", BINARY, body) == (400, "malformed")


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("bus", {**BEARER, "Content-Type": "application/json"}),
        ("bus", {**BEARER}),
        ("bus", BINARY | {"Content-Type": "application/cloudevents+xml"}),
        ("bus", {**BEARER, "Content-Type": "application/cloudevents-batch+avro"}),
        ("bus", STRUCTURED | {"Content-Encoding": "gzip"}),
        ("hooks", {"Content-Type": "text/plain"}),
        ("gitlab", webhooks.gitlab(SECRET, "Issue Hook") | {"Content-Type": "text/plain"}),
    ],
)
def test_formats_that_are_not_understood(name: str, headers: dict[str, str]) -> None:
    if name == "hooks":  # signed now: a signature made when tests are collected is soon too old
        headers = webhooks.standard(SIGNING, b"{}") | headers
    assert refused(name, headers, b"{}") == (415, "unsupported-type")


def test_a_standard_webhook_that_says_nothing() -> None:
    for payload in ({"type": "t"}, {"type": 7, "data": {}}, {"data": {}}):
        body = as_body(payload)
        assert refused("hooks", webhooks.standard(SIGNING, body), body) == (400, "malformed")


def test_a_bearer_token_in_the_header_or_in_the_query() -> None:
    """CloudEvents webhook specification 1.0.2, section 3: a target supports both."""
    bus, body = source("bus"), as_body(CLOUD_EVENT)
    for headers in ({"authorization": f"bearer {SECRET}"}, {"authorization": f"Bearer  {OLD}"}):
        prove(bus, headers, body)
    prove(bus, {}, body, SECRET)
    assert refused("bus", {}, body) == (401, "no-proof")
    assert refused("bus", {"Authorization": f"Basic {SECRET}"}, body) == (401, "no-proof")
    assert refused("bus", {"Authorization": "Bearer guessed"}, body) == (401, "wrong-proof")
    with pytest.raises(Refused, match="token"):
        prove(bus, {"authorization": "Bearer guessed"}, body, SECRET)


def test_a_401_names_a_scheme() -> None:
    for name in KIND:
        with pytest.raises(Refused) as refusal:
            prove(source(name), {}, b"")
        assert refusal.value.headers["WWW-Authenticate"].endswith(' realm="phasegate"')


def test_secrets_of_every_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOW", "geheim-ß€")
    as_it_arrives = "geheim-ß€".encode().decode("latin-1")
    prove(source("gitlab"), {"x-gitlab-token": as_it_arrives}, b"")
    prove(source("bus"), {}, b"", as_it_arrives)


# -- secrets that are not there -------------------------------------------------------------------


def test_a_secret_that_cannot_be_read_is_our_fault_and_not_the_senders(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = as_body(webhooks.GITHUB_MILESTONE_CLOSED)
    good, old = (webhooks.github(s, "milestone", body) for s in (SECRET, OLD))
    monkeypatch.delenv("OLD")
    prove(source("github"), lower(good), body)  # the one that is there proves it
    assert refused("github", old, body) == (503, "unusable-secret")
    monkeypatch.setenv("OLD", OLD)
    monkeypatch.delenv("NOW")
    prove(source("github"), lower(old), body)
    assert refused("github", good, body) == (503, "unusable-secret")


@pytest.mark.parametrize("key", ["whsec_", "whsec_a", "geheim-ß"])
def test_a_key_that_cannot_sign_is_our_fault(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNING", key)
    headers = webhooks.standard("whsec_YmVmb3Jl", b"{}")
    assert refused("hooks", headers, b"{}", previous=None) == (503, "unusable-secret")


def test_payloads_are_json() -> None:
    assert json.loads(as_body(webhooks.GITLAB_RELEASE)) == webhooks.GITLAB_RELEASE


# -- anything at all ------------------------------------------------------------------------------

HEADERS = [
    *("authorization", "content-type", "content-encoding", "idempotency-key"),
    *("ce-specversion", "ce-id", "ce-source", "ce-type", "ce-subject", "ce-time", "ce-x", "ce-é"),
    *("webhook-id", "webhook-timestamp", "webhook-signature", "x-hub-signature-256"),
    *("x-github-event", "x-github-delivery", "x-gitlab-event", "x-gitlab-token"),
]
MEDIA = [
    *("application/json", "application/cloudevents+json", "application/cloudevents-batch+json"),
    *("text/plain", "1.0", "ping", f"Bearer {SECRET}", SECRET, "v1,YQ==", "2026-01-01T00:00:00Z"),
]
NAMES = st.sampled_from(
    [
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "data",
        "data_base64",
        "x",
        "repository",
        "project",
        "full_name",
        "html_url",
        "path_with_namespace",
        "web_url",
    ]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=12,
)
header_values = st.text(st.characters(max_codepoint=255), max_size=30)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(list(KIND)),
    st.dictionaries(st.sampled_from(HEADERS), header_values | st.sampled_from(MEDIA), max_size=8),
    json_values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60),
)
def test_whatever_is_sent_is_read_or_refused(
    name: str, headers: dict[str, str], body: bytes
) -> None:
    which = source(name)
    with suppress(Refused):
        prove(which, headers, body)
    with suppress(Refused):
        found = read(name, which, headers, body)
        assert all(json.dumps(one.event.model_dump()).encode() for one in found)
