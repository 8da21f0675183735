"""Whether confidential mode is on, and whether everybody agrees on that."""

from __future__ import annotations

from temporalio.client import Client

from client.checkup import Check
from client.keyring import FILE, Keyring, load_keyring
from client.keyring_match import working
from client.settings import Settings
from client.spelling import OPEN, in_the_open
from phasegate.pseudonyms import MARK

NAME = "confidential mode"


async def examine_confidentiality(client: Client, settings: Settings) -> Check:
    """Raises RPCError."""
    ring = load_keyring()  # it could be read as the client connected
    if differing := await _workers(client, settings, ring):
        return differing
    hidden = f"PhasegateOwner STARTS_WITH '{MARK}' AND {OPEN}"
    if ring is None:
        if locked := (await client.count_workflows(hidden)).count:
            what = f"it is off here, and {locked} running workflows are encrypted"
            return Check(check=NAME, state="fail", what=what, mend=f"set {FILE}")
        what = "it is off: the server can read what products, votes and evidence say"
        return Check(check=NAME, state="ok", what=what)
    what = f"it is on: {ring.current} encrypts, {', '.join(ring.keys)} decrypt"
    if plain := await in_the_open(client):
        what = f"{what}; {plain} running workflows are from before, and show names"
        mend = "nothing: a product hides them when its phase ends, a gate in its next round"
        return Check(check=NAME, state="warn", what=what, mend=mend)
    return Check(check=NAME, state="ok", what=what)


async def _workers(client: Client, settings: Settings, ring: Keyring | None) -> Check | None:
    """What is wrong with the keys of those who work; their identities say which they have."""
    for worker in await working(client, settings.task_queue):
        if odds := worker.odds(ring):
            what, mend = odds.what, odds.mend
        elif ring is not None and worker.keys[0] != ring.current:
            what = f"encrypts with {worker.keys[0]}, and this command with {ring.current}"
            mend = "start it again, with the same key ring"
        else:
            continue
        return Check(check=NAME, state="warn", what=f"worker {worker.identity} {what}", mend=mend)
    return None
