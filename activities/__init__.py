"""What touches the world on behalf of workflows. The names are those of `phasegate.ports`."""

from collections.abc import Callable
from typing import Any

from activities.announcements import AnnouncementActivities
from activities.convene import ConveneActivities
from activities.dependencies import DependencyActivities
from activities.milestones import check_milestone
from activities.people import PeopleActivities
from activities.policies import PolicyActivities
from activities.retirement import RetirementActivities
from activities.rounds import RoundActivities, opener_run
from activities.settings import ActivitySettings
from ledger import Ledger

__all__ = ["ActivitySettings", "all_activities"]


def all_activities(ledger: Ledger, settings: ActivitySettings) -> list[Callable[..., Any]]:
    """Every activity, for a worker. Those that are not async need its `activity_executor`."""
    policies = PolicyActivities(ledger)
    retirement = RetirementActivities(settings)
    return [
        policies.read_phase,
        policies.read_sunset,
        ConveneActivities(ledger).convene,
        PeopleActivities(ledger).authority,
        AnnouncementActivities(ledger).announce,
        RoundActivities(ledger).read_round,
        opener_run,
        check_milestone,
        DependencyActivities(ledger).check_product,
        retirement.call_endpoint,
        retirement.archive_files,
    ]
