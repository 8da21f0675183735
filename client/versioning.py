"""The build that a worker belongs to, for Temporal's worker versioning."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import WorkerDeploymentConfig

from client.usage import UsageError

DEPLOYMENT, BUILD_ID = "PHASEGATE_DEPLOYMENT", "PHASEGATE_BUILD_ID"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


@dataclass(frozen=True)
class Build:
    """One version of a worker deployment."""

    deployment: str
    build_id: str

    @classmethod
    def of(
        cls,
        deployment: str | None = None,
        build_id: str | None = None,
        env: Mapping[str, str] = os.environ,
    ) -> Build | None:
        """What the options say, else PHASEGATE_DEPLOYMENT and PHASEGATE_BUILD_ID; None without.

        Raises UsageError for one without the other, and for what Temporal cannot take as a name.
        """
        name = deployment or env.get(DEPLOYMENT) or ""
        build = build_id or env.get(BUILD_ID) or ""
        if not name and not build:
            return None
        if not name or not build:
            missing = "--build-id" if name else "--deployment"
            raise UsageError(
                f"{missing} is missing",
                "a worker belongs to one build of one deployment, or to none",
                f"phasegate worker run --deployment {name or 'phasegate'} "
                f"--build-id {build or '2026.11.1'}",
            )
        for said, what, pattern in ((name, "deployment", _NAME), (build, "build", _ID)):
            if not pattern.fullmatch(said):
                also = "" if what == "deployment" else ", dot, plus"
                raise UsageError(
                    f"a {what} cannot be called {said[:100]}",
                    f"it takes letters, digits, dash, underscore{also}, at most 100",
                    "phasegate worker run --deployment phasegate --build-id 2026.11.1",
                )
        return cls(name, build)

    def __str__(self) -> str:
        return f"{self.deployment} {self.build_id}"

    def config(self) -> WorkerDeploymentConfig:
        """For the SDK's worker: every run is pinned to the build that began it.

        It is said here and not on the workflows, since the server refuses every task of a worker
        without a deployment whose workflows declare a behaviour (tried on 1.32). Products, sunsets,
        gates that stood still, and couriers with more to do move by their next run
        (`workflows/renewing.py`); letters and sweeps live for minutes and end where they began.
        """
        return WorkerDeploymentConfig(
            version=WorkerDeploymentVersion(self.deployment, self.build_id),
            use_worker_versioning=True,
            default_versioning_behavior=VersioningBehavior.PINNED,
        )
