#!/usr/bin/env python3
"""Whether what uv.lock lists is locked by hash, fits pyproject.toml, and has no known holes.

Advisories come from OSV (https://osv.dev) by `uv audit`. Where that service cannot be reached, this
says so and does not fail; AUDIT_REQUIRED=1 makes it fail. Exit codes: 0, or 1 with what is wrong.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
UNREACHED = ("error sending request", "timed out", "Connection reset", "503 ", "502 ", "504 ")


def find_uv() -> str | None:
    """The same uv that made .venv."""
    own = ROOT / ".venv-tools" / "bin" / "uv"
    return shutil.which("uv") or (str(own) if own.exists() else None)


def without_hash(lock: Mapping[str, Any]) -> list[str]:
    """What uv.lock would install without knowing what it gets."""
    found = []
    for package in lock["package"]:
        source = package["source"]
        files = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
        if "editable" in source or "virtual" in source:
            continue
        if "registry" not in source or not files or any("hash" not in file for file in files):
            found.append(package["name"])
    return found


def main() -> int:
    """Run the checks in turn; the first that fails ends it."""
    uv = find_uv()
    if uv is None:
        return failed("there is no uv", "make venv  # installs it")
    if run(uv, "lock", "--check").returncode:
        return failed("uv.lock does not fit pyproject.toml", "uv lock  # then look at the changes")
    with (ROOT / "uv.lock").open("rb") as file:
        bare = without_hash(tomllib.load(file))
    if bare:
        return failed(f"uv.lock has no hash of {', '.join(bare)}", "take them from a registry")
    service = os.environ.get("AUDIT_SERVICE_URL")
    asked = run(
        *(uv, "audit", "--frozen", "--preview-features", "audit"),
        *(("--service-url", service) if service else ()),
    )
    sys.stdout.write(asked.stdout)
    if asked.returncode == 0:
        say("uv.lock is locked by hash, and has no known vulnerabilities")
        return 0
    sys.stderr.write(asked.stderr)
    if asked.returncode == 1:
        return failed("uv.lock has known vulnerabilities", "uv lock --upgrade-package NAME")
    if not any(word in asked.stderr for word in UNREACHED):
        return failed("the audit did not run", f"{uv} audit --help  # needs uv 0.13 or newer")
    if os.environ.get("AUDIT_REQUIRED"):
        return failed("the advisory service was not reached", "AUDIT_SERVICE_URL names another")
    say("NOT AUDITED: the advisory service was not reached (hashes and lock are all right)")
    return 0


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Its output is kept: a retry that ended well is nothing to read."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def failed(what: str, hint: str) -> int:
    """Say what and how to mend it."""
    say(f"{what}\nhint: {hint}")
    return 1


def say(text: str) -> None:
    """To whoever reads the log of the run."""
    print(f"audit: {text}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
