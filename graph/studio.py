"""The graph as LangGraph Studio loads it, and the HTTP door in the same process: `make studio`, or `langgraph dev`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Annotated

from langgraph.channels import UntrackedValue
from pydantic import Field
from starlette.applications import Starlette
from starlette.routing import Route
from typing_extensions import TypedDict

from onelook.api.app import build_app
from onelook.api.state import open_tagger
from onelook.demo.checkpoint import DRAWINGS
from onelook.graph.build import build_graph
from onelook.settings.process import load_settings

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


tagger = open_tagger(load_settings())
graph = build_graph(replace(tagger.services, sample=SAMPLE), input_schema=StudioInput)
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
