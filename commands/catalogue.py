"""Every command: where its body is, what it does in a line, and an example."""

from __future__ import annotations

from collections.abc import Mapping

from commands.catalogue_audit import AUDIT
from commands.catalogue_customer import CUSTOMER
from commands.catalogue_gate import GATE
from commands.catalogue_product import PRODUCT
from commands.catalogue_sunset import SUNSET
from commands.entries import Command, Noun

__all__ = ["COMMANDS", "Command", "Noun"]


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
        "commands.inbox:inbox", "Gates that wait for you", "phasegate inbox --as ines.duarte"
    ),
    "product": PRODUCT,
    "gate": GATE,
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
                " \\\n    --link https://tickets.example.org/77 --as jonas.lind",
            ),
            "waive": Command(
                "commands.condition:waive",
                "Let a condition go unkept, and say why",
                "phasegate condition waive harbor-sync go-to-launch-1-1 --note 'not sold there'"
                " \\\n    --as maya.okafor",
            ),
        },
    ),
    "sunset": SUNSET,
    "customer": CUSTOMER,
    "roadmap": Command(
        "commands.roadmap:roadmap",
        "Phases, gates and milestones of products over time, and what is expected",
        "phasegate roadmap --owner jonas.lind --html roadmap.html",
    ),
    "report": Noun(
        "Reports from the ledger",
        {
            "portfolio": Command(
                "commands.report:portfolio",
                "Where every product stands, what is late, what gates have cost",
                "phasegate report portfolio --policy standard --status active -o json",
            ),
            "slo": Command(
                "commands.report:slo",
                "How long phases, gates and answers take, and what is recycled",
                "phasegate report slo --since 2026-10-01 --until 2026-12-31",
            ),
            "retrospective": Command(
                "commands.report:retrospective",
                "The whole life of a product, with what shows it",
                "phasegate report retrospective harbor-sync --html harbor-sync.html",
            ),
        },
    ),
    "directory": Noun(
        "People and groups",
        {
            "publish": Command(
                "commands.directory:publish",
                "Make a directory the current one of its name",
                "phasegate directory publish people.yaml --as maya.okafor",
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
            "diff": Command(
                "commands.policy_diff:diff",
                "What differs between two policies, in what they mean",
                "phasegate policy diff standard@1 standard-2.yaml",
            ),
            "migrate": Command(
                "commands.policy_migrate:migrate",
                "Put running products under another policy",
                "phasegate policy migrate v2.yaml --as maya.okafor --reason 'new terms' --dry-run",
            ),
        },
    ),
    "simulate": Command(
        "commands.simulate:simulate",
        "Rehearse a policy: when its gates decide, and where it gets stuck",
        "phasegate simulate launch.yaml --directory people.yaml --html launch.html",
    ),
    "events": Noun(
        "The record of what happened",
        {
            "list": Command(
                "commands.events:list_",
                "A product's events, from the ledger",
                "phasegate events list harbor-sync --type gate.decided -o jsonl",
            ),
            "retry": Command(
                "commands.events:retry",
                "Try again what could not be delivered and was given up",
                "phasegate events retry harbor-sync --receiver subscriber/crm",
            ),
            "recover": Command(
                "commands.events_recover:recover",
                "Write what a ledger misses that was put back from a backup",
                "phasegate events recover --dry-run",
            ),
        },
    ),
    "audit": AUDIT,
    "serve": Command(
        "commands.serve:serve",
        "Take events and customers of other systems over HTTP",
        "phasegate serve --port 8600",
    ),
    "keyring": Noun(
        "The keys of confidential mode",
        {
            "new": Command(
                "commands.keyring:new",
                "Make a key ring in a new file",
                "phasegate keyring new keyring.json",
            ),
            "add": Command(
                "commands.keyring:add",
                "Add a key, before it is used",
                "phasegate keyring add keyring.json --id 2027-05",
            ),
            "use": Command(
                "commands.keyring:use",
                "Encrypt with another key from now on",
                "phasegate keyring use keyring.json 2027-05",
            ),
            "show": Command(
                "commands.keyring:show",
                "Say which keys a key ring has, and show none",
                "phasegate keyring show keyring.json",
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
