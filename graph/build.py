"""The state machine: which node follows which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from langgraph.channels import UntrackedValue
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Checkpointer, RetryPolicy

from onelook.graph.arms import ARMS, way_to
from onelook.graph.instrument import Node, error_handler, instrument, is_retryable
from onelook.graph.state import Input, Output, State
from onelook.graph.ways import Way
from onelook.nodes.analyze import analyze
from onelook.nodes.classify import classify
from onelook.nodes.describe import describe
from onelook.nodes.enlarge import enlarge
from onelook.nodes.escalate import escalate
from onelook.nodes.parse import parse
from onelook.nodes.prepare import prepare
from onelook.nodes.read import read_labels
from onelook.nodes.review import review
from onelook.nodes.route import route
from onelook.services import Services
from onelook.types import Context

TaggerGraph = CompiledStateGraph[State, Context, Input, Output]

GRACE_S = 5.0  # the engine's own timeout comes first: its message knows more

# Where ways part: the name that a node writes into `way`, which every drawing shows, and the node that it leads to.
AFTER_PREPARE: Mapping[Way, str] = {way_to(arm.entry): arm.entry for arm in ARMS.values()}
AFTER_ROUTE: Mapping[Way, str] = {
    "no details": "review",
    "size by category": "enlarge",
    "router not sure": "analyze",
    "has details": "describe",
}
AFTER_DESCRIBE: Mapping[Way, str] = {
    way_to(arm.entry): "parse" if arm.two_calls else "review" for arm in ARMS.values() if arm.two_calls or arm.routed
}
AFTER_PARSE: Mapping[Way, str] = {"unreadable": "classify", "has details": "describe", "complete": "review"}
AFTER_REVIEW: Mapping[Way, str] = {"look again": "enlarge", "hard": "escalate", "done": END}
AFTER_ENLARGE: Mapping[Way, str] = {
    **{way_to(arm.entry): arm.entry for arm in ARMS.values() if not arm.routed},
    "category known": "describe",
    "for the specialist": "escalate",
}


def build_graph(
    services: Services,
    *,
    checkpointer: Checkpointer = None,
    input_schema: type[Any] = Input,
    output_schema: type[Any] = Output,
) -> TaggerGraph:
    """Compile the graph over `services`. Replies and ledger go into `checkpointer`, pictures never do.

    `input_schema`: `Input`, or a schema that a form shows instead. `output_schema`: `Output`, or more channels of the
    state: a stream of updates has only these.
    """
    settings = services.settings
    retry = RetryPolicy(
        initial_interval=settings.retry_interval_s, max_attempts=settings.max_attempts, retry_on=is_retryable
    )
    one_call = patience_s(engine.capabilities.patience_s for engine in services.engines)
    two_rounds = None if one_call is None else 2 * one_call

    graph = StateGraph(State, context_schema=type(services.run), input_schema=input_schema, output_schema=output_schema)
    graph.set_node_defaults(error_handler=cast("Any", error_handler(services)))  # its hints lack NodeError

    def add(
        name: str,
        node: Node,
        ways: Mapping[Way, str] | None = None,
        *,
        retry_policy: RetryPolicy | None = None,
        timeout_s: float | None = None,
    ) -> None:
        graph.add_node(
            name,
            instrument(name, node, services, ways=ways, timeout_s=timeout_s),
            retry_policy=retry_policy,
            destinations=None if ways is None else {follower: way for way, follower in ways.items()},
        )

    add("prepare", prepare, AFTER_PREPARE, retry_policy=retry)
    add("analyze", analyze, retry_policy=retry, timeout_s=one_call)
    add("read", read_labels, retry_policy=retry, timeout_s=two_rounds)
    add("route", route, AFTER_ROUTE, retry_policy=retry, timeout_s=patience_s([services.router.patience_s]))
    add("classify", classify, retry_policy=retry, timeout_s=one_call)
    add("parse", parse, AFTER_PARSE)
    add("describe", describe, AFTER_DESCRIBE, retry_policy=retry, timeout_s=one_call)
    add("review", review, AFTER_REVIEW)
    add("enlarge", enlarge, AFTER_ENLARGE)
    add("escalate", escalate, retry_policy=retry, timeout_s=one_call)
    graph.add_edge(START, "prepare")
    graph.add_edge("analyze", "review")
    graph.add_edge("read", "review")
    graph.add_edge("classify", "parse")
    graph.add_edge("escalate", END)
    return _without_input_in_checkpoints(graph.compile(checkpointer=checkpointer, name="onelook"), input_schema)


def patience_s(each: Iterable[float | None]) -> float | None:
    """How long a node may wait for its engines, in seconds; None where waiting for one of them is no fault."""
    longest = 0.0
    for seconds in each:
        if seconds is None:
            return None
        longest = max(longest, seconds)
    return longest + GRACE_S


def _without_input_in_checkpoints(compiled: TaggerGraph, input_schema: type[Any]) -> TaggerGraph:
    """LangGraph keeps a run's input in the channel `__start__` until the first step, and writes a checkpoint before it:
    the picture's bytes would be in it. No public option makes that channel untracked, so it is replaced here."""
    start: UntrackedValue[Any] = UntrackedValue(input_schema)
    start.key = START
    compiled.channels[START] = start
    return compiled
