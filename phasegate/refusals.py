"""Every refusal there is: its code, its kind, when it is met and what to do about it.

Codes are stable: scripts, metrics and alerts may rely on them. `python -m phasegate.refusals`
prints the table of docs/refusals.md; a test compares it, and the codes with those in the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Kind = Literal["rejected", "forbidden"]


class Entry(NamedTuple):
    """`rejected` leaves no trace in histories; `forbidden` is recorded where it was tried."""

    kind: Kind
    when: str
    todo: str


REFUSALS: Mapping[str, Entry] = {
    # -- who may ----------------------------------------------------------------------------------
    "self-approval": Entry(
        "forbidden",
        "the owner, or who submitted the gate or its evidence, votes, acts for somebody, attests, "
        "or uses a permission",
        "let somebody decide who has had no hand in it",
    ),
    "stranger": Entry(
        "forbidden",
        "somebody who sits in none of the gate's groups, and acts for nobody there",
        "`phasegate directory show` lists the groups",
    ),
    "no-mandate": Entry(
        "forbidden",
        "a vote for somebody who has not delegated, is not away and is not late",
        "ask them to `phasegate gate delegate`",
    ),
    "not-attester": Entry(
        "forbidden",
        "attesting a criterion without being in the group that attests it",
        "`phasegate directory show` lists the group",
    ),
    "not-permitted": Entry(
        "forbidden",
        "an override, extension, reassignment, waiver, revival, migration, lighter tier or lower "
        "maturity without permission",
        "ask somebody whose group has it at this tier: `phasegate directory show`",
    ),
    "not-owner": Entry(
        "forbidden",
        "what only the product's owner may ask, or the owner and the team",
        "ask the owner: `phasegate product show KEY`",
    ),
    "not-reporter": Entry(
        "forbidden",
        "reporting a milestone that another group reports, or a system",
        "`phasegate milestone list KEY`",
    ),
    "not-confirmer": Entry(
        "forbidden",
        "confirming a task of the sunset that another group confirms",
        "`phasegate sunset show KEY`",
    ),
    # -- signatures (docs/signing.md) -------------------------------------------------------------
    "unsigned": Entry(
        "forbidden",
        "something said without a signature at a gate that needs one, or by somebody who has "
        "signed in this round before",
        "the same command with `--sign`",
    ),
    "signature-required": Entry(
        "forbidden",
        "a vote by signal at a gate that needs signatures, or with a signature",
        "`phasegate gate vote KEY/GATE VOTE --sign`",
    ),
    "bad-signature": Entry(
        "forbidden",
        "a signature that is none, or of something else: another gate, round, policy, evidence, "
        "person, word or namespace",
        "sign again, with `--sign`",
    ),
    "unknown-key": Entry(
        "forbidden",
        "a signature with a key that the directory, as the gate knows it, does not have of this "
        "person",
        "`phasegate directory show` lists keys; publish the directory with the key",
    ),
    "expired-key": Entry(
        "forbidden",
        "a signature with a key before or after the days for which it is valid",
        "sign with another key, or publish the directory with other days",
    ),
    "revoked-key": Entry(
        "forbidden",
        "a signature with a key that is revoked",
        "sign with another key",
    ),
    "signed-at-another-time": Entry(
        "forbidden",
        "a signature more than a day old, from the future, from before the gate opened, or without "
        "a time",
        "sign again, and look at the clock where you sign",
    ),
    "signed-earlier": Entry(
        "forbidden",
        "something signed before the last that this person signed in the round: a replay, or "
        "overtaken on its way",
        "`phasegate gate show KEY/GATE` shows what counts",
    ),
    "no-revision": Entry(
        "rejected",
        "a signed vote or attestation that does not name the evidence",
        "`--revision`, which the command line fills in by itself",
    ),
    "signature-unchecked": Entry(
        "rejected",
        "a signature that no worker could check, for want of ssh-keygen or of the directory",
        "`phasegate doctor`, then say it again: nothing was done",
    ),
    # -- votes ------------------------------------------------------------------------------------
    "gate-decided": Entry(
        "rejected", "anything asked of a decided round", "`phasegate gate show KEY/GATE`"
    ),
    "gate-on-hold": Entry(
        "rejected", "a vote while the product is on hold", "`phasegate product resume KEY`"
    ),
    "stale-revision": Entry(
        "rejected",
        "a vote or an attestation that names evidence which has changed since",
        "look at the new evidence, then say it again with the new `--revision`",
    ),
    "later-step": Entry(
        "rejected", "a vote for a step that is not open yet", "wait for the earlier step"
    ),
    "no-seat": Entry(
        "rejected",
        "a vote in a step, or a reassignment of a seat, that the person does not have",
        "`phasegate gate show KEY/GATE`",
    ),
    "for-whom": Entry(
        "rejected",
        "a vote by somebody who acts for several people, or a signed one that does not name whose "
        "seat it fills",
        "name one: `--for WHO`",
    ),
    "double-vote": Entry(
        "rejected",
        "a second vote of one person in a step, in another's name",
        "withdraw the first: `phasegate gate withdraw`",
    ),
    "voted-already": Entry(
        "rejected",
        "a vote for somebody who has voted, in person or through another",
        "only they, or who voted for them, change it",
    ),
    "no-vote": Entry(
        "rejected", "withdrawing where nothing stands", "`phasegate gate show KEY/GATE`"
    ),
    "text-too-long": Entry(
        "rejected",
        "a long text when a round, or the milestones of a product, have taken their share",
        "attach it as a link",
    ),
    "unknown-criterion": Entry(
        "rejected",
        "a score or an attestation of a criterion that takes none",
        "`phasegate gate show KEY/GATE`",
    ),
    "no-score": Entry("rejected", "a score for a must-criterion", "leave the score out"),
    # -- the chair --------------------------------------------------------------------------------
    "delegation-circle": Entry(
        "rejected",
        "a delegation that leads back to who gives it",
        "name somebody who is there",
    ),
    "no-delegation": Entry(
        "rejected", "taking back a delegation that there is not", "`phasegate gate show KEY/GATE`"
    ),
    "unknown-person": Entry(
        "rejected",
        "a delegate, new owner, holder of a seat or keeper of a condition whom nobody knows",
        "`phasegate directory show`",
    ),
    "has-seat": Entry("rejected", "giving a seat to somebody who sits there", "name another"),
    "has-voted": Entry(
        "rejected", "giving away a seat that has voted", "let them `phasegate gate withdraw` first"
    ),
    "work-asked": Entry(
        "rejected", "asking for work while the owner owes some", "`phasegate gate show KEY/GATE`"
    ),
    "in-the-past": Entry("rejected", "a deadline or an end that is past", "name a later instant"),
    "too-far": Entry(
        "rejected",
        "an extension of more than ten years, or a day of a sunset beyond the calendar",
        "`phasegate product hold KEY`, or an earlier day",
    ),
    "not-later": Entry(
        "rejected", "an extension to an instant that is not later", "name a later instant"
    ),
    "too-many-given": Entry(
        "rejected", "giving away the two-hundred-and-first seat of a round", "hold a new round"
    ),
    "gate-open": Entry(
        "rejected", "submitting a gate that is open", "`phasegate gate show KEY/GATE`"
    ),
    # -- products ---------------------------------------------------------------------------------
    "product-ended": Entry(
        "rejected", "anything asked of a product that has ended", "`phasegate product show KEY`"
    ),
    "not-active": Entry(
        "rejected",
        "holding or submitting a product that is not active",
        "`phasegate product show KEY`",
    ),
    "not-on-hold": Entry(
        "rejected", "resuming a product that is not on hold", "`phasegate product show KEY`"
    ),
    "no-gate": Entry(
        "rejected", "submitting where no gate can open", "`phasegate product show KEY`"
    ),
    "other-gate": Entry(
        "rejected", "submitting a gate of another phase", "`phasegate product show KEY`"
    ),
    "too-much-evidence": Entry(
        "rejected", "evidence beyond what a product keeps", "attach one document that lists others"
    ),
    "unknown-milestone": Entry(
        "rejected", "a milestone that the product does not have", "`phasegate milestone list KEY`"
    ),
    "milestone-settled": Entry(
        "rejected", "a milestone that is met or waived already", "`phasegate milestone list KEY`"
    ),
    "event-not-awaited": Entry(
        "rejected",
        "an event for a milestone that does not wait for it, or not yet",
        "`phasegate milestone list KEY`",
    ),
    "unknown-condition": Entry(
        "rejected",
        "a condition that is not open, or of which the product has not heard yet",
        "`phasegate condition list KEY`; after a decision ask again",
    ),
    "too-large": Entry(
        "rejected",
        "a definition, or milestones one after the other, beyond what a product keeps",
        "link to documents in it; plan milestones anew instead of adding others",
    ),
    "other-product": Entry(
        "rejected", "updating a product with the definition of another key", "keep the key"
    ),
    "other-policy": Entry(
        "rejected", "updating a product with a definition that names another policy", "keep it"
    ),
    "other-owner": Entry(
        "rejected",
        "updating a product with a definition of another owner",
        "`phasegate product handover KEY NEW --as OWNER --reason WHY`",
    ),
    "tier-alone": Entry(
        "rejected",
        "making a launch smaller together with other changes",
        "send the smaller tier by itself: others than the owner decide on it",
    ),
    "unchanged": Entry(
        "rejected", "an update or override that changes nothing", "`phasegate product show KEY`"
    ),
    "same-owner": Entry(
        "rejected", "handing a product over to its owner", "`phasegate product show KEY`"
    ),
    "changed-meanwhile": Entry(
        "rejected",
        "a product that changed owner, tier, policy or place while something was asked for it",
        "`phasegate product show KEY`, then ask again",
    ),
    "same-policy": Entry(
        "rejected",
        "putting a product under the policy that it is under",
        "`phasegate product show KEY`",
    ),
    "not-under-it": Entry(
        "rejected",
        "migrating a product from a policy that it is not under",
        "`phasegate product show KEY`",
    ),
    "cannot-migrate": Entry(
        "rejected",
        "putting a product under a policy that does not fit where it stands",
        "`phasegate policy migrate TO KEY --dry-run` says why, and what would let it",
    ),
    "round-still-ending": Entry(
        "rejected",
        "a migration whose round was stopped and has not told its last word, as the ledger is down",
        "`phasegate doctor`; once the product is back to work, ask again",
    ),
    "not-stopped": Entry(
        "rejected",
        "overriding a gate whose product has moved on",
        "`phasegate product hold KEY` or `phasegate product cancel KEY`",
    ),
    "not-killed": Entry(
        "rejected", "reviving a product that is not killed", "`phasegate product show KEY`"
    ),
    # -- the sunset -------------------------------------------------------------------------------
    "no-sunset": Entry(
        "rejected",
        "planning or starting a sunset where the policy has none",
        "`phasegate product show KEY`",
    ),
    "not-in-market": Entry(
        "rejected",
        "starting a sunset in another phase than the last",
        "`phasegate product show KEY`",
    ),
    "sunset-under-way": Entry(
        "rejected",
        "asking a product what its sunset takes, once that has begun, or starting it twice",
        "`phasegate sunset show KEY`",
    ),
    "not-legal-holder": Entry(
        "forbidden",
        "placing or lifting a legal hold without being in the group that the policy names",
        "`phasegate policy show NAME` names it; else the owner may",
    ),
    "hold-placed": Entry(
        "rejected", "placing a legal hold twice", "`phasegate sunset show KEY` lists them"
    ),
    "no-such-hold": Entry(
        "rejected",
        "lifting a legal hold that is not placed",
        "`phasegate product show KEY -o json` lists those that are",
    ),
    "too-many-holds": Entry(
        "rejected", "a fifty-first legal hold", "lift one, or name several matters as one"
    ),
    "legal-hold": Entry(
        "rejected",
        "confirming a deletion while a legal hold is placed",
        "`phasegate sunset legal-hold KEY MATTER --lift` once the matter is over",
    ),
    "proof-missing": Entry(
        "rejected",
        "confirming a task without the facts that its proof asks for",
        "`phasegate sunset confirm KEY TASK --proof NAME=VALUE`",
    ),
    "not-unknown": Entry(
        "rejected",
        "saying of a task that it was not done, where nobody doubts that",
        "`phasegate sunset show KEY`",
    ),
    "not-planned-yet": Entry(
        "rejected",
        "planning a sunset anew, or a legal hold, while it reads its plan",
        "ask again",
    ),
    "task-begun": Entry(
        "rejected",
        "moving or leaving out a task of a sunset that has begun, or is done",
        "`phasegate sunset show KEY`",
    ),
    "not-aborter": Entry(
        "forbidden",
        "aborting a sunset as somebody else than its owner and the group that the policy names",
        "ask the owner: `phasegate product show KEY`",
    ),
    "aborting": Entry(
        "rejected",
        "planning a sunset, or submitting a gate of it, while it is being aborted",
        "`phasegate sunset show KEY`",
    ),
    "point-of-no-return": Entry(
        "rejected",
        "aborting a sunset, or changing its customers, after its point of no return",
        "none: what comes after it cannot be undone",
    ),
    "sunset-ended": Entry(
        "rejected", "anything asked of a sunset that has ended", "`phasegate sunset show KEY`"
    ),
    "unknown-task": Entry(
        "rejected", "a task the sunset does not have", "`phasegate sunset show KEY`"
    ),
    "not-manual": Entry(
        "rejected", "confirming a task that phasegate does itself", "`phasegate sunset show KEY`"
    ),
    "not-waiting": Entry(
        "rejected", "confirming a task before its day, or twice", "`phasegate sunset show KEY`"
    ),
    "date-in-the-past": Entry(
        "rejected", "a sunset with a notice, or a task, before today", "leave the notice out"
    ),
    "notice-too-short": Entry(
        "rejected",
        "an end of life before the notice that the product's maturity owes the public",
        "`phasegate sunset plan KEY --dry-run` shows the earliest day",
    ),
    "contract-cut-short": Entry(
        "rejected", "an end of life before a contract has run out", "give a later day"
    ),
    "sale-after-end-of-life": Entry(
        "rejected",
        "an end of sales or of security support after the end of life",
        "give an earlier day",
    ),
    "not-skippable": Entry(
        "rejected",
        "leaving out a gate, a date that marks something, or a date that is public",
        "let the gate decide; move the date",
    ),
    "no-point-of-no-return": Entry(
        "rejected",
        "a task that cannot be undone, and no gate that is the point of no return above it",
        "`phasegate policy lint`",
    ),
    "irreversible-too-early": Entry(
        "rejected", "a task that cannot be undone, before the end of life", "give it a later day"
    ),
    "day-too-early": Entry(
        "rejected",
        "a public date, or a day that the owner gives, before what the task waits for",
        "give it a later day, or the other an earlier one",
    ),
    "public-date-reached": Entry(
        "rejected",
        "moving a public date, or a public notice, that has been reached",
        "`phasegate sunset show KEY`",
    ),
    "public-date-moved-earlier": Entry(
        "rejected",
        "moving a date of which the public was told to an earlier day",
        "public dates move later only",
    ),
    "cycle": Entry(
        "rejected",
        "tasks of a sunset that wait for each other, or dates that count from each other",
        "take one of the names in the circle out of `after` or `relative_to`",
    ),
    "not-a-date": Entry(
        "rejected",
        "counting a task's day from something that is no date of the plan",
        "name a task of kind date in `relative_to`",
    ),
    "given-twice": Entry("rejected", "two tasks of a sunset with one name", "rename one of them"),
    "unfit-task": Entry(
        "rejected",
        "a task of a plan within the plan whose name or texts become too long",
        "shorten the names",
    ),
    "too-many-tasks": Entry(
        "rejected", "a sunset of more than 500 tasks", "put several into one task"
    ),
    "openeox-invalid": Entry(
        "rejected",
        "exporting an OpenEoX record that the specification, or the schema given, does not allow",
        "the reason names the field; mend the plan: `phasegate sunset plan KEY`",
    ),
    "openeox-schema": Entry(
        "rejected",
        "checking an OpenEoX record against a file that is no JSON Schema",
        "download it anew",
    ),
    "sunset-before-deprecation": Entry(
        "rejected",
        "exporting headers of a sunset whose end of life is before its notice",
        "mend the plan: `phasegate sunset plan KEY`",
    ),
    # -- the engine -------------------------------------------------------------------------------
    "ledger-unavailable": Entry(
        "rejected",
        "a request that needs the directory while the ledger cannot be read",
        "`phasegate doctor`, then ask again: nothing was done",
    ),
    "malformed": Entry(
        "rejected",
        "a request that cannot be read; one by signal is recorded, since nobody hears",
        "use the CLI, or send what the hint asks for",
    ),
    "unknown-signal": Entry(
        "rejected", "a signal that a workflow does not have; recorded", "use the CLI"
    ),
    "unexpected-report": Entry(
        "rejected", "a report that no open round or sunset made; recorded", "use the CLI"
    ),
    "not-the-opener": Entry(
        "rejected", "a note to a gate or sunset with a wrong token; recorded", "use the CLI"
    ),
}


def table() -> str:
    """The table as Markdown."""
    rows = [
        f"| `{code}` | {entry.kind} | {entry.when} | {entry.todo} |"
        for code, entry in REFUSALS.items()
    ]
    return "\n".join(["| code | kind | when | what to do |", "|---|---|---|---|", *rows])


if __name__ == "__main__":
    print(table())
