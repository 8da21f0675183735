"""What `phasegate simulate` takes, and what it refuses before anything is played."""

from __future__ import annotations

from calendar import isleap
from datetime import UTC, datetime, time, timedelta, tzinfo
from pathlib import Path

import pytest

import cli
import commands.simulate
import commands.simulate_plan
from client.rehearsing import Rehearsing
from client.usage import UsageError
from commands.simulate_plan import plan
from phasegate.rehearsal_view import Rehearsal
from tests.support.full_disk import needs_full_disk
from tests.support.rehearsals import rehearsal

NOW = datetime.now(UTC)
"""Read once: over midnight, what is planned and what is expected would have two tomorrows."""


class StandsStill(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> StandsStill:
        return cls.fromtimestamp(NOW.timestamp(), tz)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands.simulate_plan, "datetime", StandsStill)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))


def planned(start: str | None, until: str | None) -> Rehearsing:
    return plan("standard", None, None, None, None, 1, start, until, True)


def years_on(years: int) -> datetime:
    """So many years after the start that is not asked for, tomorrow at nine."""
    tomorrow = NOW.date() + timedelta(days=1)
    if (tomorrow.month, tomorrow.day) == (2, 29) and not isleap(tomorrow.year + years):
        tomorrow -= timedelta(days=1)
    return datetime.combine(tomorrow.replace(year=tomorrow.year + years), time(9), UTC)


def test_five_hundred_years_and_no_more() -> None:
    for said in ("500 years", "500y", " 500 y "):
        assert planned(None, said).until == years_on(500)
    for said in ("501 years", "600y", "5000y", "P9999Y", "9999-12-31"):
        with pytest.raises(UsageError) as refused:
            planned(None, said)
        assert refused.value.what == f"--until {said} cannot be used", "as it was typed"
        assert refused.value.why == "it is more than 500 years from now"
        assert planned(None, refused.value.hint.removeprefix("--until "))


def test_a_start_is_refused_for_itself_and_cuts_short_what_nobody_asked_for() -> None:
    with pytest.raises(UsageError) as refused:
        planned("9999-12-31", None)
    assert refused.value.what == "--start 9999-12-31 cannot be used"
    assert refused.value.why == "it is more than 500 years from now"
    late = planned((years_on(499)).date().isoformat(), None)
    assert late.until - late.start > timedelta(days=360)
    assert late.until - late.start < timedelta(days=370), "ten years, but 500 from now at most"
    with pytest.raises(UsageError) as refused:
        planned("2020-01-01", None)
    assert "time goes forward only" in refused.value.why


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("10 yeers", "needs a day as 2027-03-01"),
        ("-5000 years", "is too long: a span has 1000 years at most"),
        ("-10 years", "is not ahead of now"),
        ("2020-01-01", "it is before the start"),
    ],
)
def test_an_end_that_is_none_is_refused_as_it_was_typed(said: str, why: str) -> None:
    with pytest.raises(UsageError) as refused:
        planned(None, said)
    assert refused.value.what == f"--until {said} cannot be used"
    assert why in refused.value.why


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--runs", "1.5"), "--runs: needs a whole number, not '1.5'"),
        (("--runs", "0"), "needs 1 to 10000"),
        (("--seed", "x"), "--seed: needs a whole number, not 'x'"),
        (("--html", "no/such/x.html"), "there is no folder no/such"),
        (("--html", "."), "it is a folder"),
        (("--html", ""), "it is a folder"),
        (("--html", "standard/x.html"), "there is no folder standard"),
        (("--html", "x" * 300), "name too long"),
        (("--html", "locked"), "no permission to write there"),
    ],
)
def test_it_is_refused_before_anything_is_played(
    words: tuple[str, str],
    why: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.access", lambda path, _: str(path) != "locked")  # root may all
    Path("locked").touch()
    Path("standard").touch()
    assert cli.invoke(["simulate", "standard", *words]) == 2
    assert why.casefold() in capsys.readouterr().err.casefold()


@needs_full_disk
def test_a_page_that_could_not_be_written_takes_nothing_else_with_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def played(_: Rehearsing) -> Rehearsal:
        return rehearsal(runs=1)

    monkeypatch.setattr(commands.simulate, "_rehearsed", played)
    assert cli.invoke(["simulate", "standard", "--html", "/dev/full"]) == 1
    shown = capsys.readouterr()
    assert "rehearsed" in shown.out
    assert "--html /dev/full could not be written" in shown.err
    assert "No space left" in shown.err
    assert "please report" not in shown.err
    assert cli.invoke(["simulate", "standard", "--html", "page.html"]) == 0
    assert "wrote page.html" in capsys.readouterr().err
    assert Path("page.html").read_text().startswith("<!doctype html>")
