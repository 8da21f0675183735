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
from phasegate.retrospective_view import Retrospective, RoundStory
from phasegate.roadmap_words import OUTCOMES, day

_MADE_OF = ("audit.html.jinja", "page.jinja")


def html(record: Record, life: Retrospective, events: Sequence[Announcement]) -> str:
    """One self-contained page: no script, and nothing is loaded from anywhere."""
    return environment().get_template("audit.html.jinja").render(
        record=record,
        life=life,
        entries=list(zip(record.entries, events, strict=True)),
        refusals=[event for event in events if event.type.endswith(".refused")],
        words=lambda held: [_word(event) for event in events if _is_word_of(event, held)],
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


def _is_word_of(event: Announcement, held: RoundStory) -> bool:
    """Whether somebody votes, advises or withdraws in that round."""
    of_it = (event.data.get("gate"), event.data.get("round")) == (held.gate, held.round)
    return of_it and event.type in ("gate.vote", "gate.advice", "gate.withdrawn")


def _word(event: Announcement) -> dict[str, object]:
    """What an entry says of a vote, whatever else it has in these places."""
    said = {name: value for name, value in event.data.items() if isinstance(value, str)}
    signed = event.data.get("signed")
    return {
        "who": event.actor,
        "whose": said.get("on_behalf_of", ""),
        "advice": event.type == "gate.advice",
        "vote": said.get("vote", "withdrawn"),
        "comment": said.get("comment", ""),
        "at": event.at,
        "assurance": said.get("assurance", ""),
        "key": str(signed.get("key", "")) if isinstance(signed, dict) else "",
    }


def pretty(body: str) -> str:
    return json.dumps(json.loads(body), indent=1, ensure_ascii=False)


def edition() -> str:
    """Which page this release makes: a digest of what it is made of. Pages of other editions
    cannot be compared with their records here."""
    texts = [files("client.pictures").joinpath("templates", name).read_bytes() for name in _MADE_OF]
    digest = sha256(b"\0".join(texts)).hexdigest()
    return f"{version('phasegate')}-{digest[:16]}"
