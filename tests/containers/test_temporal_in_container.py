from __future__ import annotations

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

pytestmark = pytest.mark.containers


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"hello {name}"


async def test_a_workflow_runs_on_the_server_in_the_container(address: str) -> None:
    client = await Client.connect(address)
    async with Worker(
        client,
        task_queue="containers",
        workflows=[Greeting],
        # A test module in the sandbox would import pytest again.
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        said = await client.execute_workflow(
            Greeting.run, "container", id="greeting", task_queue="containers"
        )
    assert said == "hello container"
