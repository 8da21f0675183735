"""Who sent a request: secrets that are compared in constant time, and signatures.

- cloudevents: a bearer token, in the Authorization header or as `access_token` in the query
  (CloudEvents "HTTP 1.1 Web Hooks for Event Delivery" 1.0.2, section 3; RFC 6750).
- standard-webhooks: webhook-id, webhook-timestamp, webhook-signature (Standard Webhooks
  specification); a timestamp more than five minutes away is refused.
- github: X-Hub-Signature-256, an HMAC over the raw body ("Validating webhook deliveries").
- gitlab: webhook-signature as Standard Webhooks have it, or X-Gitlab-Token ("Webhooks").
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from integrations.document import Source
from integrations.refused import Refused, unavailable
from integrations.secret import SecretMissing

Headers = Mapping[str, str]
"""Names in lower case; each once."""

_SCHEMES = {
    "cloudevents": "Bearer",
    "standard-webhooks": "Webhook-Signature",
    "github": "X-Hub-Signature-256",
    "gitlab": "X-Gitlab-Token",
}
_TOLERANCE = "Message timestamp too "


def prove(source: Source, headers: Headers, body: bytes, query_token: str | None = None) -> None:
    """Return if the sender has the source's secret, or the one before it.

    Raises Refused: 401 without proof, 503 where a secret that might prove it cannot be read.
    """
    match source.kind:
        case "cloudevents":
            _bearer(source, headers, query_token)
        case "standard-webhooks":
            _signed(source, headers, body)
        case "github":
            _hub(source, headers, body)
        case "gitlab":
            _gitlab(source, headers, body)


def _bearer(source: Source, headers: Headers, query_token: str | None) -> None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    given = token.strip() if scheme.lower() == "bearer" else query_token
    if not given:
        raise _no_proof(source, "there is no Authorization: Bearer header")
    if not _any(source, lambda secret: _same(secret, given)):
        raise _wrong_proof(source, "the token is not the source's secret")


def _signed(source: Source, headers: Headers, body: bytes) -> None:
    if missing := [n for n in ("id", "timestamp", "signature") if not headers.get(f"webhook-{n}")]:
        raise _no_proof(source, f"there is no webhook-{missing[0]} header")
    said: list[str] = []
    if _any(source, lambda secret: _verified(secret, headers, body, said)):
        return
    if stale := [why for why in said if why.startswith(_TOLERANCE)]:
        word = stale[0].removeprefix(_TOLERANCE)
        raise Refused(
            401,
            "stale-timestamp",
            "the event is not taken",
            f"its webhook-timestamp is too {word}: only five minutes are allowed for",
            "send it again, signed anew; and check the clocks of both machines",
            headers=_challenge(source),
        )
    raise _wrong_proof(source, "webhook-signature does not match the body and the source's secret")


def _verified(secret: str, headers: Headers, body: bytes, said: list[str]) -> bool:
    """Why not goes to `said`. Raises Refused where the secret is no signing key."""
    try:
        key = Webhook(secret)
    except Exception as error:  # no base64, or none of it
        raise unavailable(
            "the source's secret is no signing key",
            "give the sender's key as it is shown: whsec_ and base64",
            code="unusable-secret",
        ) from error
    try:
        key.verify(body, dict(headers), json_parse=False)
        return True
    except WebhookVerificationError as error:
        said.append(str(error))
    except ValueError:  # a header or body that is not what it should be
        said.append("it is malformed")
    return False


def _hub(source: Source, headers: Headers, body: bytes) -> None:
    given = headers.get("x-hub-signature-256")
    if not given:
        raise _no_proof(source, "there is no X-Hub-Signature-256 header: the webhook has no secret")

    def matches(secret: str) -> bool:
        digest = hmac.new(secret.encode(), body, "sha256").hexdigest()
        return _same(f"sha256={digest}", given)

    if not _any(source, matches):
        raise _wrong_proof(source, "X-Hub-Signature-256 does not match the body and the secret")


def _gitlab(source: Source, headers: Headers, body: bytes) -> None:
    """Either proof will do: in GitLab, token and signing token are two fields, and may both be
    set."""
    token, signature = headers.get("x-gitlab-token"), headers.get("webhook-signature")
    if not token and not signature:
        raise _no_proof(source, "there is neither a webhook-signature nor an X-Gitlab-Token header")
    if token and _any(source, lambda secret: _same(secret, token)):
        return
    if not signature:
        raise _wrong_proof(source, "X-Gitlab-Token is not the source's secret")
    _signed(source, headers, body)


def _any(source: Source, proves: Callable[[str], bool]) -> bool:
    """Whether the secret proves it, or the previous one. Raises Refused if one cannot be read."""
    unread: SecretMissing | None = None
    for secret in (source.secret, source.previous):
        try:
            if secret is not None and proves(secret.reveal()):
                return True
        except SecretMissing as error:
            unread = error
    if unread is not None:
        raise unavailable(
            "a secret of the source cannot be read",
            "phasegate doctor  # on the machine that serves",
            code="unusable-secret",
        ) from unread
    return False


def _same(secret: str, given: str) -> bool:
    """Header values reach us as Latin-1, whatever their sender wrote."""
    return hmac.compare_digest(secret.encode(), given.encode("latin-1", "replace"))


def _no_proof(source: Source, why: str) -> Refused:
    return _unproven(source, "no-proof", why)


def _wrong_proof(source: Source, why: str) -> Refused:
    return _unproven(source, "wrong-proof", why)


def _unproven(source: Source, code: str, why: str) -> Refused:
    return Refused(
        401,
        code,
        "the event is not taken",
        why,
        "give the sender the same secret as the integrations file",
        headers=_challenge(source),
    )


def _challenge(source: Source) -> dict[str, str]:
    """A 401 names a scheme (RFC 9110, section 11.6.1)."""
    return {"WWW-Authenticate": f'{_SCHEMES[source.kind]} realm="phasegate"'}
