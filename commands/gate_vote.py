"""`phasegate gate vote`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from commands.options import Output, Sign, SigningKey, Target, Text, Timeout, Who, Whole
from commands.signing_words import signing_of

if TYPE_CHECKING:
    from client.signing import Signing
    from commands.options import Format
    from phasegate.requests import VoteRequest

Word = Literal["go", "conditional-go", "recycle", "hold", "kill", "abstain"]


async def vote(
    target: Target = "",
    vote: Annotated[Word | None, Parameter(help="What you say")] = None,
    /,
    *,
    who: Who,
    on_behalf_of: Annotated[
        str | None, Parameter(name="--for", help="For whom you vote, if not yourself")
    ] = None,
    comment: Annotated[Text, Parameter(help="Why; everybody sees it")] = "",
    conditions: Annotated[
        list[str] | None,
        Parameter(
            name="--condition",
            negative=(),
            help="A promise that comes with conditional-go: JSON with text, owner, due; "
            "@FILE; or plain text. May be given again",
        ),
    ] = None,
    scores: Annotated[
        list[str] | None,
        Parameter(
            name="--score",
            negative=(),
            help="CRITERION=N, 0 to 10, of a should that approvers judge. May be given again",
        ),
    ] = None,
    revision: Annotated[
        str | None,
        Parameter(
            help="The evidence you saw, as `gate show` names it: refused if it has changed since. "
            "If unset, the evidence as it is when this is sent, and stderr says which"
        ),
    ] = None,
    step: Annotated[
        Whole | None, Parameter(help="An earlier step, to change your vote there")
    ] = None,
    everywhere: Annotated[
        bool,
        Parameter(
            name="--all",
            negative=(),
            help="On every gate that waits for you; then KEY/GATE is left out",
        ),
    ] = False,
    product_filter: Annotated[
        str | None,
        Parameter(
            help="With --all: only where this CEL expression is true, over product (key, name, "
            "owner, policy, tier), gate, round, step and phase"
        ),
    ] = None,
    yes: Annotated[bool, Parameter(negative=(), help="With --all: do not ask")] = False,
    dry_run: Annotated[
        bool, Parameter(negative=(), help="With --all: show what would be voted; vote nothing")
    ] = False,
    wait: Annotated[bool, Parameter(negative=(), help="Wait until the gate is decided")] = False,
    timeout: Timeout = None,
    sign: Sign = False,
    key_file: SigningKey = None,
    output: Output = "table",
) -> int:
    """Vote on an open gate; without /GATE on the one that the product has open.

    Exit code 0 when the vote was taken, decided or not. With --wait: 0 for Go or Conditional Go,
    3 for another outcome or when --timeout passes first. A vote on a closed gate is an error (1),
    one by somebody who may not vote another (4).

    With --all, as in `phasegate gate vote --all --product-filter 'product.tier == 3' go`, it shows
    first what it would vote on and asks; each vote names the evidence shown, and is refused where
    that has changed. Exit code 0 if all were taken.

    With --sign, as in `phasegate gate vote harbor-sync/go-to-launch go --sign`, it is signed by
    ssh-keygen, which asks for a passphrase or a touch of the key. Some gates take nothing else.
    """
    from client.asking import new_request_id
    from commands.parsing import build, promises_of, scores_of
    from phasegate.requests import VoteRequest

    where, said = _words(target, vote, who, everywhere=everywhere)
    request = build(
        VoteRequest,
        approver=who,
        on_behalf_of=on_behalf_of,
        vote=said,
        comment=comment,
        conditions=promises_of(conditions or []),
        scores=scores_of(scores or []),
        revision=revision,
        step=step,
        request_id=new_request_id(),
    )
    signing = signing_of(sign, key_file)
    if where is None:
        from commands.gate_vote_all import vote_all

        single = {"--revision": revision, "--step": step, "--score": scores}
        single |= {"--wait": wait, "--timeout": timeout}
        _only(single, "names one gate", "phasegate gate vote --all go --as " + who)
        return await vote_all(request, product_filter, output, signing, yes=yes, dry_run=dry_run)
    bulk = {"--product-filter": product_filter, "--yes": yes, "--dry-run": dry_run}
    _only(bulk, "goes with --all", f"phasegate gate vote --all {said} --as {who}")
    return await _vote(where, request, output, signing, wait=wait, timeout=timeout)


def _words(target: str, vote: str | None, who: str, *, everywhere: bool) -> tuple[str | None, str]:
    """KEY/GATE, which --all leaves out, and the word."""
    from typing import get_args

    from client.usage import UsageError

    words = ", ".join(get_args(Word))
    if not everywhere:
        if vote is not None:
            return target, vote
        hint = (
            f"phasegate gate vote {target} go --as {who}"
            if target
            else f"phasegate inbox --as {who}"
        )
        raise UsageError("this vote says nothing", f"after KEY/GATE comes one of {words}", hint)
    if vote is not None:
        what, why = f"--all and {target} do not go together", "--all is every gate that waits"
        raise UsageError(what, why, f"phasegate gate vote --all {vote} --as {who}")
    if target not in get_args(Word):
        what, why = f"{target} is no vote", f"with --all the only word is one of {words}"
        raise UsageError(what, why, f"phasegate gate vote --all go --as {who}")
    return None, target


def _only(options: Mapping[str, object], why: str, hint: str) -> None:
    """Refuse options that would be lost."""
    from client.usage import UsageError

    for option, value in options.items():
        if value:
            raise UsageError(f"{option} cannot be used here", f"{option} {why}", hint)


async def _vote(
    target: str,
    request: VoteRequest,
    output: Format,
    signing: Signing,
    *,
    wait: bool,
    timeout: str | None,
) -> int:
    from client import gates
    from client.engine import Engine
    from client.signing import ready
    from commands.failing import OK
    from commands.gate import outcome_code
    from commands.parsing import gate_of, span_of
    from commands.receipts import emit_receipt, tell_evidence

    key, gate = gate_of(target)
    patience = span_of(timeout)
    engine = await Engine.connect()
    gate = gate or await gates.resolve(engine, key)
    known = await ready(engine, key, gate, "vote", request, signing)
    receipt = await gates.vote(engine, key, gate, known)
    if request.revision is None:
        tell_evidence(receipt)
    about = {
        "product": key,
        "gate": gate,
        "approver": request.approver,
        "on_behalf_of": request.on_behalf_of,
        "vote": request.vote.value,
    }
    if not wait:
        emit_receipt(receipt, output, **about)
        return OK
    assert receipt.round is not None, "a vote's receipt names its round"
    decided = await gates.until_decided(engine, key, gate, receipt.round, patience)
    view = decided or await gates.show(engine, key, gate, receipt.round)
    receipt.status, receipt.outcome = view.status, view.outcome
    emit_receipt(receipt, output, **about)
    return outcome_code(view, waited=True)
