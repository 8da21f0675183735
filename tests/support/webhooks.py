"""Webhooks as their vendors document them, shortened; and the vendors' ways to sign them.

- GitHub: the example payloads of docs.github.com, "Webhook events and payloads", in their machine
  readable form: https://github.com/octokit/webhooks, payload-examples/api.github.com/ (MIT).
- GitLab: https://docs.gitlab.com/user/project/integrations/webhook_events/ (the payload examples of
  "Pipeline events", "Tag events", "Release events", "Work item events").
"""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from hashlib import sha256
from time import time
from typing import Any

GITHUB_REPOSITORY = {
    "id": 186853002,
    "name": "Hello-World",
    "full_name": "Codertocat/Hello-World",
    "private": False,
    "owner": {"login": "Codertocat", "id": 21031067, "type": "User", "site_admin": False},
    "html_url": "https://github.com/Codertocat/Hello-World",
    "description": None,
    "default_branch": "master",
}
GITHUB_SENDER = {"login": "Codertocat", "id": 21031067, "type": "User", "site_admin": False}

# milestone/closed.payload.json
GITHUB_MILESTONE_CLOSED: dict[str, Any] = {
    "action": "closed",
    "milestone": {
        "url": "https://api.github.com/repos/Codertocat/Hello-World/milestones/1",
        "html_url": "https://github.com/Codertocat/Hello-World/milestone/1",
        "id": 4317517,
        "node_id": "MDk6TWlsZXN0b25lNDMxNzUxNw==",
        "number": 1,
        "title": "v1.0",
        "description": "Add new space flight simulator",
        "creator": GITHUB_SENDER,
        "open_issues": 0,
        "closed_issues": 0,
        "state": "closed",
        "created_at": "2019-05-15T15:20:17Z",
        "updated_at": "2019-05-15T15:20:18Z",
        "due_on": "2019-05-23T07:00:00Z",
        "closed_at": "2019-05-15T15:20:18Z",
    },
    "repository": GITHUB_REPOSITORY,
    "sender": GITHUB_SENDER,
}

# release/published.payload.json
GITHUB_RELEASE_PUBLISHED: dict[str, Any] = {
    "action": "published",
    "release": {
        "html_url": "https://github.com/Codertocat/Hello-World/releases/tag/0.0.1",
        "id": 17372790,
        "tag_name": "0.0.1",
        "target_commitish": "master",
        "name": "",
        "draft": False,
        "prerelease": False,
        "created_at": "2019-05-15T15:19:25Z",
        "published_at": "2019-05-15T15:20:53Z",
        "assets": [],
        "body": "",
    },
    "repository": GITHUB_REPOSITORY,
    "sender": GITHUB_SENDER,
}

# ping/payload.json
GITHUB_PING: dict[str, Any] = {
    "zen": "Anything added dilutes everything else.",
    "hook_id": 109948940,
    "hook": {
        "type": "Repository",
        "id": 109948940,
        "name": "web",
        "active": True,
        "events": ["*"],
        "config": {"content_type": "json", "url": "https://smee.io/YEbF2t8kjvPAn7Ck"},
    },
    "repository": {**GITHUB_REPOSITORY, "full_name": "Octocoders/Hello-World"},
    "sender": GITHUB_SENDER,
}

# "Pipeline events"; its header is X-Gitlab-Event: Pipeline Hook
GITLAB_PIPELINE: dict[str, Any] = {
    "object_kind": "pipeline",
    "object_attributes": {
        "id": 31,
        "iid": 3,
        "ref": "master",
        "tag": False,
        "sha": "bcbb5ec396a2c0f828686f14fac9b80b780504f2",
        "source": "merge_request_event",
        "status": "success",
        "stages": ["build", "test", "deploy"],
        "duration": 63,
    },
    "user": {"id": 1, "name": "Administrator", "username": "root"},
    "project": {
        "id": 1,
        "name": "Gitlab Test",
        "description": "Atque in sunt eos similique dolores voluptatem.",
        "web_url": "http://192.168.64.1:3005/gitlab-org/gitlab-test",
        "path_with_namespace": "gitlab-org/gitlab-test",
        "default_branch": "master",
    },
    "commit": {"id": "bcbb5ec396a2c0f828686f14fac9b80b780504f2", "message": "test\n"},
}

# "Tag events"; X-Gitlab-Event: Tag Push Hook
GITLAB_TAG_PUSH: dict[str, Any] = {
    "object_kind": "tag_push",
    "event_name": "tag_push",
    "before": "0000000000000000000000000000000000000000",
    "after": "82b3d5ae55f7080f1e6022629cdb57bfae7cccc7",
    "ref": "refs/tags/v1.0.0",
    "ref_protected": True,
    "checkout_sha": "82b3d5ae55f7080f1e6022629cdb57bfae7cccc7",
    "user_id": 1,
    "user_name": "John Smith",
    "project_id": 1,
    "project": {
        "id": 1,
        "name": "Example",
        "web_url": "http://example.com/jsmith/example",
        "path_with_namespace": "jsmith/example",
    },
    "commits": [],
    "total_commits_count": 0,
}

# "Release events"; X-Gitlab-Event: Release Hook
GITLAB_RELEASE: dict[str, Any] = {
    "id": 1,
    "created_at": "2020-11-02 12:55:12 UTC",
    "description": "v1.1 has been released",
    "name": "v1.1",
    "tag": "v1.1",
    "object_kind": "release",
    "project": {
        "id": 2,
        "name": "release-webhook-example",
        "web_url": "https://example.com/gitlab-org/release-webhook-example",
        "path_with_namespace": "gitlab-org/release-webhook-example",
    },
    "url": "https://example.com/gitlab-org/release-webhook-example/-/releases/v1.1",
    "action": "create",
}

# "Work item events"; X-Gitlab-Event: Issue Hook
GITLAB_ISSUE: dict[str, Any] = {
    "object_kind": "issue",
    "event_type": "issue",
    "user": {"id": 1, "name": "Administrator", "username": "root"},
    "project": {
        "id": 1,
        "name": "Gitlab Test",
        "web_url": "http://example.com/gitlabhq/gitlab-test",
        "path_with_namespace": "gitlabhq/gitlab-test",
    },
    "object_attributes": {
        "id": 301,
        "title": "New API: create/update/delete file",
        "iid": 23,
        "url": "http://example.com/diaspora/issues/23",
        "state": "opened",
        "action": "open",
        "severity": "high",
    },
    "labels": [{"id": 206, "title": "API", "color": "#ffffff"}],
}


def as_body(payload: Any) -> bytes:
    return json.dumps(payload).encode()


def github(secret: str, event: str, body: bytes, delivery: str = "72d3162e") -> dict[str, str]:
    """As GitHub sends them (docs.github.com, "Validating webhook deliveries")."""
    digest = hmac.new(secret.encode(), body, sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Delivery": delivery,
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": "292430182",
        "X-Hub-Signature-256": f"sha256={digest}",
    }


def gitlab(secret: str, event: str, *, key: str = "f5e5f430") -> dict[str, str]:
    """As GitLab sends them with a secret token (docs.gitlab.com, "Webhooks", delivery headers)."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitLab/18.2.0",
        "Idempotency-Key": key,
        "X-Gitlab-Event": event,
        "X-Gitlab-Instance": "https://gitlab.example.com",
        "X-Gitlab-Webhook-UUID": "02affd2d-2cba-4033-917d-ec22d5dc4b38",
        "X-Gitlab-Event-UUID": "13792a34-cac6-4fda-95a8-c58e00a3954e",
        "X-Gitlab-Token": secret,
    }


def standard(
    secret: str, body: bytes, *, id: str = "msg_2KWP", at: float | None = None
) -> dict[str, str]:
    """Signed as the Standard Webhooks specification says ("Symmetric signatures"), by hand: a test
    that signs with the library that verifies would not notice what both have wrong."""
    at = time() if at is None else at
    key = b64decode(secret.removeprefix("whsec_"))
    signed = f"{id}.{int(at)}.".encode() + body
    signature = b64encode(hmac.new(key, signed, sha256).digest()).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": f"v1,{signature}",
    }
