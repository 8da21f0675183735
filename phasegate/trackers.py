"""What is asked of a system for a check, and how its answer is judged. Pure: no address, no secret.

Every part that comes from a policy or a product is percent-encoded, and a path with dot segments
is refused: what is asked stays below the connection's address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from json import dumps
from typing import Literal, NamedTuple
from urllib.parse import quote, urlencode

from phasegate.check import AnyPolled, GithubCheck, GitlabCheck, HttpCheck, JiraCheck
from phasegate.filling import texts_of
from phasegate.placeholders import climbs, names_in

_OR = re.compile(r"\bOR\b", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_SCOPE = re.compile(r"\b(?:repo|org|user|owner|enterprise)\s*:", re.IGNORECASE)

Kind = Literal["http", "github", "gitlab", "jira"]


class Unaskable(ValueError):
    """The check asks for what no address can say."""


class Said(NamedTuple):
    """What it means that the expression is true, and that it is false."""

    met: str
    unmet: str


@dataclass(frozen=True)
class Ask:
    """One question. `expression` is CEL over `body`: met if true, not met if false.

    `connection` is None where `address` is a whole URL; else `address` is a path below it. `own`
    means that a product brought the check, and no policy.
    `whole`, where given, is CEL that must be true of an answer, too, before it counts as met: else
    it cannot be told. `beside` is a path: where the system answers 404 for `address` and knows
    `beside`, the milestone is not met; a 404 for both says that it cannot be told.
    """

    address: str
    expression: str
    kind: Kind = "http"
    connection: str | None = None
    own: bool = False
    pages: bool = False
    said: Said | None = None
    whole: str = ""
    beside: str = ""


def ask_of(check: AnyPolled) -> Ask:
    """What a check asks over HTTP. Raises Unaskable; TypeError for checks that are asked otherwise.

    GitLab's paths lack `/api/v4`, which belongs to the connection's address.
    """
    for field, text in texts_of(check):
        if names := names_in(text):
            raise Unaskable(f"{field} has a placeholder without a value: {{{names[0]}}}")
    match check:
        case HttpCheck():
            ask = Ask(
                check.url or check.path or "",
                check.expression,
                connection=check.connection,
                own=check.own,
                pages=check.pages,
            )
        case GithubCheck():
            ask = _github(check)
        case GitlabCheck():
            ask = _gitlab(check)
        case JiraCheck():
            ask = _jira(check)
        case _:
            raise TypeError(f"{check.kind} is not asked over HTTP")
    if ask.connection and climbs(ask.address):
        raise Unaskable("has a dot segment, which leads out of the connection's address")
    return ask


def _github(check: GithubCheck) -> Ask:
    """GitHub's REST API (docs.github.com/en/rest, version 2022-11-28).

    - issues/milestones: `GET /repos/{owner}/{repo}/milestones/{milestone_number}` has `state`, open
      or closed; `GET …/milestones?state=all` lists them by pages of 100 at most.
    - releases/releases: `GET …/releases/tags/{tag}` is a published release, else 404;
      `GET …/releases/latest` is the newest that is neither draft nor prerelease, else 404.
    - search: `GET /search/issues?q=` has `total_count`, and `incomplete_results` where it ran out
      of time. Terms that OR joins are put in brackets, so that all of them are of this repository.
    """
    ask = partial(Ask, kind="github", connection=check.connection, own=check.own)
    repo = "/repos/" + "/".join(_part(name) for name in check.repo.split("/"))
    if check.milestone is not None:
        goal, query = check.milestone, _query(state="all", per_page=100)
        said = Said(
            f"milestone {goal} of {check.repo} is closed",
            f"{check.repo} has no closed milestone {goal}",
        )
        if goal.isascii() and goal.isdecimal():
            return ask(f"{repo}/milestones/{goal}", 'body.state == "closed"', said=said)
        closed = f'body.exists(m, m.title == {_text(goal)} && m.state == "closed")'
        return ask(f"{repo}/milestones?{query}", closed, pages=True, said=said)
    if check.release is not None:
        tag = "latest" if check.release == "latest" else f"tags/{_part(check.release)}"
        return ask(
            f"{repo}/releases/{tag}",
            "body.draft == false",
            said=Said(
                f"release {check.release} of {check.repo} is published",
                f"{check.repo} has no published release {check.release}",
            ),
            beside=repo,
        )
    issues = str(check.issues)
    if problem := elsewhere(issues):
        raise Unaskable(f"issues {problem}")
    terms = f"({issues})" if _OR.search(_QUOTED.sub("", issues)) else issues
    return ask(
        f"/search/issues?{_query(q=f'repo:{check.repo} is:issue {terms}', per_page=1)}",
        f"body.total_count <= {check.at_most}",
        said=_counted(check.at_most, f"in {check.repo} for {issues}"),
        whole="body.incomplete_results == false",
    )


def _gitlab(check: GitlabCheck) -> Ask:
    """GitLab's REST API v4 (docs.gitlab.com/api). `:id` is a number or the encoded path.

    - milestones: `GET /projects/:id/milestones?title=` lists those of that title, `state` being
      active or closed.
    - releases: `GET /projects/:id/releases/:tag_name`, else 404; `upcoming_release` is true while
      `released_at` is ahead.
    - issues: `GET /projects/:id/issues?labels=a,b&state=opened` lists those that have all labels.
      One more than may be left is asked for, and 100 at most come.
    """
    ask = partial(Ask, kind="gitlab", connection=check.connection, own=check.own)
    project = f"/projects/{_part(check.project)}"
    if check.milestone is not None:
        return ask(
            f"{project}/milestones?{_query(title=check.milestone)}",
            f'body.exists(m, m.title == {_text(check.milestone)} && m.state == "closed")',
            said=Said(
                f"milestone {check.milestone} of {check.project} is closed",
                f"{check.project} has no closed milestone {check.milestone}",
            ),
        )
    if check.release is not None:
        return ask(
            f"{project}/releases/{_part(check.release)}",
            f"body.tag_name == {_text(check.release)}"
            " && !(has(body.upcoming_release) && body.upcoming_release)",
            said=Said(
                f"release {check.release} of {check.project} is published",
                f"{check.project} has no published release {check.release}",
            ),
            beside=project,
        )
    few = _query(labels=check.issues, state="opened", per_page=check.at_most + 1)
    return ask(
        f"{project}/issues?{few}",
        f"type(body) == list && size(body) <= {check.at_most}",
        said=_counted(check.at_most, f"in {check.project} with {check.issues}"),
    )


def _jira(check: JiraCheck) -> Ask:
    """Jira Cloud's REST API v3 and Data Center's v2 (developer.atlassian.com).

    - project versions: `GET /rest/api/{3|2}/project/{projectIdOrKey}/versions` lists all, each with
      `name` and `released`.
    - issue search: Cloud's `GET /rest/api/3/search/jql` has `issues` and, while there are more,
      `nextPageToken`; it counts nothing, and takes only JQL with a restriction. Data Center's
      `GET /rest/api/2/search` has `total`, also with `maxResults=0`.
    """
    ask = partial(Ask, kind="jira", connection=check.connection, own=check.own)
    root = "/rest/api/3" if check.cloud else "/rest/api/2"
    if check.version is not None:
        name = _text(check.version)
        return ask(
            f"{root}/project/{_part(str(check.project))}/versions",
            f"body.exists(v, v.name == {name} && has(v.released) && v.released == true)",
            said=Said(
                f"version {check.version} of {check.project} is released",
                f"{check.project} has no released version {check.version}",
            ),
        )
    said = _counted(check.at_most, f"for {check.jql}")
    if not check.cloud:
        total = f"{root}/search?{_query(jql=check.jql, maxResults=0)}"
        return ask(total, f"body.total <= {check.at_most}", said=said)
    few = _query(jql=check.jql, maxResults=check.at_most + 1, fields="id")
    return ask(
        f"{root}/search/jql?{few}",
        f"size(body.issues) <= {check.at_most}",
        said=said,
        whole="(!has(body.nextPageToken) || body.nextPageToken == null)"
        " && (!has(body.isLast) || body.isLast == true)",
    )


def elsewhere(issues: str) -> str:
    """Why a search of issues would not stay with its repository; empty if it does.

    GitHub's search takes `repo:`, `org:` and `user:` ("Searching issues and pull requests": several
    of them widen it), brackets and OR ("Advanced search"). Only in quotes are they text.
    """
    plain = _QUOTED.sub('""', issues)
    if "\\" in issues or plain.count('"') % 2:
        return "has a backslash, or a quote that does not end"
    if found := _SCOPE.search(plain):
        return f"has {found[0].lower()}, and only issues of its own repository may be counted"
    depth = 0
    for mark in plain:
        depth += (mark == "(") - (mark == ")")
        if depth < 0:
            break
    return "has brackets that do not match" if depth else ""


def _part(text: str) -> str:
    """One part of a path, with its slashes encoded."""
    return quote(text, safe="")


def _query(**fields: object) -> str:
    return urlencode(fields, quote_via=quote)


def _text(text: str) -> str:
    """A text of CEL: its escapes are those of JSON, but for pairs of surrogates."""
    return dumps(text, ensure_ascii=False)


def _counted(at_most: int, where: str) -> Said:
    issues = f"{at_most} issue{'' if at_most == 1 else 's'} {where}"
    return Said(f"there are at most {issues}", f"there are more than {issues}")
