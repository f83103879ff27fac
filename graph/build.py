"""The state machine: which node follows which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from langgraph.channels import UntrackedValue
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Checkpointer, RetryPolicy

from onelook.graph.arms import ARMS, way_to
from onelook.graph.instrument import error_handler, instrument, is_retryable
from onelook.graph.state import Input, Output, Parting, State
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
    asking: Any = {"retry_policy": retry, "timeout": one_call}
    two_rounds = None if one_call is None else 2 * one_call

    graph = StateGraph(State, context_schema=type(services.run), input_schema=input_schema, output_schema=output_schema)
    graph.set_node_defaults(error_handler=cast("Any", error_handler(services)))  # its hints lack NodeError
    graph.add_node("prepare", instrument("prepare", prepare, services), retry_policy=retry)
    graph.add_node("analyze", instrument("analyze", analyze, services), **asking)
    graph.add_node("read", instrument("read", read_labels, services), retry_policy=retry, timeout=two_rounds)
    graph.add_node(
        "route",
        instrument("route", route, services),
        retry_policy=retry,
        timeout=patience_s([services.router.patience_s]),
    )
    graph.add_node("classify", instrument("classify", classify, services), **asking)
    graph.add_node("parse", instrument("parse", parse, services))
    graph.add_node("describe", instrument("describe", describe, services), **asking)
    graph.add_node("review", instrument("review", review, services))
    graph.add_node("enlarge", instrument("enlarge", enlarge, services))
    graph.add_node("escalate", instrument("escalate", escalate, services), **asking)

    def part(node: str, ways: Mapping[Way, str]) -> None:
        graph.add_conditional_edges(node, written_way, dict(ways.items()))  # LangGraph's keys are any Hashable

    graph.add_edge(START, "prepare")
    part("prepare", AFTER_PREPARE)
    graph.add_edge("analyze", "review")
    graph.add_edge("read", "review")
    part("route", AFTER_ROUTE)
    graph.add_edge("classify", "parse")
    part("describe", AFTER_DESCRIBE)
    part("parse", AFTER_PARSE)
    part("review", AFTER_REVIEW)
    part("enlarge", AFTER_ENLARGE)
    graph.add_edge("escalate", END)
    return _without_input_in_checkpoints(graph.compile(checkpointer=checkpointer, name="onelook"), input_schema)


async def written_way(state: Parting) -> Way:
    """Every edge that chooses takes the way that its node has written."""
    return state["way"]


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
