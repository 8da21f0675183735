"""Whether the namespace that the settings name is there."""

from __future__ import annotations

from datetime import timedelta

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from phasegate.errors import EngineError


async def require_namespace(client: Client, address: str, patience: timedelta) -> None:
    """Raises EngineError where it is not: every call would fail for want of it, and some would take
    that for a product that was never started."""
    try:
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace), timeout=patience
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            return  # not everybody may ask that; what else is wrong, the next call says
        raise EngineError(
            f"there is no namespace {client.namespace} at {address}",
            "Temporal answers there, but has none of the name that TEMPORAL_NAMESPACE or the "
            "Temporal profile gives",
            "temporal operator namespace list  # then: export TEMPORAL_NAMESPACE=NAME",
        ) from error
