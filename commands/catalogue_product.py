"""The commands about products."""

from __future__ import annotations

from commands.entries import Command, Noun

PRODUCT = Noun(
    "Products: start, watch, change, hold, end",
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
            "Attach evidence; an open round sees it, and votes on it anew",
            "phasegate product evidence harbor-sync --title 'Beta report' --file beta.pdf"
            " \\\n    --figure retention=0.91 --as jonas.lind",
        ),
        "update": Command(
            "commands.product_change:update",
            "Replace a product's definition",
            "phasegate product update harbor.yaml --as jonas.lind --note 'new pricing'",
        ),
        "handover": Command(
            "commands.product_change:handover",
            "Give a product another owner",
            "phasegate product handover harbor-sync ines.duarte --as jonas.lind --reason 'new job'",
        ),
        "revive": Command(
            "commands.product_change:revive",
            "Bring a killed product back",
            "phasegate product revive harbor-sync --as maya.okafor --reason 'a buyer' --yes",
        ),
    },
)
