"""Metrics of what is counted elsewhere: read when they are asked for, or from time to time."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

Read = Callable[[], float]


class Readings:
    """`refresh()` reads everything that has been added. A name can be added again with other values of its labels.

    Prometheus' collectors would do this for one process; those are not part of its sums over several.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._refreshing: list[Callable[[], None]] = []

    def counter(self, name: str, description: str, read: Read, **labels: str) -> None:
        """`read` returns what has been counted since the start of this process."""
        if name not in self._counters:
            self._counters[name] = Counter(name, description, list(labels), registry=self._registry)
        counter = self._counters[name].labels(**labels) if labels else self._counters[name]
        seen = 0.0

        def refresh() -> None:
            nonlocal seen
            now = read()
            counter.inc(now - seen)
            seen = now

        self._refreshing.append(refresh)

    def gauge(self, name: str, description: str, read: Read, **labels: str) -> None:
        """Several processes together have the sum of those that live."""
        if name not in self._gauges:
            self._gauges[name] = Gauge(
                name, description, list(labels), registry=self._registry, multiprocess_mode="livesum"
            )
        gauge = self._gauges[name].labels(**labels) if labels else self._gauges[name]
        self._refreshing.append(lambda: gauge.set(read()))

    def refresh(self) -> None:
        for each in self._refreshing:
            each()
