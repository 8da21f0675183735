"""The inbox on a real server: whoever a gate waits for finds it, however large the committee."""

from __future__ import annotations

from stage import POLICY, Stage

from client.inbox import inbox
from phasegate.rows import InboxRow

ENGINEERS = [f"engineer-{number:03}@example.org" for number in range(80)]
TEAM = [f"developer-{number:03}@example.org" for number in range(50)]


def directory(name: str, engineers: list[str], **people: str) -> str:
    known = dict.fromkeys([*engineers, *TEAM, "olga", "ana", "zoe", "heir", "eva"], "{}") | people
    listed = ", ".join(f"{person}: {about}" for person, about in known.items())
    return (
        f"directory: {name}\npeople: {{{listed}}}\ngroups:\n"
        f"  product: {{members: [ana]}}\n  eng: {{members: [{', '.join(engineers)}]}}\n"
        "  board: {members: [zoe], permissions: {reassign: [2]}}\n"
    )


async def at_launch(stage: Stage, people: str, team: list[str]) -> None:
    product = f"key: {stage.key}\nname: Kettle\nowner: olga\ntier: 2\nteam: [{', '.join(team)}]\n"
    await stage.start(POLICY, people, product)
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")


async def rows(stage: Stage, who: str) -> list[InboxRow]:
    return [row for row in await inbox(stage.engine, who) if row.product == stage.key]


async def asked(stage: Stage, who: str) -> list[InboxRow]:
    async def waits() -> list[InboxRow] | None:
        return await rows(stage, who) or None

    return await stage.until(waits, f"{stage.key} waits for {who}")


async def test_an_heir_among_eighty_and_the_whole_team_find_what_waits_for_them(
    stage: Stage,
) -> None:
    await at_launch(stage, directory(stage.key, ENGINEERS), TEAM)
    given = {"approver": ENGINEERS[-1], "to": "heir", "reason": "has moved on"}
    await stage.chair("launch", "reassign", "zoe", **given)
    (row,) = await asked(stage, "heir")
    assert (row.group, row.on_behalf_of) == ("eng", None)
    assert len(await asked(stage, ENGINEERS[0])) == 1
    await stage.chair("launch", "needs_work", "ana", what="a plan")
    for person in ("olga", TEAM[0], TEAM[-1]):
        (row,) = await asked(stage, person)
        assert row.group == "owner"
    assert await rows(stage, "eva") == await rows(stage, "ana") == []


async def test_who_submitted_evidence_is_not_asked_for_the_vote_of_whom_they_cover(
    stage: Stage,
) -> None:
    away = "{absences: [{start: 2020-01-01, end: 2099-12-31, delegate: eva}]}"
    people = directory(stage.key, ["bo", "cy"], bo="{}", cy=away)
    await at_launch(stage, people, ["eva"])
    (row,) = await asked(stage, "eva")
    assert row.on_behalf_of == "cy"
    old = row.revision
    await stage.evidence("Load test", "eva", link="https://example.org/load")

    async def changed() -> bool | None:
        return True if (await asked(stage, "cy"))[0].revision != old else None

    await stage.until(changed, "the new evidence is in the inbox")
    assert await rows(stage, "eva") == []
    assert await stage.refused(stage.vote("launch", "eva", "go", on_behalf_of="cy")) == (
        "self-approval"
    )
