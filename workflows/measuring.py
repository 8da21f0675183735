"""Metrics of workflows. They change no command, and the SDK says nothing of them on a replay."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import MetricMeter

with workflow.unsafe.imports_passed_through():
    from phasegate.measures import Measure


def count(measure: Measure, **labels: str) -> None:
    """One more."""
    _meter(labels).create_counter(measure.name, measure.meaning).add(1)


def took(measure: Measure, span: timedelta, **labels: str) -> None:
    """How long it took; less than nothing, where clocks disagree, is nothing."""
    histogram = _meter(labels).create_histogram_timedelta(measure.name, measure.meaning)
    histogram.record(max(span, timedelta(0)))


def _meter(labels: dict[str, str]) -> MetricMeter:
    return workflow.metric_meter().with_additional_attributes(labels)
