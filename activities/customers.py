"""How the customers of a product stand, for its sunset."""

from __future__ import annotations

from temporalio import activity

from activities.errors import ledger_errors
from ledger import Ledger
from phasegate import sunset_ports
from phasegate.sunset_ports import CustomersQuery, CustomersSummary


class CustomerActivities:
    """Customers are in the ledger's database; workflows know their numbers only."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn(name=sunset_ports.LOOK_AT_CUSTOMERS)
    def look_at_customers(self, query: CustomersQuery) -> CustomersSummary:
        """Count them. Errors: ledger-unavailable, retried."""
        with ledger_errors():
            return self._ledger.customers.summary(query.product, query.sunset)
