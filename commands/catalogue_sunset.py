"""The verbs of `phasegate sunset`."""

from __future__ import annotations

from commands.entries import Command, Noun

SUNSET = Noun(
    "The way out of the market",
    {
        "plan": Command(
            "commands.sunset_plan:plan",
            "The calendar and the gates of a sunset; record what the product changes",
            "phasegate sunset plan harbor-sync sunset.yaml --dry-run",
        ),
        "start": Command(
            "commands.sunset_owner:start",
            "Submit the gate that decides on the sunset, with its plan",
            "phasegate sunset start harbor-sync sunset.yaml --notice 2030-02-01 --as jonas.lind",
        ),
        "show": Command(
            "commands.sunset:show",
            "Where the sunset stands, what it waits for, and how to answer",
            "phasegate sunset show harbor-sync",
        ),
        "export": Command(
            "commands.sunset_export:export",
            "What the world reads: OpenEoX record, headers, notice, calendar",
            "phasegate sunset export harbor-sync calendar --out harbor-sync.ics",
        ),
        "confirm": Command(
            "commands.sunset:confirm",
            "Say that a task is done, and what shows it",
            "phasegate sunset confirm harbor-sync branch-closed --note 'tag v3.8.20'"
            " --as jonas.lind",
        ),
        "abort": Command(
            "commands.sunset_owner:abort",
            "Undo what the sunset did, and bring the product back into the market",
            "phasegate sunset abort harbor-sync --reason 'a buyer was found' --as jonas.lind"
            " --dry-run",
        ),
        "legal-hold": Command(
            "commands.sunset_owner:legal_hold",
            "Keep everything from being deleted, or lift such a hold",
            "phasegate sunset legal-hold harbor-sync case-77 --reason 'letter of 3 May'"
            " --as ruth.adler",
        ),
    },
)
