"""KEP-753, sidecar containers: alpha in v1.28, beta in v1.29, stable in v1.33.

Days of releases, people and roles are facts. Every other day, and every vote, is made up.
"""

from __future__ import annotations

from demo.inputs import Staging
from demo.play import Ending, Play
from demo.stage import Stage
from demo.timeline import Scene
from phasegate.votes import Vote

GO, RECYCLE = Vote.go, Vote.recycle

STAGING = Staging(
    product="kep-753.product.yaml",
    directory="kubernetes.directory.yaml",
    scenes=(
        Scene("2018-05-14", 3),
        Scene("2023-05-29", 22),
        Scene("2023-07-19", 2),
        Scene("2023-08-15", 2),
        Scene("2023-09-25", 20),
        Scene("2023-11-01", 2),
        Scene("2023-12-13", 2),
        Scene("2025-02-03", 20),
        Scene("2025-03-21", 2),
        Scene("2025-04-23", 2),
    ),
    gates={"alpha": "2023-06-01", "beta": "2023-09-26", "stable": "2025-02-04"},
    slow=2.75,
)


async def kep(stage: Stage) -> None:
    """Sidecar containers: alpha in v1.28, beta in v1.29, stable in v1.33."""
    await stage.on("2018-05-14")
    await stage.start()
    await stage.on("2018-05-15")
    await stage.report("kep-merged")
    await stage.on("2023-05-29")
    await stage.report("design-agreed", "alpha-test-plan", "alpha-prr-answered")
    await alpha(stage)
    await stage.on("2023-07-19")
    await stage.report("alpha-code-freeze", "alpha-docs")
    await stage.on("2023-08-15")
    await stage.report("alpha-released")
    await beta(stage)
    await stage.on("2023-11-01")
    await stage.report("beta-code-freeze", "beta-docs")
    await stage.on("2023-12-13")
    await stage.report("beta-released")
    await stable(stage)
    await stage.on("2025-03-21")
    await stage.report("stable-code-freeze", "stable-docs")
    await stage.on("2025-04-23")
    await stage.report("stable-released", "kep-implemented")
    await stage.ended("completed")


async def alpha(stage: Stage) -> None:
    """Authors have no vote; production readiness sends it back once."""
    gate = "alpha"
    await stage.on("2023-06-01")
    await stage.submit(gate, "for v1.28")
    await stage.opened(gate)
    await stage.on("2023-06-02")
    await stage.vote_refused(gate, "gjkim42", "stranger")
    await stage.vote_refused(gate, "SergeyKanzhelev", "self-approval")
    await stage.vote(gate, "mrunalp", GO)
    await stage.on("2023-06-05")
    await stage.vote(gate, "thockin", GO)
    await stage.vote(gate, "wojtek-t", RECYCLE, "what does a rollback do to running pods?")
    await stage.decided(gate, "recycle")
    await stage.sent_back()
    await stage.on("2023-06-12")
    await stage.submit(gate, "the questionnaire answers rollback")
    await stage.opened(gate, 2)
    await stage.on("2023-06-13")
    await stage.vote(gate, "mrunalp", GO)
    await stage.report("alpha-enhancements-freeze")
    await stage.on("2023-06-15")
    await stage.vote(gate, "wojtek-t", GO)
    await stage.decided(gate, "go", 2)
    await stage.entered("alpha")


async def beta(stage: Stage) -> None:
    """The production readiness approver is late, and is reminded."""
    gate = "beta"
    await stage.on("2023-09-25")
    await stage.report("alpha-feedback", "beta-prr-answered")
    await stage.on("2023-09-26")
    await stage.submit(gate, "for v1.29")
    await stage.opened(gate)
    await stage.on("2023-09-27")
    await stage.vote(gate, "mrunalp", GO)
    await stage.report("beta-enhancements-freeze")
    await stage.reminded(gate, "wojtek-t")
    await stage.on("2023-10-01")
    await stage.vote(gate, "wojtek-t", GO, "rollout and monitoring are covered")
    await stage.decided(gate, "go")
    await stage.entered("beta")


async def stable(stage: Stage) -> None:
    """Garbage from a terminal changes nothing; a vote from the same terminal counts."""
    gate = "stable"
    await stage.on("2025-02-03")
    await stage.report("real-world-usage", "stable-prr-answered")
    await stage.on("2025-02-04")
    await stage.submit(gate, "for v1.33")
    await stage.opened(gate)
    await stage.on("2025-02-05")
    await stage.vote(gate, "thockin", GO)
    await stage.report("stable-enhancements-freeze")
    await stage.on("2025-02-06")
    await stage.garbage_by_signal(gate)
    await stage.on("2025-02-08")
    await stage.vote_by_signal(gate, "jpbetz", GO, "voted with the temporal command")
    await stage.decided(gate, "go")
    await stage.entered("stable")


PLAY = Play(
    STAGING,
    kep,
    Ending(
        status="completed",
        rounds=(
            ("alpha", 1, "recycle"),
            ("alpha", 2, "go"),
            ("beta", 1, "go"),
            ("stable", 1, "go"),
        ),
        reminded=(("beta", 1, "wojtek-t"),),
    ),
)
