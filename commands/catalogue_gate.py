"""The commands about gates."""

from __future__ import annotations

from commands.entries import Command, Noun

GATE = Noun(
    "Gates: look, vote, act for others, decide",
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
        "withdraw": Command(
            "commands.gate_seats:withdraw",
            "Take a vote back",
            "phasegate gate withdraw harbor-sync/go-to-launch --as sofia.rossi",
        ),
        "delegate": Command(
            "commands.gate_seats:delegate",
            "Let somebody act for you in this round",
            "phasegate gate delegate harbor-sync/go-to-launch ines.duarte --as sofia.rossi"
            " \\\n    --until 2027-03-01 --reason 'at the fair'",
        ),
        "reassign": Command(
            "commands.gate_seats:reassign",
            "Give somebody's empty seat to another",
            "phasegate gate reassign harbor-sync/go-to-launch sofia.rossi ines.duarte \\\n"
            "    --as maya.okafor --reason 'left the company'",
        ),
        "attest": Command(
            "commands.gate_chair:attest",
            "Say whether a criterion is met, for the group that attests it",
            "phasegate gate attest harbor-sync/go-to-launch pen-test met --as sofia.rossi"
            " \\\n    --note 'report 77, no open findings'",
        ),
        "needs-work": Command(
            "commands.gate_chair:needs_work",
            "Ask the owner for work; clocks stop until it is submitted",
            "phasegate gate needs-work harbor-sync/go-to-launch --as sofia.rossi"
            " --what 'no load test'",
        ),
        "extend": Command(
            "commands.gate_chair:extend",
            "Give a round more time",
            "phasegate gate extend harbor-sync/go-to-launch --until '10 days' --as maya.okafor"
            " \\\n    --reason 'auditors are late'",
        ),
        "override": Command(
            "commands.gate_chair:override",
            "Decide in the place of the approvers",
            "phasegate gate override harbor-sync/go-to-launch go --as maya.okafor"
            " \\\n    --reason 'contract deadline'",
        ),
        "submit": Command(
            "commands.gate:submit",
            "Open a phase's gate, bring one back, or say work is done",
            "phasegate gate submit harbor-sync --as jonas.lind --reason 'findings fixed'",
        ),
    },
)
