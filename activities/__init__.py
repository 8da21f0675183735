"""What touches the world on behalf of workflows. The names are those of `phasegate.ports`."""

from collections.abc import Callable
from typing import Any

from activities.acts import ActActivities
from activities.announcements import AnnouncementActivities
from activities.convene import ConveneActivities
from activities.couriers import CourierActivities
from activities.customers import CustomerActivities
from activities.dependencies import DependencyActivities
from activities.digest import DigestActivities
from activities.mailing import MailActivities
from activities.milestones import check_milestone
from activities.people import PeopleActivities
from activities.policies import PolicyActivities
from activities.receivers import Receivers
from activities.rounds import RoundActivities, opener_run
from activities.settings import ActivitySettings
from activities.signatures import SignatureActivities
from activities.waking import SweepActivities, Waker
from integrations import Integrations, Mail
from ledger import Ledger

__all__ = ["ActivitySettings", "Receivers", "Waker", "all_activities", "retirement_activities"]


def all_activities(
    ledger: Ledger,
    settings: ActivitySettings,
    receivers: Receivers | None = None,
    waker: Waker | None = None,
) -> list[Callable[..., Any]]:
    """Every activity, for a worker. Those that are not async need its `activity_executor`.

    Without `receivers` nobody is told what happens, and without a `waker` only when swept.
    """
    receivers = receivers or Receivers(ledger, Integrations())
    policies = PolicyActivities(ledger)
    return [
        policies.read_phase,
        policies.read_sunset,
        policies.read_members,
        ConveneActivities(ledger).convene,
        PeopleActivities(ledger).authority,
        SignatureActivities(ledger).verify_signature,
        AnnouncementActivities(ledger, receivers, waker.wake if waker else None).announce,
        RoundActivities(ledger).read_round,
        opener_run,
        check_milestone,
        DependencyActivities(ledger).check_product,
        *retirement_activities(ledger, settings, receivers.mail),
        CustomerActivities(ledger).look_at_customers,
        CourierActivities(ledger, receivers).deliver,
        MailActivities(ledger, receivers.mail).send_mail,
        DigestActivities(ledger, receivers.mail, receivers.digest).send_digest,
        SweepActivities(ledger, receivers).sweep,
    ]


def retirement_activities(
    ledger: Ledger, settings: ActivitySettings, mail: Mail | None = None
) -> list[Callable[..., Any]]:
    """What carries out the acts of sunsets, and nothing else."""
    acts = ActActivities(ledger, settings, mail)
    return [acts.carry_out, acts.settle_act]
