"""What a ledger misses that was put back from a backup, found in Temporal's histories; and what
Temporal misses that was put back itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from temporalio.client import Client

from client.told_histories import Lost, told
from ledger import DocumentUnknown, Intent, Ledger
from phasegate.base import digest_of
from phasegate.errors import EngineError
from phasegate.lifecycle import Lifecycle
from phasegate.policy import Policy
from phasegate.product import Product
from phasegate.sunset_ports import ActOrder, ActResult


@dataclass
class Recovered:
    """What the ledger misses of a product. `wanted` says what no history has: documents.

    `ahead` are the workflows of which the ledger has words that their own histories do not have:
    Temporal was put back from a backup. What they say from now on contradicts the record, unless
    they are reset first, which begins other runs.
    """

    product: str
    head: int
    events: list[Lost] = field(default_factory=list)
    definitions: list[Product] = field(default_factory=list)
    acts: list[Intent] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)
    ahead: list[str] = field(default_factory=list)
    known: bool = True
    """Whether the ledger or Temporal has anything of it at all."""

    @property
    def nothing(self) -> bool:
        return not (self.events or self.definitions or self.acts or self.wanted or self.ahead)


async def missing(client: Client, ledger: Ledger, key: str) -> Recovered:
    """Compare a product's histories with the ledger; nothing is written.

    Raises RPCError where Temporal does not answer, LedgerError where the ledger does not.
    """
    record = ledger.events(key)  # first: a worker that writes meanwhile is no contradiction
    histories = await told(client, key)
    found = Recovered(key, record[-1].seq if record else 0)
    found.known = bool(record or histories.states)
    for entry in record:
        said = entry.announcement
        workflow = histories.runs.get(said.run)
        if workflow and said.id not in histories.said and workflow not in found.ahead:
            found.ahead.append(workflow)
    absent = ledger.absent([lost.event.id for lost in histories.events])
    lost = [each for each in histories.events if each.event.id in absent]
    # Numbers are the true order, unless the ledger was put back before, and some stand twice.
    twice = len({each.seq for each in lost}) < len(lost)
    found.events = sorted(lost, key=lambda each: (each.at,) if twice else (each.seq,))
    for begun in histories.states:
        _compare_documents(ledger, begun.state, found)
    for order, at, result in histories.acts:
        if ledger.intents.find(order.key) is None:
            found.acts.append(_intent(order, at, result))
    return found


def write(ledger: Ledger, found: Recovered, *, late: bool = False) -> None:
    """Write what is missing, in the order in which it had been written.

    Acts that were under way become acts of which nobody knows whether they happened: they are
    probed or asked about, and never done a second time. Raises LedgerError; EngineError where the
    record has gone on meanwhile, unless `late` lets the rest follow behind that.
    """
    taken = next((each for each in found.events if each.seq <= found.head), None)
    if taken and not late:
        raise EngineError(
            f"the record of {found.product} has gone on without entry {taken.seq}",
            "workers wrote to the ledger after it was put back, so what is missing would come late",
            "stop the workers, put the backup back once more, and run phasegate events recover "
            f"{found.product}; or add --late",
        )
    now = datetime.now(UTC)
    for product in found.definitions:
        ledger.documents.publish("product", product.key, product, now, product.owner)
    for act in found.acts:
        ledger.intents.restore(act)
    if found.events:
        ledger.append(found.product, [each.event for each in found.events])


def bring_back(ledger: Ledger, product: Product, policy: Policy) -> None:
    """Publish what a running product rests on, where the ledger does not have it.

    Raises LedgerError.
    """
    documents, now = ledger.documents, datetime.now(UTC)
    # An older version that is there under its own digest must not become the one of new products.
    try:
        documents.read_policy(documents.digest_of("policy", policy.policy, policy))
    except DocumentUnknown:
        documents.publish("policy", policy.policy, policy, now, product.owner)
    try:
        documents.read_product(documents.digest_of("product", product.key, product))
    except DocumentUnknown:
        documents.publish("product", product.key, product, now, product.owner)


# -- what is there --------------------------------------------------------------------------------


def _compare_documents(ledger: Ledger, state: Lifecycle, found: Recovered) -> None:
    product, policy = state.product, state.policy
    if digest_of(product) == state.definition_digest and product not in found.definitions:
        try:
            ledger.documents.read_product(state.definition_digest)
        except DocumentUnknown:
            found.definitions.append(product)
    said = f"policy {policy.name} {policy.version} ({policy.digest[:19]})"
    try:
        ledger.documents.read_policy(policy.digest)
    except DocumentUnknown:
        if said not in found.wanted:
            found.wanted.append(said)
    if ledger.documents.current("directory", state.directory) is None:
        name = f"directory {state.directory}"
        found.wanted += [name] if name not in found.wanted else []


def _intent(order: ActOrder, at: datetime, result: ActResult | None) -> Intent:
    proof = result.proof if result and result.state == "done" else None
    return Intent(
        key=order.key,
        product=order.product,
        sunset=order.sunset,
        task=order.task,
        begun_at=at,
        attempt=1,
        state="done" if proof else "begun",
        result=proof.model_dump_json() if proof else "",
    )
