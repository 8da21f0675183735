"""Python 3.8, from the first commit of 2018 to the closed branch of 2024.

Dates of releases and of the end of life, people and roles are facts. Every vote, its day and its
words, and what was done after the end of life, are made up.
"""

from __future__ import annotations

from demo.inputs import Staging
from demo.play import Ending, Play
from demo.stage import Stage
from demo.timeline import Scene
from phasegate.requests import Promise
from phasegate.votes import Vote

GO, CONDITIONAL_GO, RECYCLE = Vote.go, Vote.conditional_go, Vote.recycle

STAGING = Staging(
    product="python-3.8.product.yaml",
    directory="cpython.directory.yaml",
    scenes=(
        Scene("2018-01-27", 4),
        Scene("2019-02-03", 2),
        Scene("2019-02-25", 2),
        Scene("2019-03-25", 2),
        Scene("2019-05-06", 10),
        Scene("2019-05-28", 10),
        Scene("2019-07-04", 2),
        Scene("2019-07-29", 2),
        Scene("2019-08-30", 9),
        Scene("2019-10-01", 2),
        Scene("2019-10-08", 9),
        Scene("2021-04-03", 3),
        Scene("2021-05-03", 10),
        Scene("2024-07-08", 3),
        Scene("2024-09-06", 6),
        Scene("2024-09-23", 1),
        Scene("2024-09-30", 1),
        Scene("2024-10-06", 4),
        Scene("2024-10-14", 2),
        Scene("2024-10-21", 2),
        Scene("2024-11-06", 2),
    ),
    gates={
        "feature-freeze": "2019-05-06",
        "release-candidate": "2019-08-30",
        "final-release": "2019-10-08",
        "last-bugfix-release": "2021-05-03",
        "end-of-life": "2024-09-06",
    },
    slow=3.0,
    notice="2024-09-09",
)


async def python(stage: Stage) -> None:
    """Python 3.8, from the first commit of 2018 to the closed branch of 2024."""
    await stage.on("2018-01-27")
    await stage.start()
    await stage.on("2018-01-29")
    await stage.report("development-begins")
    for day, alpha in (("02-03", "alpha-1"), ("02-25", "alpha-2"), ("03-25", "alpha-3")):
        await stage.on(f"2019-{day}")
        await stage.report(alpha)
    await stage.on("2019-05-06")
    await stage.report("last-alpha", "peps-resolved")
    await feature_freeze(stage)
    for day, beta in (("06-04", "beta-1"), ("07-04", "beta-2"), ("07-29", "beta-3")):
        await stage.on(f"2019-{day}")
        await stage.report(beta)
    await stage.on("2019-08-30")
    await stage.report("last-beta", "whats-new")
    await release_candidate(stage)
    await stage.on("2019-10-01")
    await stage.report("candidate-1")
    await final_release(stage)
    await stage.report("final")
    await stage.on("2021-05-03")
    await stage.report("last-bugfix")
    await last_bugfix_release(stage)
    await stage.on("2024-09-06")
    await stage.report("last-security")
    await end_of_life(stage)


async def feature_freeze(stage: Stage) -> None:
    """Recycled once; then a late vote, and a condition."""
    gate = "feature-freeze"
    await stage.opened(gate)
    await stage.on("2019-05-07")
    for who in ("barry.warsaw", "carol.willing", "alyssa.coghlan", "guido.van.rossum"):
        await stage.vote(gate, who, GO)
    await stage.on("2019-05-08")
    await stage.vote(gate, "brett.cannon", RECYCLE, "PEP 590 is accepted and not merged yet")
    await stage.decided(gate, "recycle")
    await stage.sent_back()
    await stage.on("2019-05-28")
    await stage.submit(gate, "PEP 590 is merged")
    await stage.opened(gate, 2)
    await stage.on("2019-05-29")
    for who in ("barry.warsaw", "brett.cannon", "carol.willing"):
        await stage.vote(gate, who, GO)
    promise = Promise(
        text="What's New explains audit hooks (PEP 578)",
        owner="julien.palard",
        due=stage.played("2019-08-30"),
    )
    await stage.vote(gate, "alyssa.coghlan", CONDITIONAL_GO, "fine once documented", promise)
    await stage.reminded(gate, "guido.van.rossum", 2)
    await stage.on("2019-06-02")
    await stage.vote(gate, "guido.van.rossum", GO, "sorry for the delay")
    await stage.decided(gate, "conditional-go", 2)
    await stage.entered("beta")


async def release_candidate(stage: Stage) -> None:
    """Everybody says go, and the gate still waits for the earlier condition."""
    gate, condition = "release-candidate", "feature-freeze-2-1"
    await stage.opened(gate)
    await stage.on("2019-09-02")
    for who in ("julien.palard", "ned.deily", "steve.dower"):
        await stage.vote(gate, who, GO)
    await stage.undecided(gate, condition)
    await stage.on("2019-09-04")
    await stage.close_condition(condition, by="julien.palard", note="docs.python.org/3.8/whatsnew")
    await stage.decided(gate, "go")
    await stage.entered("release-candidates")


async def final_release(stage: Stage) -> None:
    """Two who may not vote are refused; the Windows installers come last."""
    gate = "final-release"
    await stage.on("2019-10-08")
    await stage.report("windows-built", by="steve.dower")
    await stage.report("mac-built", by="ned.deily")
    await stage.report("docs-built", by="julien.palard")
    await stage.opened(gate)
    await stage.on("2019-10-09")
    await stage.vote_refused(gate, "lukasz.langa", "self-approval")
    await stage.vote_refused(gate, "passer-by", "stranger")
    for who in ("julien.palard", "ned.deily", "pablo.galindo"):
        await stage.vote(gate, who, GO)
    await stage.reminded(gate, "steve.dower")
    await stage.on("2019-10-14")
    await stage.vote(gate, "steve.dower", GO, "installers are signed")
    await stage.decided(gate, "go")
    await stage.entered("bugfix")


async def last_bugfix_release(stage: Stage) -> None:
    gate = "last-bugfix-release"
    await stage.opened(gate)
    for day, who in (("05-04", "steve.dower"), ("05-05", "ned.deily"), ("05-07", "pablo.galindo")):
        await stage.on(f"2021-{day}")
        await stage.vote(gate, who, GO)
    await stage.decided(gate, "go")
    await stage.entered("security")


async def end_of_life(stage: Stage) -> None:
    """The vote on the last security release, four weeks' notice, end of life, and the rest."""
    gate = "end-of-life"
    await stage.opened(gate)
    await stage.on("2024-09-07")
    await stage.vote(gate, "ned.deily", GO)
    await stage.on("2024-09-09T00:00")  # the notice follows at once, four weeks before the day
    await stage.vote(gate, "barry.warsaw", GO)
    await stage.decided(gate, "go")
    await stage.on("2024-10-08T12:00")
    await stage.confirm("devguide-status", by="brett.cannon", note="shown as end-of-life")
    await stage.on("2024-10-21T12:00")
    await stage.confirm("branch-closed", by="ned.deily", note="tag 3.8 is its last head")
    await stage.on("2024-11-06T12:00")
    await stage.confirm("buildbots-removed", by="victor.stinner", note="workers reconfigured")
    await stage.ended("retired")


PLAY = Play(
    STAGING,
    python,
    Ending(
        status="retired",
        rounds=(
            ("feature-freeze", 1, "recycle"),
            ("feature-freeze", 2, "conditional-go"),
            ("release-candidate", 1, "go"),
            ("final-release", 1, "go"),
            ("last-bugfix-release", 1, "go"),
            ("end-of-life", 1, "go"),
        ),
        reminded=(
            ("feature-freeze", 2, "guido.van.rossum"),
            ("final-release", 1, "steve.dower"),
        ),
        conditions=1,
        sunset_reminders=3,
    ),
)
