"""Who signed what is asked of a gate. The verdict comes from an activity, and the world goes on
meanwhile: whoever asks here checks everything again afterwards."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate import ports
    from phasegate.errors import Rejected
    from phasegate.pseudonyms import in_use
    from phasegate.signed_words import Demand, asked_of, signed_by
    from phasegate.signing import Action, Signable, Signed
    from workflows.authority import ask_briefly


def kept(signed: Signed | None) -> dict[str, object]:
    """What an announcement keeps of a signature: all it takes to check it again."""
    return {"signed": signed.model_dump(mode="json")} if signed else {}


async def signature_of(
    demand: Demand, action: Action, actor: str, request: Signable, channel: str = "update"
) -> Signed | None:
    """The signature on a request, found good; None where it has none and needs none.

    Where there is nothing to check nothing is awaited. Raises Forbidden for one that is missing or
    does not count, and Rejected where that could not be found out.
    """
    query = asked_of(demand, action, actor, request, channel, workflow.now())
    if query is None:
        return None
    finding = await _finding(query)
    return signed_by(demand, action, request, query, finding)


async def _finding(query: ports.SignatureQuery) -> ports.SignatureFinding:
    try:
        return await ask_briefly(
            ports.VERIFY_SIGNATURE,
            query,
            ports.SignatureFinding,
            in_use().said(f"whether {query.person} signed it", "whether somebody signed it"),
            what=f"the signature of {query.person} cannot be checked",
            why="no worker could ask ssh-keygen with the keys of the directory",
        )
    except Rejected as error:
        hint = "phasegate doctor  # nothing was done; say it again"
        raise Rejected("signature-unchecked", error.what, error.why, hint) from error
