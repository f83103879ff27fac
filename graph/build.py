"""The state machine: which node follows which."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, cast

from langgraph.cache.memory import InMemoryCache
from langgraph.channels import UntrackedValue
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import CachePolicy, Checkpointer, RetryPolicy

from onelook.answering.resolution import sized_by_category
from onelook.graph.failure import fail, may_pass
from onelook.graph.instrument import visit
from onelook.graph.state import Input, Output, State
from onelook.nodes.analyze import analyze
from onelook.nodes.classify import classify
from onelook.nodes.describe import describe
from onelook.nodes.escalate import escalate
from onelook.nodes.finish import finish
from onelook.nodes.parse import parse
from onelook.nodes.prepare import prepare
from onelook.nodes.read import read_labels
from onelook.nodes.review import asks_specialist, review
from onelook.nodes.route import route
from onelook.services import Services
from onelook.types import Context

TaggerGraph = CompiledStateGraph[State, Context, Input, Output]

KEEP_ANSWERS_S = 3600
GRACE_S = 5.0  # the engine's own timeout should speak first: its message knows more

# Where the ways part: what a way is called in every drawing of the graph, and the node that it leads to.
AFTER_PREPARE: dict[Hashable, str] = {
    "fused": "analyze",
    "reads": "read",
    "hybrid": "route",
    "legacy, legacy_shared": "classify",
    "category known": "describe",
    "for the specialist": "escalate",
}
AFTER_ROUTE: dict[Hashable, str] = {
    "no details": "review",
    "size by category": "prepare",
    "router not sure": "analyze",
    "has details": "describe",
}
AFTER_PARSE: dict[Hashable, str] = {"unreadable": "classify", "has details": "describe", "complete": "review"}
AFTER_REVIEW: dict[Hashable, str] = {"look again": "prepare", "hard": "escalate", "done": "finish"}


def build_graph(
    services: Services, *, checkpointer: Checkpointer = None, input_schema: type[Any] = Input
) -> TaggerGraph:
    """Compile the graph over `services`. Into `checkpointer` go replies and ledger, never a picture.

    `input_schema`: `Input`, or what a form shows in its place.
    """
    settings = services.settings
    retry = RetryPolicy(
        initial_interval=settings.retry_interval_s, max_attempts=settings.max_attempts, retry_on=may_pass
    )
    # The embedded engine answers one question at a time, and waiting for a turn is no fault: only a server is timed.
    engines = [each for each in (settings, settings.specialist) if each is not None]
    patience = max(each.timeout_s for each in engines) + GRACE_S
    # Where models take turns, waiting for one is no fault either.
    served = all(each.engine == "vllm" for each in engines) and settings.residency == "both"
    one_call, two_calls = (patience, 2 * patience) if served else (None, None)
    # Its first picture comes after three or four requests: the model's name, and the texts, kept or new.
    routing = 4 * settings.router.timeout_s + GRACE_S if settings.router.engine == "vllm" else None
    cached = settings.cache == "memory"
    asking: Any = {
        "retry_policy": retry,
        "timeout": one_call,
        "cache_policy": CachePolicy(key_func=answer_key, ttl=KEEP_ANSWERS_S) if cached else None,
    }

    async def after_prepare(state: State, runtime: Runtime[Context]) -> str:
        if state["details"] is not None:
            return "for the specialist"
        if state["category"] is not None:
            return "category known"
        match (runtime.context or services.run).arm:
            case "legacy" | "legacy_shared":
                return "legacy, legacy_shared"
            case "hybrid" if state["routed"]:  # the router was not sure
                return "fused"
            case arm:
                return arm

    async def after_route(state: State, runtime: Runtime[Context]) -> str:
        if state["details"] is not None:
            return "no details"
        context = runtime.context or services.run
        if sized_by_category(context) and not context.adaptive:
            return "size by category"
        return "router not sure" if state["category"] is None else "has details"

    async def after_review(state: State, runtime: Runtime[Context]) -> str:
        if state["look_again"]:
            return "look again"
        return "hard" if asks_specialist(services, state["hard"], runtime.context or services.run) else "done"

    async def after_parse(state: State) -> str:
        if state["category"] is None:
            return "unreadable"
        return "has details" if state["details"] is None else "complete"

    graph = StateGraph(State, context_schema=type(services.run), input_schema=input_schema, output_schema=Output)
    graph.set_node_defaults(error_handler=cast("Any", fail))  # its type hints do not know of the NodeError parameter
    graph.add_node("prepare", visit("prepare", prepare, services, first=True), retry_policy=retry)
    graph.add_node("analyze", visit("analyze", analyze, services), **asking)
    graph.add_node("read", visit("read", read_labels, services), **asking | {"timeout": two_calls})
    graph.add_node("route", visit("route", route, services), **asking | {"timeout": routing})
    graph.add_node("classify", visit("classify", classify, services), **asking)
    graph.add_node("parse", visit("parse", parse, services))
    graph.add_node("describe", visit("describe", describe, services), **asking)
    graph.add_node("review", visit("review", review, services))
    graph.add_node("escalate", visit("escalate", escalate, services), **asking)
    graph.add_node("finish", visit("finish", finish, services))

    graph.add_edge(START, "prepare")
    graph.add_conditional_edges("prepare", after_prepare, AFTER_PREPARE)
    graph.add_edge("analyze", "review")
    graph.add_edge("read", "review")
    graph.add_conditional_edges("route", after_route, AFTER_ROUTE)
    graph.add_edge("classify", "parse")
    graph.add_edge("describe", "parse")
    graph.add_conditional_edges("parse", after_parse, AFTER_PARSE)
    graph.add_conditional_edges("review", after_review, AFTER_REVIEW)
    graph.add_edge("escalate", "finish")
    graph.add_edge("finish", END)

    compiled = graph.compile(checkpointer=checkpointer, cache=InMemoryCache() if cached else None, name="onelook")
    # The input waits in the channel `__start__` for its first step, and a checkpoint is written before that step:
    # untracked there as well, or the picture's bytes would be in it.
    start: UntrackedValue[Any] = UntrackedValue(input_schema)
    start.key = START
    compiled.channels[START] = start
    return compiled


def answer_key(state: State) -> str:
    """What the answer to a node's question depends on: picture and choices, and what the run has found before."""
    category = state["category"]
    return f"{state['run_key']} {category.id if category else ''} {state['parse_error'] or ''}"
