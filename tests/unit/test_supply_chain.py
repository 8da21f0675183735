"""What is installed is what was locked, listed and looked up."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import ModuleType

import pytest
from over_http import Quiet, http_server
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / "scripts" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


audit = load()
needs_uv = pytest.mark.skipif(audit.find_uv() is None, reason="there is no uv: make venv brings it")


def installed(name: str, extras: frozenset[str], found: dict[str, str]) -> dict[str, str]:
    """What a distribution needs here, with it, and which version is there."""
    try:
        known = distribution(name)
    except PackageNotFoundError:
        return found  # an extra that is not installed here
    for text in known.requires or ():
        need = Requirement(text)
        wanted = need.marker is None or any(
            need.marker.evaluate({"extra": extra}) for extra in extras | {""}
        )
        if not wanted or canonicalize_name(need.name) in found:
            continue
        try:
            found[canonicalize_name(need.name)] = distribution(need.name).version
        except PackageNotFoundError:
            continue
        installed(need.name, frozenset(need.extras), found)
    return found


@needs_uv
def test_the_bill_of_materials_has_whatever_is_installed(tmp_path: Path) -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "sbom", "STAMP="],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    bom = json.loads((ROOT / done.stdout.strip()).read_text())
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.5")
    assert bom["metadata"]["component"]["name"] == "phasegate"
    listed = {canonicalize_name(part["name"]): part for part in bom["components"]}
    extras = distribution("phasegate").metadata.get_all("Provides-Extra") or []
    needed = installed("phasegate", frozenset(extras), {})
    assert {"temporalio", "pydantic", "httpx2", "httpcore2"} <= needed.keys()
    assert {name: listed[name]["version"] for name in needed} == needed
    for name in needed:
        part = listed[name]
        assert part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}"
        assert all(at["hashes"][0]["alg"] == "SHA-256" for at in part["externalReferences"])
    assert "pytest" not in listed
    known = {part["bom-ref"] for part in [*bom["components"], bom["metadata"]["component"]]}
    assert {dependency["ref"] for dependency in bom["dependencies"]} == known


def test_everything_is_locked_by_hash() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    assert not audit.without_hash(lock)
    assert len(lock["package"]) > 50
    lock["package"] += [
        {"name": "git", "source": {"git": "https://example.com/x"}},
        {"name": "bare", "source": {"registry": "x"}, "wheels": [{"url": "https://example.com/x"}]},
    ]
    assert audit.without_hash(lock) == ["git", "bare"]


@contextmanager
def advisories(vulnerable: str = "") -> Iterator[str]:
    """OSV's own answers (https://google.github.io/osv.dev/api/), for one package or none."""

    class Handler(Quiet):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = {"vulns": [{"id": "PYSEC-1", "modified": "2026-01-01T00:00:00Z"}]}
            names = [query["package"]["name"] for query in asked["queries"]]
            self.answer({"results": [known if name == vulnerable else {} for name in names]})

        def do_GET(self) -> None:
            package = {"name": vulnerable, "ecosystem": "PyPI"}
            ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]
            self.answer(
                {
                    "id": "PYSEC-1",
                    "modified": "2026-01-01T00:00:00Z",
                    "summary": "a hole",
                    "affected": [{"package": package, "ranges": ranges}],
                }
            )

        def answer(self, said: object) -> None:
            data = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with http_server(Handler) as url:
        yield f"{url}/"


def audited(monkeypatch: pytest.MonkeyPatch, service: str) -> subprocess.CompletedProcess[str]:
    monkeypatch.setenv("AUDIT_SERVICE_URL", service)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    command = [sys.executable, str(ROOT / "scripts" / "audit.py")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@needs_uv
def test_a_known_hole_fails_the_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    with advisories("jinja2") as service:
        found = audited(monkeypatch, service)
    assert found.returncode == 1
    assert "PYSEC-1: a hole" in found.stdout
    assert "hint: uv lock --upgrade-package" in found.stderr
    with advisories() as service:
        assert audited(monkeypatch, service).returncode == 0


@needs_uv
def test_out_of_reach_is_said_and_fails_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    found = audited(monkeypatch, "http://127.0.0.1:9/")
    assert found.returncode == 0
    assert "NOT AUDITED: the advisory service was not reached" in found.stderr
    monkeypatch.setenv("AUDIT_REQUIRED", "1")
    assert audited(monkeypatch, "http://127.0.0.1:9/").returncode == 1
