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


def read_signal(raw: RawValue, model: type[M], **defaults: str) -> M:
    """Decode a signal's payload. Raises Rejected, so that garbage is refused and not lost.

    The SDK drops a signal it cannot decode without a word; handlers take the raw payload instead.
    """
    if raw is NO_INPUT:
        raise Rejected("malformed", f"a signal without a {model.__name__}", "it carries no input")
    if raw is SURPLUS:
        raise Rejected("malformed", f"a signal that is no {model.__name__}", "it has many inputs")
    try:
        data = workflow.payload_converter().from_payload(raw.payload)
    except Exception as error:  # whatever a foreign encoding makes the converter raise
        raise Rejected("malformed", "a signal that cannot be read", str(error)[:300]) from error
    if not isinstance(data, dict):
        raise Rejected("malformed", f"a signal that is no {model.__name__}", "it is no JSON object")
    try:
        return model.model_validate({**defaults, **data})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or model.__name__
        raise Rejected(
            "malformed", f"a signal that is no {model.__name__}", f"{where}: {first['msg']}"
        ) from error


def count_refusal(refusal: Refusal) -> None:
    """Refusals that leave nothing in history still show in a metric and a log line."""
    workflow.metric_meter().with_additional_attributes({"code": refusal.code}).create_counter(
        "phasegate_refusals", "votes and requests refused, by reason"
    ).add(1)
    workflow.logger.info("refused", extra={"code": refusal.code, "why": refusal.why})
