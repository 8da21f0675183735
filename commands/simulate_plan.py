"""What `phasegate simulate` is asked to rehearse, read and checked."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

from client.documents import (
    check_directory,
    check_policy,
    check_start,
    find_directory,
    find_policy,
    find_product,
    read_text,
    refuse,
)
from client.rehearsing import Rehearsing
from client.settings import Settings
from client.usage import UsageError
from commands.times import instant_of
from ledger import Ledger
from phasegate.problems import DocumentError
from phasegate.reading import parse
from phasegate.rehearsal import Script
from phasegate.rehearsal_policy import askable, made_up, made_up_people
from phasegate.rehearsal_unknown import unknown
from phasegate.span import Span, TooLong

MANY = 20
"""Runs where the script leaves something to luck, unless told otherwise."""

LONGEST = "10 years"
FURTHEST = 500
"""Years from tomorrow; more of them only cost time, and calendars end in the year 9999."""
TOO_FAR = f"it is more than {FURTHEST} years from now"

LEFT_OUT = "3 years"
"""How far people are left out where that was not asked for: two yearly reviews after a launch."""


def plan(
    policy: str,
    product: str | None,
    directory: str | None,
    people: str | None,
    runs: int | None,
    seed: int,
    start: str | None,
    until: str | None,
    absent_each: bool | None,
) -> Rehearsing:
    """Everything read and checked. Raises UsageError and DocumentError."""
    ledger = Ledger(Settings.load().ledger_url)
    try:
        rules = find_policy(policy, ledger)
        refuse(check_policy(rules))
        known = find_directory(directory, ledger) if directory else None
        if known:
            refuse(check_directory(known))
        group = known.model if known else made_up_people(rules.model)
        if known:
            refuse(check_policy(rules, group))
        defined = find_product(product) if product else None
        if defined and known:
            check_start(defined, rules, known)
    finally:
        ledger.close()
    mine = defined.model if defined else made_up(rules.model, group)
    script = parse(Script, read_text(people), people) if people else None
    if script and (flaws := unknown(script.model, rules.model, mine, group)):
        raise DocumentError(tuple(script.problem(path, message) for path, message in flaws))
    played = script.model if script else Script()
    times = runs or (MANY if played.is_random else 1)
    begin = _begin(start)
    to_launch = until == "launch" or (until is None and times > 1)
    in_market = any(phase.in_market for phase in rules.model.phases)
    if until == "launch" and not in_market:
        why = "no phase of the policy is in the market (in_market: true)"
        raise UsageError("--until launch cannot be used", why, f"--until '{LONGEST}'")
    each = absent_each if absent_each is not None else bool(known) and times == 1
    end = _unasked(LONGEST, begin) if until in (None, "launch") else _until(str(until), begin)
    return Rehearsing(
        policy=rules.model,
        product=mine,
        directory=group,
        script=played,
        seed=seed,
        runs=times,
        start=begin,
        until=end,
        to_launch=to_launch and in_market,
        absent=tuple(askable(rules.model, mine, group)) if each else (),
        absent_until=None if absent_each else min(end, _unasked(LEFT_OUT, begin)),
        people=people or "",
        named=policy,
    )


def _begin(start: str | None) -> datetime:
    now = datetime.now(UTC)
    if start is None:
        return datetime.combine(now.date() + timedelta(days=1), time(9), UTC)
    at = instant_of(start, "--start", day="starts").replace(second=0, microsecond=0)
    why = ""
    if at <= now:
        why = "it has begun: the server's time goes forward only, from now"
    elif at >= _furthest():
        why = TOO_FAR
    if why:
        tomorrow = now.date() + timedelta(days=1)
        raise UsageError(f"--start {start} cannot be used", why, f"--start {tomorrow}")
    return at


def _until(text: str, begin: datetime) -> datetime:
    words = {"y": "years", "m": "months", "w": "weeks", "d": "days"}
    span = text.strip()
    if short := re.fullmatch(r"(\d+) ?([ymwd])", span):
        span = f"{short[1]} {words[short[2]]}"
    wrong = f"--until {text} cannot be used"
    try:
        until = _furthest() if _endless(span) else instant_of(span, "--until", now=begin)
    except UsageError as error:  # of what was typed
        raise UsageError(wrong, error.why, error.hint) from None
    if until <= begin:
        raise UsageError(wrong, "it is before the start", f"--until '{LONGEST}'")
    if until >= _furthest():
        raise UsageError(wrong, TOO_FAR, f"--until {_furthest().date() - timedelta(days=1)}")
    return until.replace(second=0, microsecond=0)


def _endless(span: str) -> bool:
    try:
        Span.parse(span)
    except TooLong:
        return not span.startswith("-")
    except ValueError:
        pass  # a day, an instant, or nothing that means anything
    return False


def _unasked(words: str, begin: datetime) -> datetime:
    """So far, where nobody said how far; and not further than anybody may."""
    return min(Span.parse(words).after(begin), _furthest()).replace(second=0, microsecond=0)


def _furthest() -> datetime:
    """The end of the last day: so many years from tomorrow, which is when it starts if unset."""
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    end = datetime.combine(tomorrow + timedelta(days=1), time(), UTC)
    return Span(months=12 * FURTHEST).after(end)
