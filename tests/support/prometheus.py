"""Debian's Prometheus on a port of its own, scraping what a test runs."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from client.dev_server import free_port

WHY_NOT = "there is no `prometheus` on PATH: apt-get install prometheus"

_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def found() -> bool:
    return bool(shutil.which("prometheus") and shutil.which("promtool"))


def samples(text: str) -> list[tuple[str, dict[str, str], float]]:
    """What a page of metrics says: name, labels, value."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    matches = [_SAMPLE.fullmatch(line) for line in lines]
    return [(m[1], dict(_LABEL.findall(m[2] or "")), float(m[3])) for m in matches if m]


@dataclass(frozen=True)
class Prometheus:
    url: str

    async def ask(self, query: str) -> list[dict[str, Any]]:
        """The result of an instant query."""
        async with httpx2.AsyncClient(timeout=60, trust_env=False) as http:
            answer = await http.get(f"{self.url}/api/v1/query", params={"query": query})
        said = answer.json()
        assert said["status"] == "success", (query, said)
        result: list[dict[str, Any]] = said["data"]["result"]
        return result


@asynccontextmanager
async def prometheus(
    folder: Path, targets: Sequence[str], rules: Sequence[Path] = ()
) -> AsyncIterator[Prometheus]:
    """It scrapes these every half second."""
    config = {
        "global": {"scrape_interval": "500ms", "evaluation_interval": "1s"},
        "scrape_configs": [
            {"job_name": "phasegate", "static_configs": [{"targets": list(targets)}]}
        ],
        "rule_files": [str(path) for path in rules],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    running = Prometheus(f"http://127.0.0.1:{port}")
    try:
        async with asyncio.timeout(60), httpx2.AsyncClient(trust_env=False) as http:
            while True:
                try:
                    if (await http.get(f"{running.url}/-/ready")).is_success:
                        break
                except httpx2.HTTPError:
                    pass
                await asyncio.sleep(0.1)
        yield running
    finally:
        process.terminate()
        await process.wait()
