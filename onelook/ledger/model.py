"""The latency ledger as data: spans, what an engine reports, and the parts that sum to the wall time."""

from __future__ import annotations

from pydantic import ConfigDict, Field, computed_field

from onelook.types import Frozen, Usage


class ServerTiming(Frozen):
    """One engine call as measured by the engine, in milliseconds; None for what it does not report."""

    turn_ms: float | None = Field(None, description="Waiting for the other model's questions, if models share memory.")
    switch_ms: float | None = Field(None, description="Unloading the other model and loading this one.")
    throttle_ms: float | None = Field(
        None, description="Waiting until the server took the request: it was overloaded or down."
    )
    queue_ms: float | None = None
    first_token_ms: float | None = Field(None, description="From the end of the queue to the first token (TTFT).")
    decode_ms: float | None = Field(None, description="From the first token to the last.")

    def known(self) -> dict[str, float]:
        """The reported phases, in order: turn, switch, throttle, queue, first_token, decode."""
        return {name.removesuffix("_ms"): value for name, value in self.model_dump(exclude_none=True).items()}


class Span(Frozen):
    """A named interval inside a node, in milliseconds since the run began."""

    name: str
    start_ms: float
    end_ms: float
    server: ServerTiming | None = None
    usage: Usage | None = None
    cached: bool = Field(False, description="The reply came from the answer cache: no engine computed it in this run.")

    @property
    def duration_ms(self) -> float:
        return self.end_ms - self.start_ms


class NodeTiming(Span):
    """One run of one node, all its attempts included, and the spans inside it."""

    attempts: int = 1
    spans: tuple[Span, ...] = ()


class Ledger(Frozen):
    """The time of one run by its parts: wall = busy + scheduling overhead."""

    model_config = ConfigDict(extra="ignore", frozen=True)  # a dump has the computed fields, which are not input

    nodes: tuple[NodeTiming, ...] = ()
    wall_ms: float | None = Field(
        None, description="Measured by the caller around the whole run; None inside the graph."
    )

    def usage(self) -> Usage:
        """Tokens of all engine calls."""
        return Usage.total(inner.usage for node in self.nodes for inner in node.spans if inner.usage)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def busy_ms(self) -> float:
        """Union of the nodes' intervals: time in which at least one node was active."""
        total, reached = 0.0, float("-inf")
        for node in sorted(self.nodes, key=lambda node: node.start_ms):
            total += max(0.0, node.end_ms - max(node.start_ms, reached))
            reached = max(reached, node.end_ms)
        return total

    @computed_field  # type: ignore[prop-decorator]
    @property
    def scheduling_overhead_ms(self) -> float | None:
        """Wall time in which no node was active: the framework's share and, under load, the event loop's queue."""
        return None if self.wall_ms is None else self.wall_ms - self.busy_ms

    def parts(self) -> dict[str, float]:
        """The parts of the run in milliseconds: every node's spans, the rest of the node, and the scheduling.

        Their sum is the wall time. An engine span splits into what the engine reports and the `transport` around it.
        """
        parts: dict[str, float] = {}

        def add(name: str, duration_ms: float) -> None:
            parts[name] = parts.get(name, 0.0) + duration_ms

        for node in self.nodes:
            rest = node.duration_ms
            for inner in node.spans:
                rest -= inner.duration_ms
                outside = inner.duration_ms
                for name, duration_ms in (inner.server.known() if inner.server else {}).items():
                    outside -= duration_ms
                    add(f"{node.name}.{inner.name}.{name}", duration_ms)
                add(f"{node.name}.{inner.name}" + (".transport" if outside != inner.duration_ms else ""), outside)
            add(f"{node.name}.rest", rest)
        if self.scheduling_overhead_ms is not None:
            add("scheduling", self.scheduling_overhead_ms)
        return parts
