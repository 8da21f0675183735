"""What `phasegate audit verify` shows to people."""

from __future__ import annotations

from commands.output import Block, Fields, Grid
from phasegate.audit.findings import STEPS, Step, Verified


def audit_blocks(found: Verified) -> list[Block]:
    """What was looked at, and what there is to look at."""
    counts = f"{found.derived} of {found.rounds} follow from their votes"
    if found.overridden:
        counts += f", {found.overridden} were decided by permission"
    said = found.unchecked + found.remarks

    def seen(step: Step, text: object) -> object:
        return _seen(found, step, text)

    return [
        Fields(
            [
                ("product", found.product),
                ("result", _result(found)),
                ("read from", found.source),
                ("chain", seen("chain", f"{found.seq} entries, ends with {found.head}")),
                (
                    "heads",
                    seen(
                        "heads",
                        f"{found.heads} kept elsewhere lie on it" if found.heads else "none given",
                    ),
                ),
                ("documents", seen("documents", found.documents)),
                ("decided rounds", seen("outcomes", counts)),
                ("votes", seen("outcomes", found.votes)),
                ("signatures", seen("outcomes", f"{found.signatures} good")),
                ("refusals", seen("outcomes", found.refusals)),
                ("histories", found.histories),
                ("erased", f"words of {found.erased} entries" if found.erased else ""),
            ]
        ),
        Grid(
            ("where", "what", "who"),
            [
                (one.place, f"{_KINDS[one.kind]}: {one.text}", one.person)
                for one in ([found.fault] if found.fault else []) + said
            ],
            "To look at",
        ),
    ]


def _seen(found: Verified, step: Step, text: object) -> object:
    """What was counted, where the step was gone through: else a 0 would look like a finding."""
    reached, at = STEPS.index(found.reached), STEPS.index(step)
    if at <= reached:
        return text
    return "does not hold" if at == reached + 1 and step != "outcomes" else "not looked at"


def _result(found: Verified) -> str:
    if not found.ok:
        return "does not add up"
    return "adds up, as far as it can be checked" if found.unchecked else "adds up"


_KINDS = {"fault": "fault", "unchecked": "cannot be checked", "remark": "remark"}
