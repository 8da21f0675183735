"""What a worker's environment says of activities."""

from __future__ import annotations

from datetime import timedelta

import pytest

from activities import ActivitySettings
from activities.settings import SettingUnusable


def test_people_are_told_after_a_while() -> None:
    assert ActivitySettings.from_env({}).stuck_after == timedelta(minutes=15)
    env = {"PHASEGATE_STUCK_AFTER": "2 hours"}
    assert ActivitySettings.from_env(env).stuck_after == timedelta(hours=2)


@pytest.mark.parametrize("text", ["soon", "0 seconds", "-1 hour"])
def test_a_span_that_is_none_is_said(text: str) -> None:
    with pytest.raises(SettingUnusable) as error:
        ActivitySettings.from_env({"PHASEGATE_STUCK_AFTER": text})
    assert text in error.value.why
    assert "export PHASEGATE_STUCK_AFTER" in error.value.hint
