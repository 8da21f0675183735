"""Workflow ids are an interface: operators type them, and running lifecycles have them."""

from phasegate.ids import gate_id, product_id, sunset_id


def test_the_ids_that_operators_and_running_lifecycles_rely_on() -> None:
    assert product_id("kettle") == "product/kettle"
    assert gate_id("kettle", "launch") == "product/kettle/gate/launch"
    assert sunset_id("kettle") == "product/kettle/sunset"
