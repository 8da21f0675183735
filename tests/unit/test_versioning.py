"""Which build a worker says that it is."""

from __future__ import annotations

import pytest

from client.usage import UsageError
from client.versioning import Build


def test_both_or_none_from_options_or_the_environment() -> None:
    env = {"PHASEGATE_DEPLOYMENT": "phasegate", "PHASEGATE_BUILD_ID": "2026.11.1"}
    assert Build.of(env={}) is None
    assert Build.of(env={"PHASEGATE_DEPLOYMENT": "", "PHASEGATE_BUILD_ID": ""}) is None
    assert Build.of(env=env) == Build("phasegate", "2026.11.1")
    assert Build.of(build_id="2026.12.1+local", env=env) == Build("phasegate", "2026.12.1+local")


@pytest.mark.parametrize(
    ("deployment", "build_id", "what"),
    [
        ("phasegate", None, "--build-id is missing"),
        (None, "1", "--deployment is missing"),
        ("phase.gate", "1", "a deployment cannot be called phase.gate"),
        ("__phasegate", "1", "a deployment cannot be called __phasegate"),
        ("phasegate", "1:2", "a build cannot be called 1:2"),
    ],
)
def test_what_no_worker_may_be_called(
    deployment: str | None, build_id: str | None, what: str
) -> None:
    with pytest.raises(UsageError) as refused:
        Build.of(deployment, build_id, env={})
    assert refused.value.what == what
    assert refused.value.hint.startswith("phasegate worker run --deployment ")
