"""The graph as LangGraph Studio loads it, and the HTTP door in the same process: `make studio`, or `langgraph dev`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Annotated, Any, Self

from langgraph.channels import UntrackedValue
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph
from pydantic import Field
from starlette.applications import Starlette
from starlette.routing import Route
from typing_extensions import TypedDict

from onelook.api.app import build_app
from onelook.api.state import open_tagger
from onelook.demo.checkpoint import DRAWINGS
from onelook.graph.build import build_graph
from onelook.ledger.model import NodeTiming
from onelook.result import Escalation, FirstLook, TagResult
from onelook.settings.process import load_settings
from onelook.types import ErrorRecord, Tag

SAMPLE = str(DRAWINGS / "heldout-0002.jpg")


class StudioInput(TypedDict, total=False):
    """The picture; where none is named, a drawing of the bundled album."""

    image: Annotated[
        str,
        UntrackedValue,
        Field(
            default=SAMPLE,
            examples=[SAMPLE],
            description="A picture: path, http(s) URL or data URL. As JSON also a list, of up to five of one subject.",
        ),
    ]


class StudioOutput(TypedDict):
    """What Studio's stream of updates shows of each node: the way that it chose, and what it found.

    The server streams only the channels of the output schema; with the result alone, every node but the last had null.
    """

    way: str
    why: str
    replies: tuple[str, ...]
    parse_error: str
    category: Tag | None
    details: dict[str, tuple[Tag, ...]]
    absences: dict[str, tuple[Tag, ...]]
    first_look: FirstLook | None
    escalation: Escalation | None
    errors: tuple[ErrorRecord, ...]
    result: TagResult


RESTORED = tuple(
    (each.__module__, each.__name__) for each in (Tag, FirstLook, Escalation, ErrorRecord, NodeTiming, TagResult)
)
"""The types in the channels of `State` that a checkpoint keeps."""


class StudioGraph(CompiledStateGraph[Any, Any, Any, Any]):
    """The graph, which tells the server's checkpointer what it may restore.

    For each run the server copies the graph and gives the copy its own checkpointer. The copy has lost the types that
    LangGraph collected from the graph's schemas when it was compiled, and a strict checkpointer restores nothing then.
    """

    def copy(self, update: dict[str, Any] | None = None) -> Self:
        given = update or {}
        checkpointer = given.get("checkpointer")
        if isinstance(checkpointer, BaseCheckpointSaver):
            given = {**given, "checkpointer": checkpointer.with_allowlist(RESTORED)}
        return super().copy(given)


tagger = open_tagger(load_settings())
compiled = build_graph(replace(tagger.services, sample=SAMPLE), input_schema=StudioInput, output_schema=StudioOutput)
graph = StudioGraph(**vars(compiled))  # as `copy` makes one
door = build_app(lambda: tagger)


@asynccontextmanager
async def opened_door(_: Starlette) -> AsyncIterator[None]:
    async with door.router.lifespan_context(door):
        yield


# Path by path: mounted whole, the door would put its headers and its error pages around Studio's own routes as well.
app = Starlette(
    routes=[
        Route(path, door, include_in_schema=False) for path in ("/", "/static/{file:path}", *door.openapi()["paths"])
    ],
    lifespan=opened_door,
)
