"""GitHub, GitLab and Jira on loopback: what is asked, with which secret, and what counts as met."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import asking, milestones
from phasegate.ports import Finding, MilestoneFinding, MilestoneQuery
from tests.activities import trackers

SECRET = "s3cr3t-T0ken"
EVERY = timedelta(minutes=15)
MET, NOT_MET, CANNOT_TELL = Finding.met, Finding.not_met, Finding.cannot_tell
MILESTONE = {"kind": "github", "repo": "octocat/Hello-World", "milestone": "1"}
MILESTONE_PATH = "/repos/octocat/Hello-World/milestones/1"


@pytest.fixture
def connect(web: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write the integrations file with one connection to the web server."""
    monkeypatch.setenv("TRACKER_TOKEN", SECRET)
    file = tmp_path / "integrations.yaml"
    monkeypatch.setenv("PHASEGATE_INTEGRATIONS", str(file))

    def write(kind: str, path: str = "", **more: Any) -> None:
        more = {"token": {"env": "TRACKER_TOKEN"}, **more}
        found = {"connections": {kind: {"kind": kind, "url": web.url + path, **more}}}
        file.write_text(json.dumps(found))

    return write


async def ask(check: dict[str, Any], known: Finding | None = None) -> MilestoneFinding:
    """What is found; `known` is something else, unless it is given."""
    about = {"product": "kettle", "milestone": "done", "check": check, "known": known or NOT_MET}
    query = MilestoneQuery.model_validate(about)
    try:
        found: MilestoneFinding = await ActivityEnvironment().run(milestones.check_milestone, query)
    except ApplicationError as error:
        if known or SECRET in error.message:
            raise
        return await ask(check, MET)
    assert SECRET not in found.why
    return found


def body(data: Any) -> bytes:
    return json.dumps(data).encode()


# -- GitHub ---------------------------------------------------------------------------------------


async def test_a_github_milestone_by_number(web: Any, connect: Any) -> None:
    connect("github")
    web.answer(MILESTONE_PATH, body=body(trackers.GITHUB_MILESTONE))
    found = await ask(MILESTONE)
    assert (found.finding, "has no closed milestone 1" in found.why) == (NOT_MET, True)
    assert "connection github: http://127.0.0.1" in found.why
    web.answer(MILESTONE_PATH, body=body({**trackers.GITHUB_MILESTONE, "state": "closed"}))
    assert (await ask(MILESTONE)).finding is MET
    sent = web.asked[0].headers
    assert sent["Authorization"] == f"Bearer {SECRET}"
    assert sent["Accept"] == "application/vnd.github+json"
    assert sent["X-GitHub-Api-Version"] == "2022-11-28"


async def test_a_github_milestone_by_title_is_found_on_a_later_page(web: Any, connect: Any) -> None:
    connect("github", "/api/v3/")
    path = "/api/v3/repos/octocat/Hello-World/milestones"

    def page(handler: BaseHTTPRequestHandler) -> None:
        second = "page=2" in handler.path
        state = "closed" if second else "open"
        text = body([{**trackers.GITHUB_MILESTONE, "title": f'a "{state}" one', "state": state}])
        handler.send_response(200)
        if not second:
            next_one = f'<{web.url}{path}?state=all&per_page=100&page=2>; rel="next"'
            handler.send_header("Link", f'{next_one}, <{web.url}{path}?page=2>; rel="last"')
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    web.answers[path] = page
    check = {"kind": "github", "repo": "octocat/Hello-World"}
    assert (await ask({**check, "milestone": 'a "closed" one'})).finding is MET
    assert (await ask({**check, "milestone": 'a "open" one'})).finding is NOT_MET
    assert [asked.path.partition("?")[2] for asked in web.asked[:2]] == [
        "state=all&per_page=100",
        "state=all&per_page=100&page=2",
    ]
    assert web.asked[1].headers["Authorization"] == f"Bearer {SECRET}"


async def test_a_github_release(web: Any, connect: Any) -> None:
    connect("github")
    repo = "/repos/octocat/Hello-World"
    check = {"kind": "github", "repo": "octocat/Hello-World", "release": "@app/v1.0#2"}
    tag = f"{repo}/releases/tags/%40app%2Fv1.0%232"
    found = await ask(check)
    assert found.finding is CANNOT_TELL  # neither the release nor the repository is seen
    assert "may not be seen" in found.why
    web.answer(repo, body=body(trackers.GITHUB_REPO))
    web.answer(tag, 404, body(trackers.GITHUB_NOT_FOUND))
    found = await ask(check)
    assert (found.finding, "has no published release" in found.why) == (NOT_MET, True)
    web.answer(tag, body=body({**trackers.GITHUB_RELEASE, "draft": True}))
    assert (await ask(check)).finding is NOT_MET
    web.answer(tag, body=body(trackers.GITHUB_RELEASE))
    assert (await ask(check)).finding is MET
    latest = {**check, "release": "latest"}
    assert (await ask(latest)).finding is NOT_MET
    web.answer(f"{repo}/releases/latest", body=body(trackers.GITHUB_RELEASE))
    assert (await ask(latest)).finding is MET


async def test_few_enough_github_issues(web: Any, connect: Any) -> None:
    connect("github")
    check = {
        "kind": "github",
        "repo": "octocat/Hello-World",
        "issues": 'label:"must fix" is:open OR label:x&per_page=0',
        "at_most": 2,
    }
    web.answer("/search/issues", body=body(trackers.GITHUB_SEARCH))
    found = await ask(check)
    assert (found.finding, "more than 2 issues" in found.why) == (NOT_MET, True)
    assert web.asked[0].path == (
        "/search/issues?q=repo%3Aoctocat%2FHello-World%20is%3Aissue%20%28label%3A%22must%20fix%22"
        "%20is%3Aopen%20OR%20label%3Ax%26per_page%3D0%29&per_page=1"
    )
    few = {**trackers.GITHUB_SEARCH, "total_count": 2}
    web.answer("/search/issues", body=body({**few, "incomplete_results": True}))
    found = await ask(check)
    assert (found.finding, "only a part" in found.why) == (CANNOT_TELL, True)
    web.answer("/search/issues", body=body(few))
    assert (await ask(check)).finding is MET


# -- GitLab ---------------------------------------------------------------------------------------

PROJECT = "/api/v4/projects/diaspora%2Fdiaspora-client"
GITLAB = {"kind": "gitlab", "project": "diaspora/diaspora-client"}


@pytest.mark.parametrize("path", ["", "/", "/api/v4", "/api/v4/"])
async def test_a_gitlab_milestone(web: Any, connect: Any, path: str) -> None:
    connect("gitlab", path)
    check = {**GITLAB, "milestone": "10.0 & more"}
    found = {**trackers.GITLAB_MILESTONE, "title": "10.0 & more"}
    web.answer(f"{PROJECT}/milestones", body=body([]))
    assert (await ask(check)).finding is NOT_MET
    web.answer(f"{PROJECT}/milestones", body=body([found]))
    assert (await ask(check)).finding is NOT_MET
    web.answer(f"{PROJECT}/milestones", body=body([{**found, "state": "closed"}]))
    assert (await ask(check)).finding is MET
    assert web.asked[0].path == f"{PROJECT}/milestones?title=10.0%20%26%20more"
    assert web.asked[0].headers["PRIVATE-TOKEN"] == SECRET
    assert "Authorization" not in web.asked[0].headers


async def test_a_gitlab_release(web: Any, connect: Any) -> None:
    connect("gitlab")
    check, path = {**GITLAB, "release": "v0.1"}, f"{PROJECT}/releases/v0.1"
    web.answer(PROJECT, body=body(trackers.GITLAB_PROJECT))
    web.answer(path, 404, body(trackers.GITLAB_NOT_FOUND))
    assert (await ask(check)).finding is NOT_MET
    web.answer(path, body=body({**trackers.GITLAB_RELEASE, "upcoming_release": True}))
    assert (await ask(check)).finding is NOT_MET
    web.answer(path, body=body(trackers.GITLAB_RELEASE))
    assert (await ask(check)).finding is MET


async def test_few_enough_gitlab_issues(web: Any, connect: Any) -> None:
    connect("gitlab")
    check = {**GITLAB, "issues": "blocker,release 1", "at_most": 1}
    web.answer(f"{PROJECT}/issues", body=body([trackers.GITLAB_ISSUE] * 2))
    assert (await ask(check)).finding is NOT_MET
    web.answer(f"{PROJECT}/issues", body=body([trackers.GITLAB_ISSUE]))
    assert (await ask(check)).finding is MET
    query = "?labels=blocker%2Crelease%201&state=opened&per_page=2"
    assert web.asked[0].path == f"{PROJECT}/issues{query}"
    web.answer(f"{PROJECT}/issues", body=body({}))  # an object is no list without issues
    assert (await ask(check)).finding is NOT_MET


# -- Jira -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cloud", "version"), [(True, 3), (False, 2)])
async def test_a_jira_version(web: Any, connect: Any, cloud: bool, version: int) -> None:
    connect("jira", user="ops@acme.example")
    check = {"kind": "jira", "cloud": cloud, "project": "ED", "version": "New Version 1"}
    path = f"/rest/api/{version}/project/ED/versions"
    other = {**trackers.JIRA_VERSION, "name": "New Version 2"}
    unreleased = {**trackers.JIRA_VERSION, "released": False}
    for versions in ([], [other], [other, unreleased]):
        web.answer(path, body=body(versions))
        assert (await ask(check)).finding is NOT_MET
    web.answer(path, body=body([other, trackers.JIRA_VERSION]))
    assert (await ask(check)).finding is MET
    basic = base64.b64encode(f"ops@acme.example:{SECRET}".encode()).decode()
    assert web.asked[0].headers["Authorization"] == f"Basic {basic}"


async def test_few_enough_issues_of_jira_cloud(web: Any, connect: Any) -> None:
    connect("jira", user="ops@acme.example")
    check = {"kind": "jira", "jql": 'project = ED AND labels = "a b"', "at_most": 1}
    path, page = "/rest/api/3/search/jql", trackers.JIRA_CLOUD_PAGE
    web.answer(path, body=body(page))
    assert (await ask(check)).finding is MET
    asked = "?jql=project%20%3D%20ED%20AND%20labels%20%3D%20%22a%20b%22&maxResults=2&fields=id"
    assert web.asked[0].path == path + asked
    web.answer(path, body=body({**page, "issues": page["issues"] * 2}))
    assert (await ask(check)).finding is NOT_MET
    # There is more than this page shows, however few it shows.
    for more in ({"nextPageToken": "CAEaAggB"}, {"isLast": False}):
        web.answer(path, body=body({**page, **more}))
        assert (await ask(check)).finding is CANNOT_TELL
    web.answer(path, body=body({"total": 0}))
    assert (await ask(check)).finding is CANNOT_TELL


async def test_few_enough_issues_of_jira_data_center(web: Any, connect: Any) -> None:
    connect("jira")
    check = {"kind": "jira", "cloud": False, "jql": "fixVersion = 1", "at_most": 7}
    web.answer("/rest/api/2/search", body=body(trackers.JIRA_SERVER_PAGE))
    assert (await ask(check)).finding is MET
    assert web.asked[0].path == "/rest/api/2/search?jql=fixVersion%20%3D%201&maxResults=0"
    assert web.asked[0].headers["Authorization"] == f"Bearer {SECRET}"
    assert (await ask({**check, "at_most": 6})).finding is NOT_MET


@pytest.mark.parametrize(
    "header",
    [{"X_AUSERNAME": "anonymous"}, {"X_Seraph_LoginReason": "AUTHENTICATED_FAILED"}],
)
async def test_jira_that_takes_us_for_nobody_cannot_tell(
    web: Any, connect: Any, header: dict[str, str]
) -> None:
    """It answers 200, with none of the issues that nobody may see."""
    connect("jira")
    empty = {**trackers.JIRA_SERVER_PAGE, "total": 0}
    web.answer("/rest/api/2/search", body=body(empty), **header)
    found = await ask({"kind": "jira", "cloud": False, "jql": "labels = blocker"})
    assert (found.finding, "does not know the secret" in found.why) == (CANNOT_TELL, True)


# -- connections and secrets ----------------------------------------------------------------------


async def test_a_header_of_its_own_carries_the_secret_below_the_address(
    web: Any, connect: Any
) -> None:
    connect("http", "/base/", header="X-Api-Key")
    web.answer("/base/x/y@z", body=b'{"ok": true}')
    check = {"kind": "http", "connection": "http", "path": "/x/y@z?a=//b", "expression": "body.ok"}
    assert (await ask(check)).finding is MET
    assert web.asked[0].path == "/base/x/y@z?a=//b"
    assert web.asked[0].headers["X-Api-Key"] == SECRET
    assert "Authorization" not in web.asked[0].headers


async def test_a_secret_in_a_file_is_read_anew_and_so_is_the_file_that_names_it(
    web: Any, connect: Any, tmp_path: Path
) -> None:
    web.answer(MILESTONE_PATH, body=body({**trackers.GITHUB_MILESTONE, "state": "closed"}))
    key = tmp_path / "key"
    connect("github", token={"file": str(key)})
    found = await ask(MILESTONE)
    assert found.finding is CANNOT_TELL
    assert f"connection github: the secret {key} cannot be read, No such file" in found.why
    key.write_text(f"{SECRET}-1\n")
    assert (await ask(MILESTONE)).finding is MET
    key.write_text(f"{SECRET}-2\n")
    assert (await ask(MILESTONE)).finding is MET
    connect("github")
    assert (await ask(MILESTONE)).finding is MET
    sent = [asked.headers["Authorization"].removeprefix(f"Bearer {SECRET}") for asked in web.asked]
    assert sent == ["-1", "-2", ""]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "integrations.yaml cannot be read: No such file"),
        ("{}", "there is no connection github in the integrations file (PHASEGATE_INTEGRATIONS)"),
        ("connections: [", "integrations.yaml:1:"),
        (
            f"connections: {{github: {{kind: github, url: 'https://x', token: {SECRET}}}}}",
            "integrations.yaml:1:63 is wrong; phasegate doctor says how",
        ),
        (
            "connections: {github: {kind: gitlab, url: 'https://x'}}",
            "connection github is of kind gitlab, and github is needed",
        ),
        (
            "connections: {github: {kind: github, url: 'https://x', token: {env: NOT_SET}}}",
            "connection github: the secret $NOT_SET cannot be read, the environment variable",
        ),
        (
            "connections: {github: {kind: github, url: 'https://x', token: {env: ODD}}}",
            "connection github: $ODD has what no header can carry",
        ),
        (
            "connections: {github: {kind: github, url: 'http://:80'}}",
            "connection github: its url has no host",
        ),
        (
            "connections: {github: {kind: github, url: 'http://no-such-host.invalid'}}",
            "connection github: http://no-such-host.invalid/repos/",
        ),
    ],
)
async def test_what_is_wrong_with_a_connection_is_said_without_its_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, why: str
) -> None:
    file = tmp_path / "integrations.yaml"
    monkeypatch.setenv("PHASEGATE_INTEGRATIONS", str(file))
    monkeypatch.setenv("ODD", f"{SECRET}\nX-Evil: 1")
    if text is not None:
        file.write_text(text)
    found = await ask(MILESTONE)
    assert found.finding is CANNOT_TELL
    assert why in found.why


LOGGED = """
import asyncio, sys
from temporalio.testing import ActivityEnvironment
from activities.milestones import check_milestone
from client.logs import configure_logs
from phasegate.ports import MilestoneQuery

configure_logs(json=True, level=sys.argv[2])
query = MilestoneQuery.model_validate_json(sys.argv[1])
asyncio.run(ActivityEnvironment().run(check_milestone, query))
"""


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_a_workers_log_has_no_secrets(web: Any, connect: Any, level: str) -> None:
    connect("http")
    web.answer("/x", body=b'{"ok": true}')
    for check in (
        {"connection": "http", "path": f"/x?key={SECRET}"},
        {"url": web.url.replace("//", f"//ann:{SECRET}@") + f"/x?key={SECRET}"},
    ):
        asked = {"kind": "http", "expression": "body.ok", **check}
        query = MilestoneQuery.model_validate(
            {"product": "kettle", "milestone": "done", "check": asked}
        )
        done = subprocess.run(
            [sys.executable, "-c", LOGGED, query.model_dump_json(), level],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
            timeout=180,
        )
        assert SECRET not in done.stderr + done.stdout
    assert len(web.asked) == 2


async def test_without_an_integrations_file_there_are_no_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PHASEGATE_INTEGRATIONS", raising=False)
    assert "there is no connection github" in (await ask(MILESTONE)).why


async def test_a_check_whose_values_are_missing_asks_nobody() -> None:
    query = MilestoneQuery.model_validate(
        {
            "product": "kettle",
            "milestone": "done",
            "check": {**MILESTONE, "repo": "{repo}"},
            "problem": "repo asks for {repo}, and there is no figure repo",
        }
    )
    found = await ActivityEnvironment().run(milestones.check_milestone, query)
    assert found.finding is CANNOT_TELL
    assert found.why.startswith("repo asks for {repo}, and there is no figure repo; phasegate")
    without = await ask({**MILESTONE, "repo": "{repo}"})
    assert without.why == "repo has a placeholder without a value: {repo}"
    dots = await ask({"kind": "github", "repo": "a/b", "release": "../../../user"})
    assert "leads out of the connection's address" in dots.why


@pytest.mark.parametrize(
    "expression",
    [
        "{'a': true}[body.token]",
        "matches('x', '(' + body.token)",
        "int(body.token) == 1",
        "timestamp(body.token) > timestamp('2026-01-01T00:00:00Z')",
    ],
)
async def test_what_a_secret_brought_is_in_no_reason(
    web: Any, connect: Any, expression: str
) -> None:
    connect("http")
    web.answer("/x", body=b'{"token": "hunter2-secret"}')
    check = {"kind": "http", "connection": "http", "path": "/x", "expression": expression}
    found = await ask(check)
    assert found.finding is CANNOT_TELL
    assert found.why.startswith(f"{expression} cannot be evaluated (connection http: ")
    assert "hunter2" not in found.why
    found = await ask({**check, "expression": "body.token =="})
    assert "does not compile: Syntax error" in found.why  # the policy's own text


OWN = [
    {"kind": "http", "connection": "github", "path": MILESTONE_PATH, "expression": "true"},
    MILESTONE,
]


@pytest.mark.parametrize("check", OWN, ids=["http", "preset"])
async def test_products_ask_through_a_connection_only_where_its_operator_lets_them(
    web: Any, connect: Any, check: dict[str, Any]
) -> None:
    web.answer(MILESTONE_PATH, body=body({**trackers.GITHUB_MILESTONE, "state": "closed"}))
    connect("github")
    assert (await ask(check)).finding is MET
    web.asked.clear()
    found = await ask({**check, "own": True})
    assert found.finding is CANNOT_TELL
    assert found.why == (
        "connection github may be asked by policies only; its operator can allow products "
        "(products: true)"
    )
    assert web.asked == []
    connect("github", products=True)
    assert (await ask({**check, "own": True})).finding is MET


# -- redirects and pages --------------------------------------------------------------------------


async def test_a_secret_does_not_follow_a_redirect_to_another_host(web: Any, connect: Any) -> None:
    elsewhere = web.url.replace("127.0.0.1", "localhost")
    for kind in ("github", "gitlab"):
        connect(kind, "/api/v4")
        check = {"kind": "http", "connection": kind, "path": "/x", "expression": "body.ok"}
        web.answer("/api/v4/y", body=b'{"ok": true}')
        web.answer("/outside", body=b'{"ok": true}')
        places = (
            f"{elsewhere}/api/v4/y",
            f"{web.url}/outside",
            f"{web.url}/api/v4-outside",
            f"{web.url}/api/v4/%2e%2e/outside",
            f"//{elsewhere[7:]}/api/v4/y",
            f"{web.url.replace('http', 'https')}/api/v4/y",
        )
        for place in places:
            web.answer("/api/v4/x", 302, Location=place)
            web.asked.clear()
            found = await ask(check)
            assert found.finding is CANNOT_TELL
            assert "which is not asked" in found.why
            assert {asked.path for asked in web.asked} == {"/api/v4/x"}
        for place in ("/api/v4/y", f"{web.url}/api/v4/y"):  # a repository that was renamed
            web.answer("/api/v4/x", 301, Location=place)
            assert (await ask(check)).finding is MET
            sent = web.asked[-1].headers
            assert SECRET in (sent.get("Authorization", "") + sent.get("PRIVATE-TOKEN", ""))


def linked(web: Any, path: str, link: str, items: bytes = b"[1]") -> None:
    web.answer(path, body=items, Link=link)


LIST = {
    "kind": "http",
    "connection": "http",
    "path": "/list",
    "expression": "size(body) == 3",
    "pages": True,
}


async def test_pages_are_followed_and_their_items_put_together(web: Any, connect: Any) -> None:
    connect("http")
    linked(web, "/list", '</two>; title="a, <b>; rel=next"; rel="start next"')
    linked(web, "/two", "<three>; rel=NEXT, </one>; rel=prev")
    linked(web, "/three", "</one>; rel=first")
    assert (await ask(LIST)).finding is MET
    web.asked.clear()
    found = await ask({**LIST, "pages": False, "expression": "size(body) == 1"})
    assert (found.finding, len(web.asked)) == (MET, 1)
    web.asked.clear()
    own = {**LIST, "url": f"{web.url}/list", "connection": None, "path": None}
    assert (await ask(own)).finding is MET
    assert "Authorization" not in web.asked[0].headers


@pytest.mark.parametrize(
    ("link", "items", "why"),
    [
        ("<http://localhost:PORT/two>; rel=next", b"[1]", "which is not asked"),
        ("<//127.0.0.1/two>; rel=next", b"[1]", "which is not asked"),
        ("</list>; rel=next", b"[1]", "round in a circle"),
        ("</two>; rel=next", b"[1]", "round in a circle"),
        ("</endless?0>; rel=next", b"[1]", "more than 20 pages"),
        ("</huge?0>; rel=next", b"[1]", "more than 4194304 bytes"),
        ("</big>; rel=next", b"[1]", "answered more than 1048576 bytes"),
        ("</gone>; rel=next", b"[1]", "answered 404"),
        ("</down>; rel=next", b"[1]", "answered 500"),
        ('</one>; rel="prev" and, </two>; rel=next', b"[1]", "its Link header cannot be read"),
        ("", b'{"items": [1]}', "is no list"),
    ],
)
async def test_pages_that_do_not_end_well_cannot_tell(
    web: Any, connect: Any, link: str, items: bytes, why: str
) -> None:
    connect("http")
    linked(web, "/list", link.replace("PORT", web.url.rpartition(":")[2]), items)
    linked(web, "/two", "</list>; rel=next")
    web.answer("/down", 500)
    web.answer("/big", body=body(["x" * 1024 * 1024]))

    def more(text: bytes) -> Any:
        def page(handler: BaseHTTPRequestHandler) -> None:
            path, _, number = handler.path.partition("?")
            handler.send_response(200)
            handler.send_header("Link", f"<{path}?{int(number) + 1}>; rel=next")
            handler.send_header("Content-Length", str(len(text)))
            handler.end_headers()
            handler.wfile.write(text)

        return page

    web.answers["/endless"] = more(b"[1]")
    web.answers["/huge"] = more(body(["x" * 1000 * 1000]))
    found = await ask({**LIST, "expression": "true"})
    assert found.finding is CANNOT_TELL
    assert why in found.why
    assert {asked.headers["Host"] for asked in web.asked} == {web.url.removeprefix("http://")}


async def test_pages_stay_with_their_host_and_below_their_address(web: Any, connect: Any) -> None:
    elsewhere = web.url.replace("127.0.0.1", "localhost")
    connect("http", "/base")
    for path, link in (("/base/list", "/two"), ("/list", f"{elsewhere}/two")):
        linked(web, path, f"<{link}>; rel=next")
    linked(web, "/two", "")
    own = {**LIST, "url": f"{web.url}/list", "connection": None, "path": None}
    for check in (LIST, own):
        found = await ask({**check, "expression": "true"})
        assert (found.finding, "which is not asked" in found.why) == (CANNOT_TELL, True)
    assert {asked.path for asked in web.asked} == {"/base/list", "/list"}


async def test_slow_pages_end_together(
    web: Any, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "SECONDS", 1.5)
    connect("http")

    def page(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(1)  # there are twenty of them at most
        handler.send_response(200)
        handler.send_header("Link", f"<{handler.path}1>; rel=next")
        handler.end_headers()
        handler.wfile.write(b"[1]")

    web.answers["/list"] = page
    started = time.monotonic()
    found = await ask({**LIST, "path": "/list?", "expression": "true"})
    assert time.monotonic() - started < 15
    assert (found.finding, "no answer in time" in found.why) == (CANNOT_TELL, True)


# -- limits ---------------------------------------------------------------------------------------


async def limited(web: Any, kind: str, status: int, **headers: str) -> timedelta | None:
    """How long is waited after an answer, when nothing has changed."""
    path, check = {
        "github": (MILESTONE_PATH, MILESTONE),
        "gitlab": (f"{PROJECT}/milestones", {**GITLAB, "milestone": "1"}),
        "jira": ("/rest/api/3/search/jql", {"kind": "jira", "jql": "project = A"}),
    }[kind]
    text = trackers.GITHUB_LIMITED if kind == "github" else trackers.GITLAB_LIMITED
    web.answer(path, status, body(text), **headers)
    started = time.monotonic()
    with pytest.raises(ApplicationError) as error:
        await ask({**check, "every": "1 second"}, CANNOT_TELL)
    again = await ask({**check, "every": "1 second"}, NOT_MET)
    assert again.finding is CANNOT_TELL
    wait = error.value.next_retry_delay
    if again.wait:
        assert wait
        passed = timedelta(seconds=time.monotonic() - started)
        assert abs(again.wait - wait) < passed + timedelta(seconds=5)
    return wait


def epoch(ahead: timedelta) -> str:
    return str(int((datetime.now(UTC) + ahead).timestamp()))


async def test_github_says_when_it_may_be_asked_again(web: Any, connect: Any) -> None:
    connect("github")
    half = timedelta(minutes=30)
    spent = {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": epoch(half)}
    for status in (403, 429):
        assert await limited(web, "github", status, Retry_After="120") == timedelta(minutes=2)
        wait = await limited(web, "github", status, **spent)
        assert wait
        assert half - timedelta(minutes=1) < wait <= half
        # The secondary limit may come without a word; the documentation asks for a minute.
        assert await limited(web, "github", status) == timedelta(minutes=1)
    left = {**spent, "X_RateLimit_Remaining": "57"}
    assert await limited(web, "github", 403, **left) == timedelta(minutes=1)
    assert await limited(web, "github", 500, **spent) == timedelta(seconds=1)
    far = {**spent, "X_RateLimit_Reset": epoch(timedelta(days=99))}
    assert await limited(web, "github", 403, **far) == timedelta(days=1)
    for nonsense in ("soon", "9" * 30, "-1"):
        odd = {**spent, "X_RateLimit_Reset": nonsense}
        assert await limited(web, "github", 403, **odd) == timedelta(minutes=1)


async def test_gitlab_and_jira_say_when_they_may_be_asked_again(web: Any, connect: Any) -> None:
    hour = timedelta(hours=1)
    connect("gitlab")
    wait = await limited(web, "gitlab", 429, RateLimit_Reset=epoch(hour))
    assert wait
    assert hour - timedelta(minutes=1) < wait <= hour
    assert await limited(web, "gitlab", 429, Retry_After="600") == timedelta(minutes=10)
    assert await limited(web, "gitlab", 429) == timedelta(seconds=1)
    connect("jira")
    at = (datetime.now(UTC) + hour).strftime("%Y-%m-%dT%H:%MZ")
    wait = await limited(web, "jira", 429, X_RateLimit_Reset=at)
    assert wait
    assert hour - timedelta(minutes=2) < wait <= hour
    assert await limited(web, "jira", 503, Retry_After="5") == timedelta(seconds=5)


async def test_a_refused_secret_is_said_so(web: Any, connect: Any) -> None:
    connect("github")
    web.answer(MILESTONE_PATH, 401, body({"message": "Bad credentials", "status": "401"}))
    assert "answered 401: its secret is wrong" in (await ask(MILESTONE)).why
    web.answer(MILESTONE_PATH, 429, Retry_After="9")
    assert "answered 429, its rate limit" in (await ask(MILESTONE)).why


async def test_answers_that_are_none_of_a_tracker_cannot_tell(web: Any, connect: Any) -> None:
    connect("github")
    for answer in (b"<html>Sign in</html>", b"[]", b'{"state": 1}', b"null", b""):
        web.answer(MILESTONE_PATH, body=answer)
        found = await ask(MILESTONE)
        assert found.finding is not MET
