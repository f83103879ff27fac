"""Time stamps taken inside the nodes: those of callbacks and event streams include the event loop's queue.

`node_span` times a whole node; `span` times an interval inside it. Both use a context variable, so a node stays a plain
function, and the same `span` works in an engine, in a worker thread and in a test that calls a node directly.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from onelook.ledger.model import NodeTiming, ServerTiming, Span
from onelook.types import Usage

NS_PER_MS = 1e6


@dataclass(slots=True)
class OpenSpan:
    """A span being taken, in nanoseconds of `time.perf_counter_ns`."""

    name: str
    start_ns: int
    end_ns: int = 0
    server: ServerTiming | None = None
    usage: Usage | None = None
    cached: bool = False
    attempts: int = 1
    spans: list[OpenSpan] = field(default_factory=list)


run_started_ns: ContextVar[int | None] = ContextVar("onelook_run_started_ns", default=None)
"""Set by a caller that measures the wall time of a run, so that the ledger begins at the same moment."""

_node: ContextVar[OpenSpan | None] = ContextVar("onelook_node", default=None)


@contextmanager
def node_span(name: str, *, attempts: int = 1, earlier_ns: int = 0) -> Iterator[OpenSpan]:
    """Time a node. `earlier_ns`: the time of its earlier, failed attempts, backoff included."""
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
    """Time an interval inside the current node. Outside of a node the stamps are dropped."""
    opened = OpenSpan(name, time.perf_counter_ns())
    node = _node.get()
    if node is not None:
        node.spans.append(opened)
    try:
        yield opened
    finally:
        opened.end_ns = time.perf_counter_ns()


def closed(opened: OpenSpan, origin_ns: int) -> NodeTiming:
    """The stamps of a node span as milliseconds since `origin_ns`, the start of the run."""

    def in_ms(part: OpenSpan) -> Span:
        return Span(
            name=part.name,
            start_ms=(part.start_ns - origin_ns) / NS_PER_MS,
            end_ms=(part.end_ns - origin_ns) / NS_PER_MS,
            server=part.server,
            usage=part.usage,
            cached=part.cached,
        )

    whole = in_ms(opened)
    return NodeTiming(
        name=whole.name,
        start_ms=whole.start_ms,
        end_ms=whole.end_ms,
        attempts=opened.attempts,
        spans=tuple(in_ms(inner) for inner in opened.spans),
    )
