"""A node failed for good: the error becomes part of the result, and the run goes on to its end."""

from __future__ import annotations

import time
from typing import Literal

from langgraph.errors import NodeError, NodeTimeoutError
from langgraph.types import Command

from onelook.errors import EngineTimeout, OnelookError
from onelook.graph.instrument import NodeFailed, begin, begins_run
from onelook.graph.state import State, fresh
from onelook.ledger.stamps import OpenSpan, closed, run_started_ns
from onelook.types import ErrorRecord


def may_pass(error: Exception) -> bool:
    """Whether a failed node is worth another attempt: the error itself says so. The only owner of retries."""
    if isinstance(error, NodeFailed):
        return error.error.retryable
    return isinstance(error, NodeTimeoutError)


def known(failed: NodeError) -> tuple[OnelookError, OpenSpan]:
    """The error in our words, and the visit that it ended. A bug is not ours to name: it is raised again."""
    error = failed.error
    if isinstance(error, NodeFailed):
        return error.error, error.visit
    if isinstance(error, NodeTimeoutError):
        now = time.perf_counter_ns()
        hint = "a slow model or a long queue: raise timeout_s, or lower concurrency"
        return EngineTimeout(f"{failed.node} took longer than {error.timeout:g} s", hint=hint), OpenSpan(
            failed.node, now - int(error.elapsed * 1e9), now
        )
    raise error


async def fail(state: State, error: NodeError) -> Command[Literal["finish"]]:
    """LangGraph's error handler of every node; it fills the parameter `error` by its name."""
    cause, visit = known(error)
    record = ErrorRecord(
        kind=type(cause).__name__,
        node=error.node,
        message=cause.message,
        hint=cause.hint,
        retryable=cause.retryable,
    )
    failed: State
    if error.node == "prepare" and begins_run(state):
        origin_ns = run_started_ns.get() or visit.start_ns
        begun: State = {**fresh(), "origin_ns": origin_ns, "visits": begin(closed(visit, origin_ns))}
        failed = {**begun, "errors": (record,), "failed": True}
    else:
        failed = {
            "visits": (closed(visit, state["origin_ns"]),),
            "errors": (*state["errors"], record),
            **last_answer(state, error.node),
        }
    return Command(goto="finish", update=dict(failed))


def last_answer(state: State, node: str) -> State:
    """What stands when `node` fails: the answer that a second look or a specialist should have bettered, if any."""
    first = state["first_look"]
    if node in ("prepare", "escalate") and state["details"] is not None:
        return {}
    if first is not None:
        return {"category": first.category, "details": first.details}
    return {"failed": True}
