"""Failures as they are written into histories: what was refused and why, without our stack."""

from __future__ import annotations

from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter, PayloadConverter
from temporalio.exceptions import ApplicationError


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
