"""What surrounds every node: its time limit, its span in the ledger, the edge that it takes, and the result of a run
whose node fails."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, Protocol, cast

from langgraph.errors import NodeError
from langgraph.runtime import Runtime
from langgraph.types import Command, Overwrite

from onelook.answering.failure import error_record, retry_after_s
from onelook.answering.result import build_result
from onelook.deadline import at_most
from onelook.errors import EngineTimeout, OnelookError
from onelook.graph.state import State, fresh
from onelook.graph.ways import Way
from onelook.ledger.model import Ledger, NodeTiming
from onelook.ledger.stamps import OpenSpan, closed, node_span, run_started_ns
from onelook.result import TagResult
from onelook.services import Services
from onelook.settings.hints import set_to
from onelook.types import Context, Status

FIRST = "prepare"

Node = Callable[[Services, State, Runtime[Context]], Awaitable[State]]


class GraphNode(Protocol):
    """A node as LangGraph calls it."""

    async def __call__(self, state: State, runtime: Runtime[Context]) -> State | Command[str]: ...


class ErrorHandler(Protocol):
    """An error handler as LangGraph calls it: it fills the parameter `error` by its name."""

    async def __call__(
        self, state: State, error: NodeError, runtime: Runtime[Context]
    ) -> Command[Literal["__end__"]]: ...


class NodeFailed(Exception):
    """Carries a node's error to the error handler, together with the span that it ended."""

    def __init__(self, error: OnelookError, node: OpenSpan) -> None:
        super().__init__(error, node)
        self.error = error
        self.node = node


def is_retryable(error: Exception) -> bool:
    """Whether a failed node is tried again: the error itself says so. The graph is the only owner of retries.

    Where the engine says when it takes requests again, it has waited for that as long as it may.
    """
    return isinstance(error, NodeFailed) and error.error.retryable and retry_after_s(error.error) is None


def instrument(
    name: str,
    node: Node,
    services: Services,
    *,
    ways: Mapping[Way, str] | None = None,
    timeout_s: float | None = None,
) -> GraphNode:
    """`node` with its services, its run's choices and its span in the ledger. The first node begins the state anew.

    `ways`: the node that follows each `way` that it writes; None: the same node always follows. `timeout_s`: of one
    attempt. LangGraph has conditional edges and node timeouts too, which take 0.3 ms of a run's 3: the one copies all
    channels for the edge to read, the other starts two tasks.
    """

    async def run(state: State, runtime: Runtime[Context]) -> State | Command[str]:
        runtime = _with_context(runtime, services)
        if name == FIRST:
            state = {**state, **fresh()}
        attempts, earlier_ns = _earlier_attempts(runtime)
        with node_span(name, attempts=attempts, earlier_ns=earlier_ns) as opened:
            try:
                async with at_most(timeout_s, lambda: _too_late(name, timeout_s, services)):
                    update = await node(services, state, runtime)
            except OnelookError as error:
                raise NodeFailed(error, opened) from error
        update = _with_span(name, state, opened, update)
        if name == FIRST:
            update = {**fresh(), **update}
        return update if ways is None else Command(update=update, goto=ways[cast("Way", update["way"])])

    return run


def _too_late(name: str, timeout_s: float | None, services: Services) -> EngineTimeout:
    return EngineTimeout(
        f"{name} took longer than {timeout_s:g} s",
        hint="the model is slow or its queue is long: allow more time,"
        f" ONELOOK_TIMEOUT_S={2 * services.settings.timeout_s:g}, or send fewer pictures at once,"
        f" {set_to(ONELOOK_CONCURRENCY=2)}",
    )


def error_handler(services: Services) -> ErrorHandler:
    """The handler of every node: its error becomes part of the result, and the run ends."""

    async def fail(state: State, error: NodeError, runtime: Runtime[Context]) -> Command[Literal["__end__"]]:
        context = _with_context(runtime, services).context
        cause, opened = _cause(error)
        record = error_record(cause, error.node)
        if error.node == FIRST:
            state = {**state, **fresh()}
        result = _failed(services, {**state, "errors": (*state["errors"], record)}, context)
        update = _with_span(error.node, state, opened, {"errors": result.errors, "result": result})
        return Command(goto="__end__", update={**fresh(), **update} if error.node == FIRST else update)

    return fail


def _failed(services: Services, state: State, context: Context) -> TagResult:
    """The answer that a second pass or the specialist should have replaced stands, if there is one."""
    first = state["first_look"]
    if state["known"] != "answer" and first is not None:
        state = {**state, "known": "answer", "category": first.category, "details": first.details, "absences": {}}
    status: Status = "needs_review" if state["known"] == "answer" else "failed"
    return build_result(services, state, context, status)


def _cause(failed: NodeError) -> tuple[OnelookError, OpenSpan]:
    """The error in our words, and the span that it ended. A bug is raised again with its own type."""
    if isinstance(failed.error, NodeFailed):
        return failed.error.error, failed.error.node
    raise failed.error


def _with_context(runtime: Runtime[Context], services: Services) -> Runtime[Context]:
    """LangGraph gives None as the context of a run that was started without one."""
    return runtime if runtime.context is not None else runtime.override(context=services.run)


def _earlier_attempts(runtime: Runtime[Context]) -> tuple[int, int]:
    """The number of this attempt, and the time since the first one began, in nanoseconds."""
    info = runtime.execution_info
    if info is None or info.node_attempt <= 1 or not info.node_first_attempt_time:
        return 1, 0
    return info.node_attempt, int((time.time() - info.node_first_attempt_time) * 1e9)


def _with_span(name: str, state: State, opened: OpenSpan, update: State) -> State:
    """`update` with the node's span, and with the whole ledger in a result."""
    first = name == FIRST
    origin_ns = (run_started_ns.get() or opened.start_ns) if first else state["origin_ns"]
    own = closed(opened, origin_ns)
    spans = (own,) if first else (*state["node_spans"], own)
    if "result" in update:
        ledger = Ledger(nodes=spans)
        update["result"] = update["result"].model_copy(update={"ledger": ledger, "usage": ledger.usage()})
    if first:
        # In the place of the spans that an earlier run on the same thread left.
        overwritten = cast("tuple[NodeTiming, ...]", Overwrite(spans))
        return {**update, "origin_ns": origin_ns, "node_spans": overwritten}
    return {**update, "node_spans": (own,)}
