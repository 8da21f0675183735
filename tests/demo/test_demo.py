"""The demo: its timeline and input files, and the whole of it as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.cast import PLAYS
from demo.house import surroundings
from demo.inputs import EXAMPLES, prepare
from demo.play import Play
from demo.timeline import Scene, Timeline, at
from phasegate.reading import read_policy, read_product
from phasegate.span import Span

ROOT = Path(__file__).parents[2]
CURTAIN = datetime(2026, 11, 23, 9, tzinfo=UTC)

plays = pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.staging.product)
real_dates = st.integers(0, 9 * 365 * 24 * 60).map(
    lambda minutes: datetime(2017, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


# -- the timeline -------------------------------------------------------------------------------


@plays
@given(one=real_dates, other=real_dates)
def test_order_of_real_dates_is_kept(play: Play, one: datetime, other: datetime) -> None:
    timeline = play.staging.timeline(CURTAIN)
    earlier, later = sorted((one, other))
    assert timeline.played(earlier) <= timeline.played(later)
    if later - earlier > timedelta(minutes=1):
        assert timeline.played(earlier) < timeline.played(later)


@plays
@given(date=real_dates)
def test_played_instants_map_back(play: Play, date: datetime) -> None:
    timeline = play.staging.timeline(CURTAIN)
    assert abs(timeline.real(timeline.played(date)) - date) < timedelta(minutes=1)


@plays
@given(date=real_dates, days=st.integers(1, 400))
def test_spans_are_as_long_as_they_are_played(play: Play, date: datetime, days: int) -> None:
    timeline, span = play.staging.timeline(CURTAIN), Span.parse(f"{days} days")
    after, before = timeline.after(date, span), timeline.before(date, span)
    assert timeline.played(date) + after.exact == timeline.played(date + timedelta(days=days))
    assert timeline.played(date) - before.exact == timeline.played(date - timedelta(days=days))
    assert min(after.exact, before.exact) > timedelta(0)


@plays
def test_a_life_takes_less_than_a_minute(play: Play) -> None:
    assert 30 < play.staging.timeline(CURTAIN).seconds < 55


def test_scenes_may_not_overlap() -> None:
    with pytest.raises(ValueError, match="the scene of 2019-05-08 begins before"):
        Timeline([Scene("2019-05-06", 3), Scene("2019-05-08", 1)], CURTAIN, slow=3, quick=150)


# -- the input files ----------------------------------------------------------------------------


@plays
def test_files_are_written_and_lint_clean(play: Play, tmp_path: Path) -> None:
    inputs = prepare(play.staging, CURTAIN, tmp_path)  # raises if lint finds an error
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        play.staging.product,
        play.staging.directory,
        f"{inputs.product.policy}.yaml",
    }
    text = (tmp_path / play.staging.product).read_text(encoding="utf-8")
    assert read_product(text, "again") == inputs.product


@plays
def test_only_dates_and_spans_differ_from_the_example(play: Play, tmp_path: Path) -> None:
    inputs = prepare(play.staging, CURTAIN, tmp_path)
    example = read_product((EXAMPLES / play.staging.product).read_text(encoding="utf-8"), "example")
    for written, real in zip(inputs.product.milestones, example.milestones, strict=True):
        assert written.model_copy(update={"due": real.due}) == real
        if real.due:
            assert written.due == inputs.timeline.played(real.due)
    assert inputs.product.model_copy(update={"milestones": ()}) == example.model_copy(
        update={"milestones": ()}
    )
    shipped = (ROOT / "policies" / f"{example.policy}.yaml").read_text(encoding="utf-8")
    gates = read_policy(shipped, "shipped").gates()
    for ours, theirs in zip(inputs.policy.gates(), gates, strict=True):
        assert ours.model_copy(update={"clocks": theirs.clocks}) == theirs


@plays
def test_gate_clocks_are_real_clocks_of_a_few_seconds(play: Play, tmp_path: Path) -> None:
    for gate in prepare(play.staging, CURTAIN, tmp_path).policy.gates():
        assert timedelta(seconds=0.5) < gate.clocks.respond.exact < timedelta(seconds=5)
        assert all(
            timedelta(0) < span.exact < gate.clocks.respond.exact for span in gate.clocks.remind
        )


def test_the_sunset_counts_down_to_the_real_last_day(tmp_path: Path) -> None:
    staging = PLAYS[0].staging
    inputs = prepare(staging, CURTAIN, tmp_path)
    assert inputs.policy.sunset is not None
    for task in inputs.policy.sunset.tasks:
        reached = inputs.timeline.played(at(staging.notice)) + task.at.exact
        assert abs(inputs.timeline.real(reached) - inputs.sunset[task.id]) < timedelta(minutes=1)
    assert f"{inputs.sunset['end-of-life']:%Y-%m-%d}" == "2024-10-07"


def test_only_days_of_the_sunset_differ_from_the_policy(tmp_path: Path) -> None:
    shipped = read_policy((ROOT / "policies" / "python-release.yaml").read_text("utf-8"), "shipped")
    ours = prepare(PLAYS[0].staging, CURTAIN, tmp_path).policy.sunset
    assert ours is not None
    assert shipped.sunset is not None
    for compressed, real in zip(ours.tasks, shipped.sunset.tasks, strict=True):
        days = {"at": real.at, "remind": getattr(real, "remind", None)}
        update = {name: value for name, value in days.items() if hasattr(real, name)}
        assert compressed.model_copy(update=update) == real


def test_the_demo_finds_no_other_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "production.example:7233")
    monkeypatch.setenv("TEMPORAL_API_KEY", "secret")
    monkeypatch.setenv("PHASEGATE_LEDGER", "postgresql://production.example/ledger")
    with surroundings({"TEMPORAL_ADDRESS": "127.0.0.1:1"}, tmp_path / "temporal.toml"):
        assert os.environ["TEMPORAL_ADDRESS"] == "127.0.0.1:1"
        assert "TEMPORAL_API_KEY" not in os.environ
        assert "PHASEGATE_LEDGER" not in os.environ
    assert os.environ["TEMPORAL_ADDRESS"] == "production.example:7233"
    assert os.environ["TEMPORAL_API_KEY"] == "secret"


# -- the whole of it ----------------------------------------------------------------------------


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "demo", *arguments],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def left_running(tmp_path: Path) -> list[str]:
    """Processes that were given something below this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(tmp_path).encode() in told and process.name != str(os.getpid()):
            found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def assert_told(play: Play, story: str, date: str, text: str) -> None:
    """The line is there with its real date; a busy machine may be some seconds late, which are days
    in a scene and months after it."""
    line = next(line for line in story.splitlines() if line.endswith(f"  {text}"))
    timeline = play.staging.timeline(CURTAIN)
    late = timeline.played(at(line[:10])) - timeline.played(at(date))
    assert timedelta(0) <= late < timedelta(seconds=10), line


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_both_products_live_to_their_end(tmp_path: Path) -> None:
    process = start(tmp_path)
    try:
        out, err = process.communicate(timeout=180)
    finally:
        process.kill()
    assert process.returncode == 0, out + err
    assert "Everything ended as it should" in out
    assert "http://localhost:" in out
    story, _, table = out.partition("Every gate, read back from the ledger")
    for play in PLAYS:
        for gate, number, outcome in play.ending.rounds:
            assert any(
                cells[1:3] == [gate, str(number)] and cells[4] == outcome
                for line in table.splitlines()
                if len(cells := [cell.strip() for cell in line.strip("│").split("│")]) == 6
            ), f"{gate} {number} {outcome} is not in the table"
        assert f"{len(play.ending.rounds)} of {len(play.ending.rounds)} outcomes derived" in table
    assert "jpbetz  go, by signal" in table
    assert table.count("by signal") == 1
    python, kep = PLAYS
    assert_told(python, story, "2019-06-04", "Python 3.8  Beta 1 released is met")
    assert_told(python, story, "2024-10-07", "Python 3.8  End of life: reached")
    assert_told(kep, story, "2025-04-23", "KEP-753     Released as stable in v1.33 is met")
    assert f"{datetime.now(UTC):%Y-%m}" not in out  # no compressed date reaches the reader
    assert "\x1b" not in out
    assert err == ""
    assert list(tmp_path.iterdir()) == []
    assert left_running(tmp_path) == []


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    process = start(tmp_path)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "starts under" in line:
                break
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Interrupted" in out
    assert list(tmp_path.iterdir()) == []
    assert left_running(tmp_path) == []
