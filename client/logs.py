"""Structured logs that say which product, gate and workflow they are about."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from client.discretion import discretion
from client.log_places import placed
from integrations.hiding import hidden, hidden_value, remember_environment

log = structlog.get_logger(__name__)


def configure_logs(
    *, json: bool, level: str = "INFO", to: TextIO | None = None, build: str = ""
) -> None:
    """Send structlog and the SDK's loggers to stderr (or `to`), as JSON or for people.

    Each line has the build that this process runs as, if it does.
    """
    to = to or sys.stderr
    remember_environment(os.environ)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(colors=to.isatty())
    )
    structlog.configure(
        processors=[
            _drop_while_replaying,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(to)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                placed,
                *([_built(build)] if build else []),
                *discretion(),
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _without_secrets,
                render,
            ],
        )
    )
    handler.addFilter(_is_news)
    # They are in fields of their own.
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for client in ("httpx2", "httpcore2"):
        # They log whole addresses, with what is secret in them, and httpcore2 headers, too.
        logging.getLogger(client).setLevel(logging.WARNING)
    # Apprise logs addresses of channels that it does not understand, and they hold tokens.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # its warnings have paths, as of webhooks


def _drop_while_replaying(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A replayed workflow has said it all before."""
    if not _is_news():
        raise structlog.DropEvent
    return event


def _built(build: str) -> structlog.typing.Processor:
    def add(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["build"] = build
        return event

    return add


def _is_news(record: logging.LogRecord | None = None) -> bool:
    """Lines of the standard library are filtered: an event that is dropped as their handler formats
    them is raised through whoever logged it, the SDK's handling of an Update, too."""
    return not (workflow.in_workflow() and workflow.unsafe.is_replaying())


def _without_secrets(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Whoever wrote the line, and whatever it is about."""
    clean: MutableMapping[str, Any] = hidden_value(event)
    return clean


class LogContextInterceptor(Interceptor):
    """Binds workflow, activity and attempt to every log line of an activity."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _ActivityContext(next)


class _ActivityContext(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        with structlog.contextvars.bound_contextvars(
            activity=info.activity_type,
            workflow_id=info.workflow_id,
            run_id=info.workflow_run_id,
            attempt=info.attempt,
        ):
            try:
                return await self.next.execute_activity(input)
            except Exception as error:
                clean = hidden_error(error)
                if clean is error:
                    raise
                log.warning("an error had a secret in it", error=type(error).__name__)
                raise clean from None


def hidden_error(error: Exception) -> Exception:
    """The error, or one that says the same without the secrets in it or in what caused it.

    An activity's error is kept in a history, with its causes, for as long as that is.
    """
    if isinstance(error, CancelledError) or not _tells(error):
        return error
    if not isinstance(error, ApplicationError):
        return ApplicationError(hidden(str(error)), type=type(error).__name__)
    return ApplicationError(
        hidden(error.message),
        *(hidden_value(detail) for detail in error.details),
        type=error.type,
        non_retryable=error.non_retryable,
        next_retry_delay=error.next_retry_delay,
        category=error.category,
    )


def _tells(error: BaseException | None) -> bool:
    """Whether an error or one that it came from has a secret in its text."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        said = [str(error)]
        if isinstance(error, ApplicationError):
            said += [detail for detail in error.details if isinstance(detail, str)]
        if any(hidden(text) != text for text in said):
            return True
        error = error.__cause__ or error.__context__
    return False
