"""Prometheus metrics: requests, and the figures of every run's latency ledger."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.gc_collector import GCCollector
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from onelook.api.admission import Admission
from onelook.api.readings import Readings
from onelook.engines.circuit_breaker import BreakerState
from onelook.engines.residency import Residency
from onelook.engines.throttle import Throttle
from onelook.result import TagResult

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 120)


SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which Prometheus' client knows that the processes of a server write into the files of a folder."""

REFRESH_S = 0.5


def share_metrics(folder: Path, worker: int) -> None:
    """From now on this process counts in `folder`, as number `worker` of the processes that do.

    A worker that takes another one's place goes on with its counters.
    """
    os.environ[SHARED] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: worker)  # type: ignore[no-untyped-call]


class Metrics:
    """One registry for each server, so that one process can hold several servers (tests do).

    With workers, each counts in files that all can read, and each one's `text()` is the sum.
    """

    def __init__(self, admission: Admission, residency: Residency | None, throttles: Sequence[Throttle] = ()) -> None:
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self._requests = Counter(
            "onelook_http_requests", "Requests by route and status.", ["route", "status"], registry=registry
        )
        self._request_s = Histogram(
            "onelook_http_request_seconds", "Time for a request.", ["route"], buckets=SECONDS, registry=registry
        )
        self._results = Counter("onelook_results", "Runs by arm and status.", ["arm", "status"], registry=registry)
        self._run_s = Histogram(
            "onelook_run_seconds", "Wall time of a run.", ["arm"], buckets=SECONDS, registry=registry
        )
        self._node_s = Histogram(
            "onelook_node_seconds",
            "Time of one node span, its attempts included.",
            ["node", "arm"],
            buckets=SECONDS,
            registry=registry,
        )
        self._retries = Counter(
            "onelook_retries", "Attempts of a node after its first.", ["node", "arm"], registry=registry
        )
        self._counts = {
            "tokens": Counter("onelook_tokens", "Tokens by kind.", ["kind"], registry=registry),
            "passes": Counter(
                "onelook_forward_passes", "Embedded engine: forward passes by phase.", ["phase"], registry=registry
            ),
            "images": Counter(
                "onelook_vision_encodings",
                "Embedded engine: pictures that the vision encoder computed, or that the vision cache had.",
                ["outcome"],
                registry=registry,
            ),
        }
        self._cache_hits = Counter(
            "onelook_cache_hits", "Node spans that were answered from the cache.", ["node"], registry=registry
        )
        self._escalations = Counter(
            "onelook_escalations", "Pictures that the specialist answered.", ["arm"], registry=registry
        )
        self._readings = Readings(registry)
        self._read_admission(admission)
        if residency is not None:
            self._read_residency(residency)
        for address in dict.fromkeys(each.address for each in throttles):
            self._read_server(address, [each for each in throttles if each.address == address])

    def _read_admission(self, admission: Admission) -> None:
        gauge, limit = self._readings.gauge, admission.in_flight_limit
        gauge("onelook_in_flight", "Pictures that are being tagged.", lambda: limit.in_flight)
        gauge("onelook_queue", "Pictures that wait in the queue.", lambda: limit.waiting)
        gauge("onelook_http_requests_inside", "Requests in progress.", lambda: admission.requests)

    def _read_residency(self, counts: Residency) -> None:
        """Of an engine and a specialist that share memory."""
        counter = self._readings.counter
        counter("onelook_model_switches", "Models loaded into memory.", lambda: counts.switches)
        counter(
            "onelook_model_switches_failed",
            "Failed attempts to load or unload a model.",
            lambda: counts.failed_switches,
        )
        counter("onelook_model_switching_seconds", "Time of switches.", lambda: counts.switching_s)

    def _read_server(self, address: str, throttles: Sequence[Throttle]) -> None:
        """What holds requests back while the server is overloaded or down."""

        def counter(name: str, description: str, read: Callable[[Throttle], float]) -> None:
            self._readings.counter(
                f"onelook_server_{name}", description, partial(_sum, read, throttles), server=address
            )

        def gauge(name: str, description: str, read: Callable[[Throttle], float], **labels: str) -> None:
            self._readings.gauge(
                f"onelook_server_{name}", description, partial(_sum, read, throttles), server=address, **labels
            )

        counter("rejections", "Requests that it did not take.", lambda each: each.rejections)
        counter("wait_seconds", "Waits until it took a request.", lambda each: each.waited_s)
        counter("outages", "How often it went down.", lambda each: each.breaker.opened)
        for state in get_args(BreakerState):
            gauge("breaker", "Circuit breakers in this state.", partial(_is_in, state), state=state)
        gauge(
            "limit",
            "Most requests in flight; +Inf until it is overloaded for the first time.",
            lambda each: each.limit.current,
        )
        gauge("in_flight", "Requests that it works at.", lambda each: each.in_flight)
        gauge("waiting", "Requests that are held back.", lambda each: each.outstanding - each.in_flight)

    def record_request(self, route: str, status: int, seconds: float) -> None:
        self._requests.labels(route, status).inc()
        self._request_s.labels(route).observe(seconds)

    def record_result(self, result: TagResult) -> None:
        arm, ledger = result.arm, result.ledger
        self._results.labels(arm, result.status).inc()
        if ledger.wall_ms is not None:
            self._run_s.labels(arm).observe(ledger.wall_ms / 1e3)
        for node in ledger.nodes:
            self._node_s.labels(node.name, arm).observe(node.duration_ms / 1e3)
            if node.attempts > 1:
                self._retries.labels(node.name, arm).inc(node.attempts - 1)
            if any(span.cached for span in node.spans):
                self._cache_hits.labels(node.name).inc()
        for name, count in result.usage:
            kind, _, unit = name.rpartition("_")
            if count:
                self._counts[unit].labels(kind).inc(count)
        if result.escalation is not None:
            self._escalations.labels(arm).inc()

    def text(self) -> bytes:
        """The exposition format, version 0.0.4."""
        self._readings.refresh()
        if not shared():
            return generate_latest(self._registry)
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]
        return generate_latest(everyone)

    async def keep_fresh(self) -> None:
        """Read again and again for the processes that share this one's metrics; at once where none does."""
        if not shared():
            return
        try:
            while True:
                self._readings.refresh()
                await asyncio.sleep(REFRESH_S)
        finally:
            self._readings.refresh()


def shared() -> bool:
    """Whether other processes share the metrics of this one."""
    return SHARED in os.environ


def _sum(read: Callable[[Throttle], float], throttles: Sequence[Throttle]) -> float:
    return sum(read(each) for each in throttles)


def _is_in(state: BreakerState, throttle: Throttle) -> bool:
    return throttle.breaker.state == state
