"""A product's record as one page of HTML. The same record always gives the same page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files

from client.pictures.drawing import environment
from client.pictures.retrospective import TONES, is_link, minute
from client.pictures.theme import DARK, LIGHT
from phasegate.audit.record import Record
from phasegate.events import Announcement
from phasegate.retrospective_view import Retrospective
from phasegate.roadmap_words import OUTCOMES, day

_MADE_OF = ("audit.html.jinja", "page.jinja")


def html(record: Record, life: Retrospective, events: Sequence[Announcement]) -> str:
    """One self-contained page: no script, and nothing is loaded from anywhere."""
    return environment().get_template("audit.html.jinja").render(
        record=record,
        life=life,
        entries=list(zip(record.entries, events, strict=True)),
        refusals=[event for event in events if event.type.endswith(".refused")],
        evidence=[event for event in events if event.type == "product.evidence"],
        pretty=pretty,
        light=LIGHT,
        dark=DARK,
        day=day,
        minute=minute,
        outcomes=OUTCOMES,
        tones=TONES,
        is_link=is_link,
    )  # fmt: skip


def pretty(body: str) -> str:
    return json.dumps(json.loads(body), indent=1, ensure_ascii=False)


def edition() -> str:
    """Which page this release makes: a digest of what it is made of. Pages of other editions
    cannot be compared with their records here."""
    texts = [files("client.pictures").joinpath("templates", name).read_bytes() for name in _MADE_OF]
    digest = sha256(b"\0".join(texts)).hexdigest()
    return f"{version('phasegate')}-{digest[:16]}"
