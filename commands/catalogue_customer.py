"""The verbs of `phasegate customer`."""

from __future__ import annotations

from commands.entries import Command, Noun

CUSTOMER = Noun(
    "The customers of a product, and what becomes of each in its sunset",
    {
        "import": Command(
            "commands.customer:import_",
            "Take customers in from a CSV or JSON file, all or none",
            "phasegate customer import harbor-sync customers.csv --as jonas.lind --dry-run",
        ),
        "list": Command(
            "commands.customer:list_",
            "Customers, and what became of each",
            "phasegate customer list harbor-sync --state open -o json",
        ),
        "settle": Command(
            "commands.customer:settle",
            "Say what became of one customer",
            "phasegate customer settle harbor-sync C-4711 migrated --note 'moved by support'"
            " \\\n    --as jonas.lind",
        ),
    },
)
