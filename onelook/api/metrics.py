"""Prometheus metrics: requests, and the figures of every run's latency ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from onelook.api.admission import Admission
from onelook.engines.circuit_breaker import BreakerState
from onelook.engines.residency import Residency
from onelook.engines.throttle import Throttle
from onelook.result import TagResult

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 120)


class SwitchCollector(Collector):
    """Counts of model switches, for an engine and a specialist that share memory."""

    def __init__(self, residency: Residency) -> None:
        self._residency = residency

    def collect(self) -> Iterator[CounterMetricFamily]:
        counts = self._residency
        yield CounterMetricFamily("onelook_model_switches", "Models loaded into memory.", value=counts.switches)
        yield CounterMetricFamily(
            "onelook_model_switches_failed", "Failed attempts to load or unload a model.", value=counts.failed_switches
        )
        yield CounterMetricFamily("onelook_model_switching_seconds", "Time of switches.", value=counts.switching_s)


class ThrottleCollector(Collector):
    """What holds requests back while a server is overloaded or down."""

    def __init__(self, throttles: Sequence[Throttle]) -> None:
        self._throttles = throttles

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        def counter(name: str, description: str) -> CounterMetricFamily:
            return CounterMetricFamily(f"onelook_server_{name}", description, labels=["server"])

        def gauge(name: str, description: str, *labels: str) -> GaugeMetricFamily:
            return GaugeMetricFamily(f"onelook_server_{name}", description, labels=["server", *labels])

        rejections = counter("rejections", "Requests that it did not take.")
        waits = counter("wait_seconds", "Waits until it took a request.")
        outages = counter("outages", "How often it went down.")
        state = gauge("breaker", "Circuit breaker: 1 for its state.", "state")
        limit = gauge("limit", "Most requests in flight; +Inf until it is overloaded for the first time.")
        in_flight = gauge("in_flight", "Requests that it works at.")
        waiting = gauge("waiting", "Requests that are held back.")
        for each in self._throttles:
            server = [each.address]
            rejections.add_metric(server, each.rejections)
            waits.add_metric(server, each.waited_s)
            outages.add_metric(server, each.breaker.opened)
            for name in get_args(BreakerState):
                state.add_metric([*server, name], name == each.breaker.state)
            limit.add_metric(server, each.limit.current)
            in_flight.add_metric(server, each.in_flight)
            waiting.add_metric(server, each.outstanding - each.in_flight)
        yield from (rejections, waits, outages, state, limit, in_flight, waiting)


class Metrics:
    """One registry for each server, so that one process can hold several servers (tests do)."""

    def __init__(self, admission: Admission, residency: Residency | None, throttles: Sequence[Throttle] = ()) -> None:
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        if residency is not None:
            registry.register(SwitchCollector(residency))
        if throttles:
            registry.register(ThrottleCollector(throttles))
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
        in_flight = Gauge("onelook_in_flight", "Pictures that are being tagged.", registry=registry)
        in_flight.set_function(lambda: admission.in_flight_limit.in_flight)
        queue = Gauge("onelook_queue", "Pictures that wait in the queue.", registry=registry)
        queue.set_function(lambda: admission.in_flight_limit.waiting)
        requests = Gauge("onelook_http_requests_inside", "Requests in progress.", registry=registry)
        requests.set_function(lambda: admission.requests)

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
        return generate_latest(self._registry)
