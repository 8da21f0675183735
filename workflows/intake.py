"""What comes with too few or too many arguments, or cannot be read: refused like other garbage.

Temporal takes any signal and any Update from anybody. The SDK calls a signal's handler with as many
arguments as came, and the TypeError of a surplus one fails the workflow task again and again, so
that one `temporal workflow signal --input 1 --input 2` would stop a product for good (tried on SDK
1.35). An Update it cannot decode it refuses by itself, before any validator, without a code and
without a word on what to do instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NoReturn

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import EncodingPayloadConverter
from temporalio.worker import (
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from phasegate.errors import Rejected
    from phasegate.requests import Asked, VoteRequest
    from workflows.moment import something_happened
    from workflows.refusing import SURPLUS, as_failure, count_refusal, first_problem
    from workflows.sealing import SealedConverter


class Intake(Interceptor):
    """Hands a named signal handler one argument, whatever was sent, and an Update's only one."""

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        return _Intake


class _Intake(WorkflowInboundInterceptor):
    async def handle_signal(self, input: HandleSignalInput) -> None:
        if len(input.args) > 1 and workflow.get_signal_handler(input.signal) is not None:
            input.args = [SURPLUS]
        something_happened()
        await super().handle_signal(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        something_happened()
        return await super().handle_update_handler(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        if len(input.args) != 1:
            came = f"{len(input.args)} inputs came, and it takes one"
            _refuse(input.update, came, "one JSON object")
        super().handle_update_validator(input)


class RequestConverter(PydanticPayloadConverter):
    """Decodes as pydantic does. A request that cannot be read is a refusal, and no accident.

    The SDK lets a failure pass that a converter raises, and rejects the Update with it: nothing
    enters the history.
    """

    def __init__(self) -> None:
        self._set_converters(*_parts())  # the SDK makes two converters for each workflow task

    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: list[type] | None = None
    ) -> list[Any]:
        wanted = type_hints[0] if type_hints and len(type_hints) == 1 else None
        if not (isinstance(wanted, type) and issubclass(wanted, (Asked, VoteRequest))):
            return super().from_payloads(payloads, type_hints)
        needs = ", ".join(n for n, field in wanted.model_fields.items() if field.is_required())
        shape = f"one JSON object with {needs}"
        try:
            found = super().from_payloads(payloads, type_hints)
        except ValidationError as error:
            why = first_problem(error, wanted.__name__)
        except Exception as error:  # whatever a foreign encoding makes the converter raise
            why = f"it cannot be read: {str(error)[:300]}"
        else:
            if isinstance(found[0], wanted):
                return found
            why = "it is no JSON object"
        # Out here nothing is being handled: Temporal would send that along as what caused it.
        _refuse(wanted.__name__, why, shape)


@cache
def _parts() -> tuple[EncodingPayloadConverter, ...]:
    """What every converter consists of, with what it has learnt of our models."""
    return (*PydanticPayloadConverter().converters.values(), SealedConverter())


def _refuse(name: str, why: str, shape: str) -> NoReturn:
    hint = f"phasegate --help  # the command line sends what is asked for here: {shape}"
    refusal = Rejected("malformed", f"a malformed {name}", why, hint)
    if workflow.in_workflow():
        count_refusal(refusal)
    raise as_failure(refusal)
