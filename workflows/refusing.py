"""How a refusal by the rules reaches the person who asked, and how garbage is met."""

from __future__ import annotations

from typing import TypeVar

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel, ValidationError

    from phasegate.errors import Forbidden, Refusal, Rejected
    from phasegate.measures import REFUSALS
    from workflows.measuring import count

NO_INPUT = RawValue(Payload())
"""What a signal handler sees when the sender gave no input at all."""

SURPLUS = RawValue(Payload())
"""What it sees when the sender gave more than one."""

M = TypeVar("M", bound=BaseModel)


def as_failure(refusal: Refusal) -> ApplicationError:
    """The refusal as a failure of the Update: `type` is its code, the details its three parts."""
    details = {
        "what": refusal.what,
        "why": refusal.why,
        "hint": refusal.hint,
        "forbidden": isinstance(refusal, Forbidden),
    }
    return ApplicationError(str(refusal), details, type=refusal.code, non_retryable=True)


OURS = "phasegate --help  # this signal is phasegate's own; people use the command line"
"""What to do about a signal that people have no business with."""

VOTE = """temporal workflow signal --name vote --input '{"approver": "WHO", "vote": "go"}'"""
"""How a vote is sent by hand."""


def read_signal(raw: RawValue, model: type[M], *, hint: str = OURS, **defaults: str) -> M:
    """Decode a signal's payload. Raises Rejected, so that garbage is refused and not lost.

    The SDK drops a signal it cannot decode without a word; handlers take the raw payload instead.
    """
    what = f"a signal that is no {model.__name__}"
    if raw is NO_INPUT:
        raise Rejected("malformed", what, "it carries no input", hint)
    if raw is SURPLUS:
        raise Rejected("malformed", what, "it has many inputs", hint)
    try:
        data = workflow.payload_converter().from_payload(raw.payload)
    except Exception as error:  # whatever a foreign encoding makes the converter raise
        raise Rejected("malformed", what, f"it cannot be read: {str(error)[:300]}", hint) from error
    if not isinstance(data, dict):
        raise Rejected("malformed", what, "it is no JSON object", hint)
    try:
        return model.model_validate({**defaults, **data})
    except ValidationError as error:
        raise Rejected("malformed", what, first_problem(error, model.__name__), hint) from error


def first_problem(error: ValidationError, name: str) -> str:
    """Where the first thing is that is wrong, and what: `approver: Field required`."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or name
    return f"{where}: {first['msg']}"


def count_refusal(refusal: Refusal) -> None:
    """Refusals that leave nothing in history still show in a metric and a log line."""
    kind = "forbidden" if isinstance(refusal, Forbidden) else "rejected"
    count(REFUSALS, code=refusal.code, kind=kind)
    workflow.logger.info("refused", extra={"code": refusal.code, "why": refusal.why})
