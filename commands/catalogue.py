"""Every command: where its body is, what it does in a line, and an example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Command(NamedTuple):
    """Where a command's body is, what it does in one line, and how it is used."""

    body: str
    help: str
    example: str


class Noun(NamedTuple):
    help: str
    verbs: Mapping[str, Command]


COMMANDS: Mapping[str, Command | Noun] = {
    "demo": Command(
        "commands.demo:demo",
        "Play two real products on a local server, from inception to end of life",
        "phasegate demo --keep",
    ),
    "dev": Command(
        "commands.dev:dev",
        "Run an embedded Temporal server with its UI, and a worker",
        "phasegate dev --data-dir ./data",
    ),
    "doctor": Command(
        "commands.doctor:doctor",
        "Say what is wrong with this set-up, and how to mend it",
        "phasegate doctor --fix",
    ),
    "inbox": Command(
        "commands.inbox:inbox", "Gates that wait for your vote", "phasegate inbox --as ines.duarte"
    ),
    "product": Noun(
        "Products: start, watch, hold, end",
        {
            "start": Command(
                "commands.product_start:start",
                "Start a product's lifecycle",
                "phasegate product start harbor.yaml --policy standard --directory people.yaml",
            ),
            "list": Command(
                "commands.product:list_",
                "Products and where they stand",
                "phasegate product list --status active -o json",
            ),
            "show": Command(
                "commands.product:show",
                "One product: phase, milestones, gates, what it waits for",
                "phasegate product show harbor-sync",
            ),
            "watch": Command(
                "commands.product:watch",
                "Follow a product's events until it ends",
                "phasegate product watch harbor-sync -o jsonl",
            ),
            "hold": Command(
                "commands.product_owner:hold",
                "Put a product on hold: no gate opens, no clock runs",
                "phasegate product hold harbor-sync --as jonas.lind --reason 'budget review'",
            ),
            "resume": Command(
                "commands.product_owner:resume",
                "Go on after a hold; dates move by as long as it lasted",
                "phasegate product resume harbor-sync --as jonas.lind",
            ),
            "cancel": Command(
                "commands.product_owner:cancel",
                "End a lifecycle, and what it has open",
                "phasegate product cancel harbor-sync --as jonas.lind --reason 'merged' --yes",
            ),
            "evidence": Command(
                "commands.product_owner:evidence",
                "Attach evidence for the next round of a gate",
                "phasegate product evidence harbor-sync --title 'Beta report' --file beta.pdf"
                " --as jonas.lind",
            ),
        },
    ),
    "gate": Noun(
        "Gates: look, vote, submit",
        {
            "list": Command(
                "commands.gate:list_",
                "Open gates; with KEY every round of that product",
                "phasegate gate list harbor-sync",
            ),
            "show": Command(
                "commands.gate:show",
                "One round: who voted what, who is missing, and why it stands so",
                "phasegate gate show harbor-sync/go-to-launch --round 1",
            ),
            "vote": Command(
                "commands.gate_vote:vote",
                "Vote on an open gate",
                "phasegate gate vote harbor-sync/go-to-launch conditional-go --as sofia.rossi \\\n"
                '    --condition \'{"text": "Rotate the keys", "due": "2027-03-01"}\'',
            ),
            "submit": Command(
                "commands.gate:submit",
                "Open a phase's gate, or bring a stopped one back",
                "phasegate gate submit harbor-sync --as jonas.lind --reason 'findings fixed'",
            ),
        },
    ),
    "milestone": Noun(
        "Milestones: report, replan, waive",
        {
            "list": Command(
                "commands.milestone:list_",
                "A product's milestones and where each stands",
                "phasegate milestone list harbor-sync",
            ),
            "report": Command(
                "commands.milestone:report",
                "Report a milestone met",
                "phasegate milestone report harbor-sync beta-goals --as jonas.lind",
            ),
            "replan": Command(
                "commands.milestone:replan",
                "Give a milestone another date",
                "phasegate milestone replan harbor-sync beta-goals 2028-02-11 --as jonas.lind",
            ),
            "waive": Command(
                "commands.milestone:waive",
                "Say that a milestone is not needed",
                "phasegate milestone waive harbor-sync ais-feed --note 'not sold' --as jonas.lind",
            ),
        },
    ),
    "condition": Noun(
        "Conditions of a Conditional Go",
        {
            "list": Command(
                "commands.condition:list_",
                "A product's conditions",
                "phasegate condition list harbor-sync",
            ),
            "close": Command(
                "commands.condition:close",
                "Say that a condition is kept, and what shows it",
                "phasegate condition close harbor-sync go-to-launch-1-1 --note 'rotated on 3 May'"
                " --as jonas.lind",
            ),
        },
    ),
    "sunset": Noun(
        "The way out of the market",
        {
            "show": Command(
                "commands.sunset:show",
                "The timetable, and where each task stands",
                "phasegate sunset show harbor-sync",
            ),
            "confirm": Command(
                "commands.sunset:confirm",
                "Confirm a manual task, and say what shows that it is done",
                "phasegate sunset confirm harbor-sync branch-closed --note 'tag v3.8.20'"
                " --as jonas.lind",
            ),
        },
    ),
    "directory": Noun(
        "People and groups",
        {
            "publish": Command(
                "commands.directory:publish",
                "Make a directory the current one of its name",
                "phasegate directory publish people.yaml",
            ),
            "show": Command(
                "commands.directory:show",
                "Groups and their members",
                "phasegate directory show default",
            ),
            "lint": Command(
                "commands.directory:lint",
                "Find what is wrong with a directory file",
                "phasegate directory lint people.yaml",
            ),
            "diff": Command(
                "commands.directory:diff",
                "Who came, who left, which groups changed",
                "phasegate directory diff default people.yaml",
            ),
        },
    ),
    "policy": Noun(
        "Lifecycle policies",
        {
            "list": Command(
                "commands.policy:list_", "Shipped and published policies", "phasegate policy list"
            ),
            "show": Command(
                "commands.policy:show",
                "Phases, gates, requirements and clocks of a policy",
                "phasegate policy show standard",
            ),
            "lint": Command(
                "commands.policy:lint",
                "Find what is wrong with a policy file",
                "phasegate policy lint launch.yaml --directory people.yaml",
            ),
            "schema": Command(
                "commands.policy:schema",
                "JSON Schema of policy, product and directory files",
                "phasegate policy schema product > product.schema.json",
            ),
        },
    ),
    "events": Noun(
        "The record of what happened",
        {
            "list": Command(
                "commands.events:list_",
                "A product's events, from the ledger",
                "phasegate events list harbor-sync --type gate.decided -o jsonl",
            ),
        },
    ),
    "worker": Noun(
        "Workers",
        {
            "run": Command(
                "commands.worker:run",
                "Run workflows and activities until SIGTERM",
                "phasegate worker run --task-queue phasegate",
            ),
        },
    ),
}
