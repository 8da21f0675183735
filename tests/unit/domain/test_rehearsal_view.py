"""What a rehearsal shows keeps its names: scripts read them."""

import json
from pathlib import Path

from phasegate.rehearsal_view import Rehearsal

EXAMPLE = Path(__file__).with_name("rehearsal.json")


def test_the_example_is_read_and_written_as_it_stands() -> None:
    data = json.loads(EXAMPLE.read_text())
    assert Rehearsal.model_validate(data).model_dump(mode="json") == data
