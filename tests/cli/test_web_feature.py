"""The example of a web feature: it is lint-clean, and comes through both of its gates."""

from __future__ import annotations

from tests.cli.shell import ROOT, Shell

EXAMPLES = ROOT / "examples"
POLICY = str(EXAMPLES / "web-feature.policy.yaml")
PEOPLE = str(EXAMPLES / "web-feature.directory.yaml")
PRODUCT = str(EXAMPLES / "popover.product.yaml")


def test_nothing_is_wrong_with_the_files(shell: Shell) -> None:
    result = shell("policy", "lint", POLICY, "--directory", PEOPLE)
    assert result.code == 0, result.out + result.err
    result = shell("directory", "lint", PEOPLE)
    assert result.code == 0, result.out + result.err


def test_the_feature_ships(served: Shell) -> None:
    def ask(*words: str) -> None:
        result = served(*words)
        assert result.code == 0, (words, result.out, result.err)

    def met(milestone: str, who: str) -> None:
        report = ("milestone", "report", "popover", milestone, "--as", who)
        served.until(lambda: served(*report).code == 0)

    def shows(figure: str) -> None:
        words = ("--title", figure, "--figure", figure, "--as", "olive.owner")
        ask("product", "evidence", "popover", *words)

    def votes(gate: str, *people: str, more: tuple[str, ...] = ()) -> None:
        for who in people:
            ask("gate", "vote", f"popover/{gate}", "go", "--as", who, *more)

    def opened(gate: str) -> None:
        ask("gate", "submit", "popover", "--as", "olive.owner")
        served.until(lambda: served("gate", "show", f"popover/{gate}").code == 0)

    ask("product", "start", PRODUCT, "--policy", POLICY, "--directory", PEOPLE)
    for milestone in ("explainer", "intent-to-prototype", "spec-draft"):
        met(milestone, "olive.owner")
    shows("trial_milestones=6")
    opened("intent-to-experiment")
    votes("intent-to-experiment", "abe.api")
    met("trial-running", "olive.owner")
    met("wpt-landed", "tess.test")
    shows("wpt_pass_rate=0.97")
    opened("intent-to-ship")
    served.until(lambda: bool(served.inbox("stan.std", "popover")))
    inbox = served("inbox", "--as", "stan.std", "-o", "json")
    assert [row["group"] for row in inbox.json] == ["attests tag-closed"]
    said = ("tag-closed", "met", "--note", "closed as satisfied", "--as", "stan.std")
    ask("gate", "attest", "popover/intent-to-ship", *said)
    scored = ("--score", "developers=8")
    votes("intent-to-ship", "abe.api", "bea.api", "eve.api", more=scored)
    votes("intent-to-ship", "pia.priv", "sam.sec", "ed.ent", "dan.debug", "tom.test")
    shown = served("gate", "show", "popover/intent-to-ship", "--wait", "-o", "json")
    assert (shown.code, shown.json["outcome"]) == (0, "go")
