"""What wraps every node: its services, its run's choices, and its line in the ledger."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from langgraph.runtime import Runtime
from langgraph.types import Overwrite

from onelook.errors import OnelookError
from onelook.graph.state import State, fresh
from onelook.ledger.model import Ledger, NodeTiming
from onelook.ledger.stamps import OpenSpan, closed, node_span, of_run, run_started_ns
from onelook.services import Services
from onelook.types import Context

Node = Callable[[Services, State, Runtime[Context]], Awaitable[State]]


class Visit(Protocol):
    """A node as LangGraph calls it."""

    async def __call__(self, state: State, runtime: Runtime[Context]) -> State: ...


class NodeFailed(Exception):
    """Carries a node's error to the graph's error handler, together with the time that the visit took."""

    def __init__(self, error: OnelookError, visit: OpenSpan) -> None:
        super().__init__(error, visit)
        self.error = error
        self.visit = visit


def visit(name: str, node: Node, services: Services, *, first: bool = False) -> Visit:
    """`node` as the graph runs it. The `first` node, when it is first visited, starts state and ledger anew."""

    async def run(state: State, runtime: Runtime[Context]) -> State:
        if runtime.context is None:  # LangGraph's answer to a run without `context=`
            runtime = runtime.override(context=services.run)
        begins = first and begins_run(state)
        attempts, earlier_ns = 1, 0
        if (info := runtime.execution_info) is not None and info.node_attempt > 1 and info.node_first_attempt_time:
            attempts = info.node_attempt
            earlier_ns = int((time.time() - info.node_first_attempt_time) * 1e9)
        with node_span(name, attempts=attempts, earlier_ns=earlier_ns) as opened:
            try:
                update = await node(services, {**state, **fresh()} if begins else state, runtime)
            except OnelookError as error:
                raise NodeFailed(error, opened) from error
        if begins:
            origin_ns = run_started_ns.get() or opened.start_ns
            return {**fresh(), "origin_ns": origin_ns, **update, "visits": begin(closed(opened, origin_ns))}
        own = closed(opened, state["origin_ns"])
        if "result" in update:
            ledger = Ledger(nodes=(*of_run(state["visits"], state["origin_ns"]), own))
            update["result"] = update["result"].model_copy(update={"ledger": ledger, "usage": ledger.usage()})
        return {**update, "visits": (own,)}

    return run


def begins_run(state: State) -> bool:
    """Whether the state is of another run, or of none: pictures are in no checkpoint, so no run finds earlier ones."""
    return "pictures" not in state


def begin(visit: NodeTiming) -> tuple[NodeTiming, ...]:
    """The first visit of a run: in the place of those that an earlier run on the same thread left."""
    return cast("tuple[NodeTiming, ...]", Overwrite((visit,)))
