"""What touches the world on behalf of workflows. The names are those of `phasegate.ports`."""

from collections.abc import Callable, Mapping
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
from integrations.document import Integrations
from ledger import Ledger
from phasegate.queues import Kind

__all__ = ["ActivitySettings", "Receivers", "Waker", "activities_by_kind"]


def activities_by_kind(
    ledger: Ledger,
    settings: ActivitySettings,
    receivers: Receivers | None = None,
    waker: Waker | None = None,
) -> Mapping[Kind, list[Callable[..., Any]]]:
    """Every activity, by the task queue it is for. Those that are not async need an executor.

    Without `receivers` nobody is told what happens, and without a `waker` only when swept.
    """
    receivers = receivers or Receivers(ledger, Integrations())
    policies = PolicyActivities(ledger)
    acts = ActActivities(ledger, settings, receivers.mail)
    return {
        "workflows": [
            policies.read_phase,
            policies.read_sunset,
            policies.read_members,
            policies.judge_migration,
            ConveneActivities(ledger).convene,
            PeopleActivities(ledger).authority,
            SignatureActivities(ledger).verify_signature,
            AnnouncementActivities(ledger, receivers, waker.wake if waker else None).announce,
            RoundActivities(ledger).read_round,
            opener_run,
            CustomerActivities(ledger).look_at_customers,
        ],
        "checks": [check_milestone, DependencyActivities(ledger).check_product],
        "outgoing": [
            CourierActivities(ledger, receivers).deliver,
            MailActivities(ledger, receivers.mail).send_mail,
            DigestActivities(ledger, receivers.mail, receivers.digest).send_digest,
            SweepActivities(ledger, receivers).sweep,
        ],
        "retirement": [acts.carry_out, acts.settle_act],
    }
