"""The errors activities end with: a stable type, and a text that says what, why and what to do.

The type is for retry policies, metrics and alerts; the text is what operators read in the
Temporal UI under "last failure".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from ledger import ChainBroken, DocumentUnknown, LedgerError
from phasegate.calendars import CalendarError

log = structlog.get_logger(__name__)

LEDGER_UNAVAILABLE = "ledger-unavailable"
POLICY_UNKNOWN = "policy-unknown"
PHASE_UNKNOWN = "phase-unknown"
SUNSET_UNPLANNED = "sunset-unplanned"
DIRECTORY_UNKNOWN = "directory-unknown"
CALENDAR_UNUSABLE = "calendar-unusable"
OPENER_BROKEN_OFF = "opener-broken-off"
UNCHANGED = "unchanged"
ENDPOINT_UNAVAILABLE = "endpoint-unavailable"
ENDPOINT_REFUSED = "endpoint-refused"
RECEIVER_UNAVAILABLE = "receiver-unavailable"
RECEIVER_UNUSABLE = "receiver-unusable"
RECEIVER_BUSY = "receiver-busy"
ARCHIVE_SOURCE_MISSING = "archive-source-missing"
ARCHIVE_REFUSED = "archive-refused"
ARCHIVE_FAILED = "archive-failed"
ACT_FAILED = "act-failed"
ACT_PROBED = "act-probed"
ACT_UNFIT = "act-unfit"
COMMAND_FAILED = "command-failed"
COMMAND_REFUSED = "command-refused"
EXTENSION_FAILED = "extension-failed"
EXTENSION_MISSING = "extension-missing"
MAIL_UNAVAILABLE = "mail-unavailable"
MAIL_UNUSABLE = "mail-unusable"
KEYGEN_UNUSABLE = "keygen-unusable"


def failure(
    type: str,
    what: str,
    why: str,
    hint: str,
    *,
    retry_after: timedelta | None = None,
) -> ApplicationError:
    """An activity's error. It is retried, after `retry_after` if given: a lifecycle waits."""
    text = f"{what}: {why}" if why else what
    return ApplicationError(
        f"{text}; {hint}" if hint else text,
        type=type,
        next_retry_delay=retry_after,
    )


def unchanged(text: str, retry_after: timedelta) -> ApplicationError:
    """A poll found nothing new: no failure, only Temporal's way to ask again later."""
    return postponed(UNCHANGED, text, retry_after)


def postponed(type: str, text: str, retry_after: timedelta) -> ApplicationError:
    """No failure: it is tried again after a while."""
    return ApplicationError(
        text,
        type=type,
        next_retry_delay=retry_after,
        category=ApplicationErrorCategory.BENIGN,
    )


@contextmanager
def ledger_errors(unknown: str = LEDGER_UNAVAILABLE) -> Iterator[None]:
    """Turn the ledger's errors into retryable ones; a document not found gets the type `unknown`.

    Retryable, all of them: the disk gets room again, the backup is restored, the document is
    published a moment later.
    """
    try:
        yield
    except (LedgerError, ChainBroken) as error:
        type = unknown if isinstance(error, DocumentUnknown) else LEDGER_UNAVAILABLE
        # Without the cause: its traceback would crowd the text out of Temporal's failure limit.
        log.warning("the ledger cannot be used", why=error.why, exc_info=error)
        raise failure(type, error.what, error.why, error.hint) from None


@contextmanager
def calendar_errors(what: str, directory: str) -> Iterator[None]:
    """Turn a calendar that cannot be used into an error that waits for the directory's mend."""
    try:
        yield
    except CalendarError as error:
        raise failure(
            CALENDAR_UNUSABLE,
            what,
            str(error),
            f"mend directory {directory} and run phasegate directory publish FILE --as WHO; it "
            "goes on by itself then",
        ) from None
