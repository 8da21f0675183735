"""How a milestone is known to be met: somebody reports it, a system is asked, or an event says so.

Every check that is asked again and again is a `Polled`. Where systems are, and with which secrets
they are asked, is not said here: a check names a connection of the integrations file. Texts may
hold placeholders (`phasegate.placeholders`), which a product's figures replace.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from phasegate.addresses import below, fixed_host, require_one_address
from phasegate.base import Document, Slug
from phasegate.placeholders import climbs, names_in, unquoted
from phasegate.span import Span

Expression = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class ReportedCheck(Document):
    """A person reports the milestone: a member of `by`, or the owner where it names no group."""

    kind: Literal["reported"] = "reported"
    by: Slug | None = Field(None, description="the group whose members report it")


class Polled(Document):
    """A check that asks, and asks again after `every` until the milestone is met."""

    every: Span = Span(exact=timedelta(minutes=15))

    @field_validator("every")
    @classmethod
    def _forwards(cls, every: Span) -> Span:
        if every.approximate < timedelta(seconds=0.1):
            raise ValueError("every must be at least a tenth of a second")
        return every


class _Connected(Polled):
    """A check that may go through a connection of the installation.

    `own` is no author's to say: a product's definition sets it in the checks of its own milestones,
    so that whoever asks knows on whose word. It travels with the check, from which it cannot part.
    """

    own: SkipJsonSchema[bool] = Field(
        False,
        exclude_if=lambda own: not own,
        description="set by phasegate where a product, and no policy, asks",
    )


def owned(check: Check) -> Check:
    """The check as one that a product brought."""
    return check.model_copy(update={"own": True}) if isinstance(check, _Connected) else check


class HttpCheck(_Connected):
    """A GET whose JSON answer a CEL expression (over `body`) judges.

    `url` is asked as it stands; `connection` and `path` go with the connection's secret.
    """

    kind: Literal["http"]
    url: str | None = Field(None, pattern=r"^https?://", max_length=2000)
    connection: Slug | None = None
    path: str | None = Field(None, max_length=2000, description="begins with /, and may have a ?")
    expression: str = Field(max_length=2000, description="CEL over body; true means met")
    pages: bool = Field(
        False, description="follow Link: rel=next; body is then the list of all pages' items"
    )

    @field_validator("url")
    @classmethod
    def _fixed_host(cls, url: str | None) -> str | None:
        return fixed_host(url)

    @field_validator("path")
    @classmethod
    def _below(cls, path: str | None) -> str | None:
        return below(path)

    @model_validator(mode="after")
    def _one_address(self) -> HttpCheck:
        require_one_address(self.url, self.connection, self.path)
        return self


def _whole_path(text: str, form: str, what: str) -> str:
    """A path of names in a tracker, unless it is yet to be filled. Raises ValueError."""
    if not names_in(text) and (not re.fullmatch(form, text) or climbs(text)):
        raise ValueError(f"needs {what}")
    return text


def _quoted(query: str | None, quotes: str) -> str | None:
    if query and (name := unquoted(query, quotes)):
        raise ValueError(f'needs {{{name}}} within double quotes: "{{{name}}}"')
    return query


def _exactly_one(check: Document, *names: str) -> None:
    if sum(getattr(check, name) is not None for name in names) != 1:
        raise ValueError(f"needs exactly one of {', '.join(names)}")


class GithubCheck(_Connected):
    """Asks GitHub: a milestone is closed, a release is published, or few enough issues are left."""

    kind: Literal["github"]
    connection: Slug = "github"
    repo: str = Field(min_length=1, max_length=200, description="owner/name")
    milestone: Name | None = Field(None, description="its title, or its number as text")
    release: Name | None = Field(None, description="a tag, or latest")
    issues: Name | None = Field(None, description="a search, such as label:blocker is:open")
    at_most: int = Field(0, ge=0, le=1000, description="how many issues may be left")

    @field_validator("repo")
    @classmethod
    def _named(cls, repo: str) -> str:
        return _whole_path(repo, r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", "OWNER/NAME")

    @field_validator("issues")
    @classmethod
    def _closed(cls, issues: str | None) -> str | None:
        return _quoted(issues, '"')

    @model_validator(mode="after")
    def _one(self) -> GithubCheck:
        _exactly_one(self, "milestone", "release", "issues")
        return self


class GitlabCheck(_Connected):
    """Asks GitLab: a milestone is closed, a release is published, or few open issues are left."""

    kind: Literal["gitlab"]
    connection: Slug = "gitlab"
    project: str = Field(min_length=1, max_length=300, description="group/name, or its number")
    milestone: Name | None = Field(None, description="its title")
    release: Name | None = Field(None, description="a tag")
    issues: Name | None = Field(None, description="labels of open issues, with commas between")
    at_most: int = Field(0, ge=0, le=99, description="how many open issues may be left")

    @field_validator("project")
    @classmethod
    def _named(cls, project: str) -> str:
        return _whole_path(project, r"[^\s/]+(/[^\s/]+)*", "GROUP/NAME")

    @model_validator(mode="after")
    def _one(self) -> GitlabCheck:
        _exactly_one(self, "milestone", "release", "issues")
        return self


class JiraCheck(_Connected):
    """Asks Jira: a version of a project is released, or few enough issues are left."""

    kind: Literal["jira"]
    connection: Slug = "jira"
    cloud: bool = Field(True, description="false for Data Center")
    project: Name | None = Field(None, description="the key of the project that has the version")
    version: Name | None = Field(None, description="its name")
    jql: Name | None = Field(None, description="the issues that are counted")
    at_most: int = Field(0, ge=0, le=99, description="how many issues may be left")

    @field_validator("jql")
    @classmethod
    def _closed(cls, jql: str | None) -> str | None:
        return _quoted(jql, "\"'")

    @model_validator(mode="after")
    def _one(self) -> JiraCheck:
        _exactly_one(self, "version", "jql")
        if (self.version is None) is not (self.project is None):
            raise ValueError("version and project go together")
        return self


class CustomCheck(Polled):
    """Asks through an installed extension: an entry point of the group `phasegate.checks`."""

    kind: Literal["custom"]
    name: Slug
    options: dict[str, Any] = {}


class ProductCheck(Polled):
    """Waits for another product: one of its milestones is met, or one of its gates was passed."""

    kind: Literal["product"]
    product: Slug
    milestone: Slug | None = None
    gate: Slug | None = None
    every: Span = Span(exact=timedelta(minutes=1))

    @model_validator(mode="after")
    def _one(self) -> ProductCheck:
        _exactly_one(self, "milestone", "gate")
        return self


class EventCheck(Document):
    """Met by an event that `phasegate serve` takes from a source of the integrations file.

    `type` is a CloudEvent's type, or the event name of GitHub and GitLab; `when` a CEL expression
    over `event` (type, source, subject, id, data) and `product` (key, name, owner, tier).
    """

    kind: Literal["event"]
    source: Slug
    type: Name
    subject: Name | None = None
    when: Expression | None = None


AnyPolled = Annotated[
    HttpCheck | GithubCheck | GitlabCheck | JiraCheck | CustomCheck | ProductCheck,
    Field(discriminator="kind"),
]
Check = Annotated[
    ReportedCheck
    | HttpCheck
    | GithubCheck
    | GitlabCheck
    | JiraCheck
    | CustomCheck
    | ProductCheck
    | EventCheck,
    Field(discriminator="kind"),
]
