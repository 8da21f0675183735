"""The dashboard and the alerts, as files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

DEPLOY = Path(__file__).parents[2] / "deploy"
BOARD = DEPLOY / "grafana" / "phasegate.json"
RULES = DEPLOY / "prometheus" / "rules.yml"

_METRIC = re.compile(r"\b(?:phasegate|temporal)_[a-z_]+")
_BY = re.compile(r"\bby \(([^)]*)\)")
_MATCHER = re.compile(r'\b([a-z_]+)\s*(?:=~|!=|!~|=)\s*"')


@dataclass(frozen=True)
class Query:
    """What a panel or an alert asks."""

    title: str
    expr: str

    @property
    def metrics(self) -> set[str]:
        return set(_METRIC.findall(self.expr))

    @property
    def labels(self) -> set[str]:
        by = {name.strip() for group in _BY.findall(self.expr) for name in group.split(",")}
        return by | set(_MATCHER.findall(self.expr))

    def filled(self, window: str) -> str:
        """As Grafana sends it, with everything chosen."""
        chosen = self.expr.replace("$namespace", ".*").replace("$task_queue", ".*")
        return chosen.replace("$__rate_interval", window)


def board() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(BOARD.read_text("utf-8"))
    return found


def panels() -> Iterator[Query]:
    for panel in board()["panels"]:
        for target in panel.get("targets", ()):
            yield Query(panel["title"], target["expr"])


def alerts() -> list[dict[str, Any]]:
    groups = YAML(typ="safe").load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def asked() -> list[Query]:
    """Everything that is asked of the metrics."""
    return [*panels(), *(Query(rule["alert"], rule["expr"]) for rule in alerts())]
