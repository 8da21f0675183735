"""`phasegate serve` as a real process, and a sender beside it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from client.dev_server import free_port

ROOT = Path(__file__).parents[2]
STARTING = 90.0

SECRET, SIGNING = "s3cret-of-ours", "whsec_c2lnbmluZy1rZXktb2Ytb3Vycw=="

INTEGRATIONS = """\
sources:
  github: {kind: github, secret: {env: HOOK_SECRET}}
  gitlab: {kind: gitlab, secret: {env: HOOK_SECRET}}
  bus: {kind: cloudevents, secret: {env: HOOK_SECRET}}
  hooks: {kind: standard-webhooks, secret: {env: HOOK_KEY}}
feeds:
  crm: {secret: {env: HOOK_SECRET}, who: tim}
  billing: {kind: standard-webhooks, secret: {env: HOOK_KEY}, who: olga}
"""

COMMAND = (sys.executable, "-m", "cli")


@dataclass
class Served:
    """A running process: where it listens, what it logs, and what to send it."""

    process: asyncio.subprocess.Process
    url: str
    http: httpx2.AsyncClient
    lines: list[dict[str, Any]] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)

    async def post(
        self, source: str, headers: Mapping[str, str], body: bytes, **more: Any
    ) -> httpx2.Response:
        return await self.http.post(
            f"{self.url}/events/{source}", headers=dict(headers), content=body, **more
        )

    async def feed(self, product: str, headers: Mapping[str, str], body: bytes) -> httpx2.Response:
        """Send customers, and once more where there was no time for an answer, as senders do."""
        url = f"{self.url}/customers/{product}"
        for _ in range(3):
            answer = await self.http.post(url, headers=dict(headers), content=body)
            if answer.status_code != 503:
                break
        return answer

    def said(self, event: str) -> list[dict[str, Any]]:
        """The log lines about this."""
        return [line for line in self.lines if line["event"] == event]

    async def saying(self, event: str, times: int = 1) -> list[dict[str, Any]]:
        async with asyncio.timeout(STARTING):
            while len(self.said(event)) < times:
                await asyncio.sleep(0.02)
                assert self.process.returncode is None, self.raw
        return self.said(event)

    async def ended(self) -> int:
        async with asyncio.timeout(STARTING):
            return await self.process.wait()

    async def follow(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.raw.append(line.decode())
            self.lines.append(json.loads(line))


@asynccontextmanager
async def serving(
    folder: Path, *, command: tuple[str, ...] = COMMAND, **env: str
) -> AsyncIterator[Served]:
    """Start it on a free port; whatever is left of it ends with the block."""
    (folder / "integrations.yaml").write_text(INTEGRATIONS)
    process = await asyncio.create_subprocess_exec(
        *command,
        "serve",
        "--port",
        str(port := free_port()),
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PHASEGATE_INTEGRATIONS": "integrations.yaml",
            "PHASEGATE_DATA_DIR": str(folder),
            "HOOK_SECRET": SECRET,
            "HOOK_KEY": SIGNING,
            **env,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1024 * 1024,
    )
    async with httpx2.AsyncClient(timeout=60, trust_env=False) as http:
        served = Served(process, f"http://127.0.0.1:{port}", http)
        following = asyncio.create_task(served.follow())
        try:
            await served.saying("serving")
            yield served
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await following
            assert process.stdout is not None
            assert await process.stdout.read() == b""
