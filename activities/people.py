"""What somebody may do with a product, by the directory as it is now."""

from __future__ import annotations

from temporalio import activity

from activities.directories import current_directory
from activities.errors import calendar_errors
from activities.standing_in import Calendars, absences
from ledger import Ledger
from phasegate import ports


class PeopleActivities:
    """Answers follow the directory as it is when asked: a role taken away ends its permissions."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn(name=ports.AUTHORITY)
    def authority(self, request: ports.AuthorityRequest) -> ports.Authority:
        """What the actor may do at this tier, and what is known of whom it is about.

        Errors, all retried: directory-unknown, calendar-unusable and ledger-unavailable.
        """
        digest, directory = current_directory(self._ledger, request.directory)
        answer = ports.Authority(
            directory_digest=digest,
            permissions=directory.permissions(request.actor, request.tier),
            known=request.actor in directory.people,
        )
        about = request.about
        if about is None:
            return answer
        managers = directory.managers(about)
        with calendar_errors(f"the absences of {about} cannot be read", request.directory):
            away = absences(directory, Calendars(directory), [about], delegates=True)
        return answer.model_copy(
            update={
                "about_known": about in directory.people,
                "manages": request.actor in managers,
                "absences": away,
                "about_managers": managers,
            }
        )
