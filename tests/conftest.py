"""Quiet logs: a failing test shows its own story. Tests that look at logs capture them.

And loopback may be called: the receivers of tests are there, and an installation that wants the
same says so in the same way. Processes that tests start inherit it.
"""

import os
from typing import NoReturn

import pytest
import structlog
from hypothesis import HealthCheck, settings

os.environ["PHASEGATE_ALLOW_ADDRESSES"] = "127.0.0.0/8,::1"


def _drop(logger: object, method: str, event: object) -> NoReturn:
    raise structlog.DropEvent


structlog.configure(processors=[_drop])

# How fast a machine is says nothing about what is tested.
settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What has slow tests begins first in its folder: begun last, it would be waited for alone.

    In whole scopes, as `--dist=loadscope` gives them away; and folder by folder, since each has a
    server of its own in the environment for as long as its tests run.
    """

    def scope(item: pytest.Item) -> str:
        return item.nodeid.rpartition("::")[0]

    def folder(item: pytest.Item) -> str:
        return item.nodeid.split("/")[1]

    slow = {scope(item) for item in items if item.get_closest_marker("slow")}
    order = {name: at for at, name in enumerate(dict.fromkeys(map(folder, items)))}
    items.sort(key=lambda item: (order[folder(item)], scope(item) not in slow))
