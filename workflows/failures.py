"""Failures as they are written into histories: what was refused and why, without our stack."""

from __future__ import annotations

from temporalio import workflow
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter, PayloadConverter
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from workflows.sealing import Locked, Unopened

ENCODED = "Encoded failure"
"""What stands in the place of a message that is encrypted; every Temporal SDK writes this."""


class PlainFailureConverter(DefaultFailureConverter):
    """Drops the stack of expected errors.

    A refusal is an answer and no accident. Its stack would fill histories with two kilobytes an
    attempt, and show the file system of a worker to everybody who may read them.
    """

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        super().to_failure(exception, payload_converter, failure)
        if isinstance(exception, ApplicationError):
            failure.stack_trace = ""


class SealedFailureConverter(PlainFailureConverter):
    """Hands messages and stacks to the codec, too, and of every cause.

    What says that a key is missing is left readable: who has to mend it has no key.
    """

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        super().to_failure(exception, payload_converter, failure)
        if not _wants_a_key(exception):
            _seal(failure, payload_converter)


def _wants_a_key(exception: BaseException | None) -> bool:
    while exception is not None and not isinstance(exception, (Locked, Unopened)):
        exception = exception.__cause__
    return exception is not None


def _seal(failure: Failure, payload_converter: PayloadConverter) -> None:
    """One that came from elsewhere was copied with its causes, which may be in the open yet."""
    said = {"message": failure.message, "stack_trace": failure.stack_trace}
    if failure.message != ENCODED or not failure.HasField("encoded_attributes"):
        failure.encoded_attributes.CopyFrom(payload_converter.to_payloads([said])[0])
        failure.message, failure.stack_trace = ENCODED, ""
    if failure.HasField("cause"):
        _seal(failure.cause, payload_converter)
