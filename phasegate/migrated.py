"""What became of the names of phases, where a product was put under other policies."""

from __future__ import annotations

from collections.abc import Iterable

from phasegate.events import Announcement
from phasegate.migration_ports import MigrationTerms

MIGRATED = "product.migrated"


class Renamings:
    """Phases of a record as the last policy calls them. Events are passed in their order."""

    def __init__(self, events: Iterable[Announcement]) -> None:
        self._ahead = [terms_of(event) for event in events if event.type == MIGRATED]

    def passes(self, event: Announcement) -> None:
        """What comes after it has the names that it brought."""
        if event.type == MIGRATED and self._ahead:
            del self._ahead[0]

    def called(self, phase: str) -> str:
        """What the last policy calls a phase that is named at this place of the record."""
        for terms in self._ahead:
            phase = terms.called(phase)
        return phase

    def terms(self) -> MigrationTerms:
        """All that is still to come, for a definition of before."""
        names = {old for terms in self._ahead for old in terms.phases}
        return MigrationTerms.model_construct(
            phases={name: self.called(name) for name in sorted(names)}
        )


def terms_of(event: Announcement) -> MigrationTerms:
    """The phases that a migration renamed; none where its entry does not say."""
    found = event.data.get("phases")
    named = {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}
    return MigrationTerms.model_construct(phases=named)
