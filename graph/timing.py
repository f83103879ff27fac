"""The latency ledger: stamps taken inside the nodes, because callbacks and event streams add the loop's own queue.

`timed` wraps every node; `span` marks a stretch inside one. Both write to a contextvar, so a node stays a plain function
and the same `span` works in an engine, in a worker thread and in a test that calls the node without a graph.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from graph.schema import Ledger, NodeTiming, ServerTiming, Span, Usage

NS_PER_MS = 1e6


@dataclass(slots=True)
class OpenSpan:
    """A span being taken, in nanoseconds of `time.perf_counter_ns`."""

    name: str
    start_ns: int
    end_ns: int = 0
    server: ServerTiming | None = None
    usage: Usage | None = None
    attempts: int = 1
    spans: list[OpenSpan] = field(default_factory=list)


_node: ContextVar[OpenSpan | None] = ContextVar("onelook_node", default=None)


@contextmanager
def node_span(name: str, *, attempts: int = 1, earlier_ns: int = 0) -> Iterator[OpenSpan]:
    """Time one visit to a node. `earlier_ns`: what its earlier, failed attempts took, backoff included."""
    now = time.perf_counter_ns()
    node = OpenSpan(name, now - earlier_ns, attempts=attempts)
    if earlier_ns:
        node.spans.append(OpenSpan("retries", now - earlier_ns, now))
    token = _node.set(node)
    try:
        yield node
    finally:
        _node.reset(token)
        node.end_ns = time.perf_counter_ns()


@contextmanager
def span(name: str) -> Iterator[OpenSpan]:
    """Time a stretch inside the current node; outside of any node the stamps are taken and forgotten."""
    opened = OpenSpan(name, time.perf_counter_ns())
    node = _node.get()
    if node is not None:
        node.spans.append(opened)
    try:
        yield opened
    finally:
        opened.end_ns = time.perf_counter_ns()


def ledger(nodes: Sequence[OpenSpan], *, origin_ns: int, wall_ns: int | None = None) -> Ledger:
    """The stamps as milliseconds since `origin_ns`."""

    def since(stamp_ns: int) -> float:
        return (stamp_ns - origin_ns) / NS_PER_MS

    def closed(opened: OpenSpan) -> Span:
        return Span(
            name=opened.name,
            start_ms=since(opened.start_ns),
            end_ms=since(opened.end_ns),
            server=opened.server,
            usage=opened.usage,
        )

    return Ledger(
        nodes=tuple(
            NodeTiming(
                **closed(node).__dict__, attempts=node.attempts, spans=tuple(closed(inner) for inner in node.spans)
            )
            for node in nodes
        ),
        wall_ms=None if wall_ns is None else wall_ns / NS_PER_MS,
    )
