"""`phasegate sunset export`: what the world reads of a sunset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from commands.options import Key

if TYPE_CHECKING:
    from phasegate.public_sunset import PublicSunset

What = Literal["openeox", "headers", "notice", "calendar"]
Form = Literal["http", "nginx", "caddy", "text", "markdown"]
FORMS: dict[str, tuple[str, ...]] = {
    "headers": ("http", "nginx", "caddy"),
    "notice": ("text", "markdown"),
}


async def export(
    key: Key,
    what: Annotated[What, Parameter(help="A record, response headers, a text or an .ics")],
    /,
    *,
    form: Annotated[
        Form | None, Parameter(name="--format", help="Of headers and notice; the first if unset")
    ] = None,
    schema: Annotated[
        str | None, Parameter(help="Check the OpenEoX record against this schema file, too")
    ] = None,
    out: Annotated[str | None, Parameter(help="Write it there; to stdout if unset")] = None,
) -> None:
    """What the world reads of a sunset, as it runs or as it is planned.

    An OpenEoX record; Deprecation (RFC 9745) and Sunset (RFC 8594) headers ready to paste; the
    notice; a calendar with reminders. All are made of the same dates.
    """
    from datetime import UTC, datetime

    from client.engine import Engine
    from client.sunset_facts import facts
    from commands.output import note
    from commands.parsing import key_of

    key = key_of(key)
    form = _form(key, what, form, schema)
    found = await facts(await Engine.connect(), key, datetime.now(UTC))
    data = _written(found, what, form, schema)
    if out:
        _write(key, what, out, data)
        note(f"wrote {out}")
    else:
        _print(data)
    if found.standing == "planned":
        note(f"not public before the notice on {found.notice_at:%Y-%m-%d %H:%M} UTC")
    if what == "headers" and found.standing == "withdrawn":
        note("no headers: the sunset is withdrawn; take them off wherever they are sent")


def _form(key: str, what: What, form: Form | None, schema: str | None) -> Form | None:
    from client.usage import UsageError

    allowed = FORMS.get(what, ())
    if form is not None and form not in allowed:
        why = f"{what} comes as {' or '.join(allowed)}" if allowed else f"{what} has one form only"
        raise UsageError(
            f"--format {form} is not for {what}", why, f"phasegate sunset export {key} {what}"
        )
    if schema is not None and what != "openeox":
        raise UsageError(
            f"--schema is not for {what}",
            "only the OpenEoX record has a schema",
            f"phasegate sunset export {key} openeox --schema {schema}",
        )
    return form


def _written(found: PublicSunset, what: What, form: Form | None, schema: str | None) -> bytes:
    import json

    match what:
        case "openeox":
            from phasegate.openeox import record_of, require_valid

            record = record_of(found)
            if schema is not None:
                require_valid(record, found.product, _schema(found.product, schema))
            return (json.dumps(record, indent=2) + "\n").encode()
        case "headers":
            from phasegate.deprecation import as_caddy, as_http, as_nginx, headers_of

            writers = {"nginx": as_nginx, "caddy": as_caddy}
            return writers.get(form or "", as_http)(headers_of(found)).encode()
        case "notice":
            from phasegate.sunset_notice import notice_of

            return notice_of(found, markdown=form == "markdown").encode()
        case "calendar":
            from client.sunset_calendar import calendar_of

            return calendar_of(found)


def _schema(key: str, file: str) -> dict[str, object]:
    import json

    from client.usage import UsageError
    from integrations.files import read_bounded

    try:
        found = json.loads(read_bounded(file))
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or str(error)
        hint = f"phasegate sunset export {key} openeox --schema core.json"
        raise UsageError(f"--schema {file} cannot be read", why, hint) from error
    if not isinstance(found, dict):
        raise UsageError(
            f"--schema {file} is no schema",
            "a JSON Schema is an object",
            f"phasegate sunset export {key} openeox --schema core.json",
        )
    return found


def _write(key: str, what: str, file: str, data: bytes) -> None:
    from pathlib import Path

    from client.usage import UsageError

    try:
        Path(file).write_bytes(data)
    except OSError as error:
        raise UsageError(
            f"--out {file} cannot be written",
            error.strerror or str(error),
            f"phasegate sunset export {key} {what} --out {what}.txt",
        ) from error


def _print(data: bytes) -> None:
    """As it is: a calendar's lines end in CRLF on every system."""
    import sys

    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
