"""Acts: what a task of a sunset does to the world, and what undoes it.

An act that cannot be undone says so (`effect`): it happens at most once, its intent is written
before it, and it comes after the gate that is the point of no return.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from phasegate.addresses import below, fixed_host, require_one_address
from phasegate.base import Document, FigureName, Slug, Text
from phasegate.check import Expression

Effect = Literal["reversible", "irreversible", "deletion"]
"""What an act leaves behind. A deletion is irreversible, and waits while a legal hold is placed."""


class _Address(Document):
    """Where to call: a whole URL, or a path of a connection of the integrations file."""

    url: str | None = Field(
        None, pattern=r"^https?://", max_length=2000, description="{product} is replaced"
    )
    connection: Slug | None = None
    path: str | None = Field(None, max_length=2000, description="begins with /, and may have a ?")

    @field_validator("url")
    @classmethod
    def _fixed_host(cls, url: str | None) -> str | None:
        return fixed_host(url)

    @field_validator("path")
    @classmethod
    def _below(cls, path: str | None) -> str | None:
        return below(path)

    @model_validator(mode="after")
    def _one_address(self) -> _Address:
        require_one_address(self.url, self.connection, self.path)
        return self


class Probe(_Address):
    """A GET that finds out whether an act was done whose answer was lost.

    `expression` is CEL over `status` (a number) and `body` (the JSON answer, or null): true means
    that it was done, false that it was not. Anything else says nothing, and a person is asked.
    """

    expression: Expression


class HttpAct(_Address):
    """Call an endpoint; done when it answers 2xx. The call carries an Idempotency-Key.

    `proof` takes facts from the JSON answer: name → CEL over `status` and `body`.
    """

    kind: Literal["http"] = "http"
    method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST"
    body: dict[str, str] = {}
    proof: dict[FigureName, Expression] = {}
    probe: Probe | None = None


class CommandAct(Document):
    """Run a command of the worker's allow-list: no shell, and nothing that is not listed there.

    `arguments` fill the placeholders that the allow-list's entry has.
    """

    kind: Literal["command"] = "command"
    command: Slug
    arguments: dict[FigureName, Annotated[str, Field(max_length=500)]] = {}


class ArchiveAct(Document):
    """Pack files below the worker's archive root, with a SHA-256 for each and for the whole."""

    kind: Literal["archive"] = "archive"
    source: str = Field(max_length=500, description="folder or file; {product} is replaced")


class MailAct(Document):
    """Write to the customers of the product's ledger, each once.

    Placeholders: {product}, {name} (of the product), {customer}, {notice}, {end_of_sales},
    {end_of_life}.
    """

    kind: Literal["mail"] = "mail"
    subject: str = Field(min_length=1, max_length=200)
    text: Text
    to: Literal["all", "open"] = Field("open", description="open: not exported, migrated or waived")
    notifies: bool = Field(False, description="this is the notice that the ledger asks for")


class ManualAct(Document):
    """Somebody does it and confirms: the owner, or a member of the task's `by`.

    `proof` names the facts that a confirmation has to give, such as digest and count.
    """

    kind: Literal["manual"] = "manual"
    proof: tuple[FigureName, ...] = ()


class NoticeAct(Document):
    """Make something known: written to the ledger and announced."""

    kind: Literal["notice"] = "notice"
    text: Text = ""


class CustomAct(Document):
    """What an installed extension does: an entry point of the group `phasegate.tasks`."""

    kind: Literal["custom"] = "custom"
    name: Slug
    options: dict[str, Any] = {}


Act = Annotated[
    HttpAct | CommandAct | ArchiveAct | MailAct | ManualAct | NoticeAct | CustomAct,
    Field(discriminator="kind"),
]
