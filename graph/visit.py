"""What wraps every node: its services, its run's choices, and its line in the ledger."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from langgraph.runtime import Runtime

from graph.errors import OnelookError
from graph.schema import Context, Ledger
from graph.services import Services
from graph.state import State, fresh
from graph.timing import OpenSpan, closed, node_span, run_started_ns

Node = Callable[[Services, State, Runtime[Context]], Awaitable[State]]


class Visit(Protocol):
    """A node as LangGraph calls it."""

    async def __call__(self, state: State, runtime: Runtime[Context]) -> State: ...


class VisitFailed(Exception):
    """Carries a node's error to the graph's error handler, together with the time that the visit took."""

    def __init__(self, error: OnelookError, visit: OpenSpan) -> None:
        super().__init__(error, visit)
        self.error = error
        self.visit = visit


def visit(name: str, node: Node, services: Services, *, first: bool = False) -> Visit:
    """`node` as the graph runs it. The `first` node starts the run's state and ledger anew."""

    async def run(state: State, runtime: Runtime[Context]) -> State:
        if runtime.context is None:  # LangGraph's answer to a run without `context=`
            runtime = runtime.override(context=services.settings.run)
        attempts, earlier_ns = 1, 0
        if (info := runtime.execution_info) is not None and info.node_attempt > 1 and info.node_first_attempt_time:
            attempts = info.node_attempt
            earlier_ns = int((time.time() - info.node_first_attempt_time) * 1e9)
        with node_span(name, attempts=attempts, earlier_ns=earlier_ns) as opened:
            before: State = {**state, **fresh()} if first else state
            try:
                update = await node(services, before, runtime)
            except OnelookError as error:
                raise VisitFailed(error, opened) from error
        if first:
            origin_ns = run_started_ns.get() or opened.start_ns
            update = {**fresh(), "origin_ns": origin_ns, **update}
        visits = (*before["visits"], closed(opened, update.get("origin_ns", state.get("origin_ns", 0))))
        if "result" in update:
            update["result"] = update["result"].model_copy(update={"ledger": Ledger(nodes=visits)})
        return {**update, "visits": visits}

    return run
