"""Whether everybody was told: dead letters, and receivers that take nothing."""

from __future__ import annotations

from client.checkup import Check
from client.settings import Settings
from ledger import Ledger, LedgerError


def examine_deliveries(settings: Settings) -> Check:
    """One look at the ledger's database. What it cannot read is another check's to say."""
    name = "deliveries"
    try:
        ledger = Ledger(settings.ledger_url)
        dead = ledger.dead_letters.given_up()
        letters = ledger.dead_letters.letters()
        silent, gone = ledger.dead_letters.silent(), ledger.receivers.away()
        ledger.close()
    except LedgerError:
        return Check(check=name, state="warn", what="unknown, since the ledger cannot be read")
    said = [
        f"{who} takes nothing since {of.since:%Y-%m-%d %H:%M} UTC" for who, of in silent.items()
    ]
    said += [f"{who} said on {at:%Y-%m-%d} that it is gone (410)" for who, at in gone.items()]
    if dead:
        said.append(f"{sum(dead.values())} dead letters, of {', '.join(list(dead)[:5])}")
    said += [f"{item.receiver} did not get its weekly letter: {item.why}" for item in letters]
    if not said:
        return Check(check=name, state="ok", what="nothing is late or was given up")
    if letters and not (dead or silent or gone):
        mend = "temporal schedule trigger --schedule-id phasegate-portfolio-digest"
        return Check(check=name, state="warn", what="; ".join(said), mend=mend)
    product = next(iter([*dead, *(of.product for of in silent.values())]), "KEY")
    mend = f"phasegate events list {product} --dead"
    return Check(check=name, state="warn", what="; ".join(said), mend=mend)
