"""What touches the world: polled milestones, retirement tasks, a ledger that cannot be written."""

from pathlib import Path

from stage import Stage
from tracker import Tracker

from client.engine import Engine
from client.settings import Settings
from ledger import Ledger
from phasegate.ids import product_id
from worker import build_worker


async def test_a_polled_milestone_opens_the_gate_without_growing_history(
    stage: Stage, tracker: Tracker
) -> None:
    tracker.body = {"state": "open"}
    await stage.start(
        f"""
        policy: polled
        version: "1"
        title: Polled
        phases:
          - id: build
            title: Build
            milestones:
              - id: tracker
                title: Tracker is closed
                check:
                  kind: http
                  url: "{tracker.url}/m/1"
                  expression: body.state == 'closed'
                  every: PT0.2S
            gate: {{id: launch, title: Launch, requires: [{{group: product}}]}}
        """
    )
    await stage.becomes(phase="build")
    await tracker.asked(8)
    quiet = await stage.at_rest()
    seen = len(tracker.calls)
    await tracker.asked(seen + 5)
    assert len((await stage.history()).events) == quiet
    tracker.status = 500

    async def cannot_tell() -> str | None:
        (milestone,) = (await stage.product()).milestones
        return milestone.why if "cannot tell since" in milestone.why else None

    await stage.until(cannot_tell, "a dead system shows as cannot tell")
    assert (await stage.product()).milestones[0].state == "planned"
    tracker.status, tracker.body = 200, {"state": "closed"}
    await stage.gate_opens("launch")
    assert (await stage.product()).milestones[0].state == "met"


async def test_a_sunset_does_what_it_says(stage: Stage, tracker: Tracker) -> None:
    root = stage.engine.settings.data_dir / "archive-source" / stage.key
    (root / "docs").mkdir(parents=True)
    (root / "docs" / "README").write_text("the last words")
    tracker.status = 503
    await stage.start(
        f"""
        policy: leaving
        version: "1"
        title: Leaving
        phases:
          - id: market
            title: Market
            in_market: true
            gate: {{id: retire, title: Retire, requires: [{{group: product}}]}}
        sunset:
          tasks:
            - {{id: note, title: Notice, kind: notice, text: we are leaving}}
            - id: signups
              title: Disable sign-ups
              kind: http
              url: "{tracker.url}/signups/{{product}}"
              method: DELETE
            - {{id: archive, title: Archive, kind: archive, source: "{{product}}"}}
            - {{id: eol, title: End of life, kind: date, at: PT1S, remind: [PT0.5S]}}
            - id: decommission
              title: Point of no return
              kind: gate
              gate:
                id: decommission
                title: Decommission
                requires: [{{group: eng}}, {{group: legal}}]
        """
    )
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "go")
    await tracker.asked(2)
    tracker.status = 200
    await stage.gate_opens("decommission")
    await stage.votes("decommission", "recycle", "lea", "bo", "cy", "dan")

    async def stopped() -> bool | None:
        return True if "sunset.stopped" in stage.story() else None

    await stage.until(stopped, "the sunset waits for its owner")
    await stage.submit()
    await stage.gate_opens("decommission", 2)
    await stage.votes("decommission", "go", "lea", "bo")
    await stage.becomes(status="retired")
    keys = {key for method, _, key in tracker.calls}
    assert {call[:2] for call in tracker.calls} == {("DELETE", f"/signups/{stage.key}")}
    assert len(keys) == 1
    done = {t.id: t for t in (await stage.sunset()).tasks}  # type: ignore[union-attr]
    assert done["archive"].digest
    assert [t.state for t in done.values()] == ["done"] * 5
    await stage.written()
    assert stage.story().count("sunset.reminder") == 1


async def test_a_dead_ledger_delays_announcements_and_never_votes(
    engine: Engine, tmp_path: Path
) -> None:
    """The ledger's file cannot be written for a while; votes are taken, and nothing is lost."""
    blocked = tmp_path / "state" / "ledger.db"
    settings = Settings(tmp_path, f"sqlite:///{blocked}", "dead-ledger", "http://x")
    own = Engine(engine.client, Ledger(settings.ledger_url), settings)
    stage = Stage(own, "dead-ledger")
    async with build_worker(own.client, settings):
        await stage.start()
        await stage.becomes(phase="build")
        await stage.report("done")
        await stage.gate_opens("launch")
        await stage.written()
        aside = tmp_path / "aside"
        own.ledger.close()
        blocked.parent.rename(aside)
        blocked.parent.write_text("a file where the folder was")
        await stage.votes("launch", "go", "ana", "bo")
        assert (await stage.gate("launch")).requirements[0].state == "met"
        blocked.parent.unlink()
        aside.rename(blocked.parent)
        await stage.vote("launch", "cy", "go")
        await stage.becomes(phase="market")
        await stage.submit()
        await stage.gate_opens("retire")

        async def written() -> bool | None:
            return True if stage.story().count("gate.vote") == 3 else None

        await stage.until(written, "the three votes are in the ledger")
        await stage.written()
        assert own.ledger.verify(stage.key) == len(stage.story())
        await own.workflow(product_id(stage.key)).terminate()
    own.ledger.close()


async def test_clocks_remind_and_escalate_and_never_decide_go(stage: Stage) -> None:
    await stage.start(
        """
        policy: hurried
        version: "1"
        title: Hurried
        phases:
          - id: build
            title: Build
            gate:
              id: launch
              title: Launch
              requires: [{group: product}, {group: eng}]
              clocks: {respond: PT8S, resolve: PT11S, remind: [PT3S], on_timeout: escalate}
          - id: check
            title: Check
            gate:
              id: check
              title: Check
              requires: [{group: product}]
              clocks: {respond: PT0.5S, resolve: PT1S, remind: [PT0.2S], on_timeout: kill}
        """
    )
    await stage.gate_opens("launch")
    await stage.vote("launch", "ana", "go")

    async def escalated() -> bool | None:
        return True if "gate.escalated" in stage.story() else None

    await stage.until(escalated, "the gate escalates")
    await stage.written()
    story = stage.story()
    assert story.index("gate.reminder") < story.index("gate.overdue")
    assert story.index("gate.overdue") < story.index("gate.escalated")
    assert "ana" not in stage.texts("gate.reminder")[0]
    await stage.vote("launch", "bo", "go")
    view = await stage.becomes(status="killed")
    assert [(g.gate, g.outcome) for g in view.gates] == [("launch", "go"), ("check", "kill")]


async def test_a_missed_milestone_shows_and_the_owner_may_submit_all_the_same(
    stage: Stage,
) -> None:
    await stage.start(
        product=f"""
        key: {stage.key}
        name: Late
        owner: olga
        milestones: [{{id: done, phase: build, due: 2020-01-31}}]
        """
    )
    await stage.becomes(phase="build")

    async def missed() -> bool | None:
        return True if (await stage.product()).milestones[0].state == "missed" else None

    await stage.until(missed, "the milestone is missed")
    await stage.written()
    assert "milestone.missed" in stage.story()
    await stage.submit()
    await stage.gate_opens("launch")
