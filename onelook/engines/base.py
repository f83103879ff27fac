"""The contract between a node and the model that answers it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, runtime_checkable

from langchain_core.messages import BaseMessage

from onelook.constraint import Choice, Constraint, JsonSchema, Regex
from onelook.engines.size_grid import DEFAULT_GRID
from onelook.engines.throttle import Throttle
from onelook.ledger.model import ServerTiming
from onelook.types import Usage

__all__ = [
    "MAX_IMAGES",
    "AskRequest",
    "Capabilities",
    "Choice",
    "Constraint",
    "Constraints",
    "Engine",
    "Finding",
    "JsonSchema",
    "Regex",
    "Reply",
    "StopReason",
    "Token",
    "Workload",
]

MAX_IMAGES = 5
NO_WAIT_S = 0.0005  # less than this: the request was sent at once


@dataclass(frozen=True, slots=True)
class AskRequest:
    """One question about one to five pictures.

    `messages` are LangChain messages; a picture is a content part
    `{"type": "image_url", "image_url": {"url": "data:…"}}`.
    `top_logprobs`: how many alternatives to return for each token (0: only the token's own logprob).
    `within_s`: seconds that the caller waits; after that the engine stops (None: the engine's own timeout).
    """

    messages: Sequence[BaseMessage]
    constraint: Constraint | None
    max_tokens: int
    temperature: float = 0.0
    top_logprobs: int = 0
    within_s: float | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """One generated token: its bytes, and its natural-log probability after the constraint's mask."""

    data: bytes
    logprob: float
    alternatives: Mapping[bytes, float]


StopReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model answered. The tokens' bytes, joined, are `text` in UTF-8; without logprobs there are no tokens.

    `cached`: the answer to the same question asked before; usage and timing are then empty. `thoughts`: what the model
    wrote before its answer, where the server keeps that apart.
    """

    text: str
    stop_reason: StopReason
    tokens: tuple[Token, ...]
    usage: Usage
    timing: ServerTiming
    cached: bool = False
    thoughts: str = ""

    def throttled(self, seconds: float) -> Reply:
        """This reply, with what its request waited until the server took it in its timing, if it waited."""
        if seconds < NO_WAIT_S:
            return self
        return replace(self, timing=self.timing.model_copy(update={"throttle_ms": seconds * 1000}))


@dataclass(frozen=True, slots=True)
class Workload:
    """The most that the runs of this process ask of an engine.

    `longest`: the longest question, about a square picture whose side has so many pixels; `long_edge`: the largest.
    """

    long_edge: int
    longest: Callable[[int], AskRequest]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the capability probe. If it is `needed` and not `ok`, the engine is refused with `hint`."""

    capability: str
    ok: bool
    detail: str
    needed: bool = True
    hint: str | None = None


Constraints = Literal["none", "schema", "regex"]
"""What replies are held to: nothing (free text), JSON schemas only, or every constraint."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the graph must know of an engine.

    A server or a checkpoint knows more of it after the first question, when it was looked up or loaded.
    """

    patience_s: float | None = None
    """The longest time that one call may take, in seconds; it is then cancelled, and its end waited for. None: a long
    wait is no fault, because the model answers one question after another in this process, or shares its memory with
    another model."""
    concurrent: bool = True
    """Whether several calls at once are answered sooner than one after another."""
    size_grid: int = DEFAULT_GRID
    """A picture is not resampled again if its sides are multiples of this many pixels (`onelook.engines.size_grid`)."""
    constraints: Literal["regex", "schema"] = "regex"
    """Which constraints it keeps: all (`regex`), or JSON schemas only (`schema`)."""


@runtime_checkable
class Engine(Protocol):
    """A model that answers. Raises only `onelook.errors.EngineError`, except for bugs; never retries by itself."""

    @property
    def model(self) -> str:
        """The name of the model that answers."""

    @property
    def capabilities(self) -> Capabilities:
        """What this engine can do."""

    @property
    def throttles(self) -> Sequence[Throttle]:
        """What holds requests back while a server is overloaded or down, one for each of its servers."""
        return ()

    async def look_up(self) -> Capabilities:
        """What this engine can do, after asking the server or reading the checkpoint's files where that is needed.

        It raises nothing: what cannot be found out now is left at its default, and the first question reports why.
        """
        return self.capabilities

    async def start(self, constraints: Constraints = "schema") -> None:
        """Load or connect now, and raise if a needed capability is missing. If this is not called, `ask` does it.

        `constraints`: what the replies of the coming runs are held to.
        """

    async def ask(self, request: AskRequest) -> Reply: ...

    async def ask_many(self, requests: Sequence[AskRequest]) -> list[Reply]:
        """Ask all of `requests` at once; the replies are in the same order. The first error cancels the others.

        An engine may answer several questions about the same pictures in less time than one by one. If it counts their
        tokens together, the first reply has the count.
        """
        asking = [asyncio.create_task(self.ask(request)) for request in requests]
        try:
            return await asyncio.gather(*asking)
        finally:
            for task in asking:
                task.cancel()

    async def probe(self, workload: Workload | None = None) -> list[Finding]:
        """What the engine can do, in two questions. With `workload` also whether it does so at full strength, in eight
        more (`onelook.engines.checks`)."""

    async def aclose(self) -> None: ...
