"""An engine whose replies are written beforehand: for tests, and for people who write nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PIL import Image

from onelook.engines.base import (
    AskRequest,
    Capabilities,
    Constraints,
    Engine,
    Finding,
    Reply,
    StopReason,
    Token,
    Workload,
)
from onelook.engines.throttle import Throttle
from onelook.errors import EngineError, SettingsError
from onelook.ledger.model import ServerTiming
from onelook.types import Usage


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """One scripted reply. `tokens` are (text, logprob); without them the reply comes without logprobs."""

    text: str = ""
    tokens: Sequence[tuple[str, float]] = ()
    stop_reason: StopReason = "stop"
    wait_s: float = 0.0

    def reply(self) -> Reply:
        return Reply(
            text=self.text or "".join(text for text, _ in self.tokens),
            stop_reason=self.stop_reason,
            tokens=tuple(Token(text.encode(), logprob, {}) for text, logprob in self.tokens),
            usage=Usage(completion_tokens=len(self.tokens) or None),
            timing=ServerTiming(),
        )


UNLIMITED = Capabilities()

Scripted = str | ScriptedReply | EngineError
Script = Callable[[AskRequest], Scripted]


@dataclass
class ScriptedEngine(Engine):
    """Answers each request with `script(request)`, or with the next of a fixed sequence; an `EngineError` is raised.

    `asked` keeps every request, so that a test sees what a node really sent.
    """

    script: Script | Sequence[Scripted]
    model: str = "scripted"
    capabilities: Capabilities = UNLIMITED
    asked: list[AskRequest] = field(default_factory=list)

    async def start(self, constraints: Constraints = "schema") -> None:
        return None

    async def ask(self, request: AskRequest) -> Reply:
        scripted = self.script(request) if callable(self.script) else self.script[len(self.asked)]
        self.asked.append(request)
        if isinstance(scripted, EngineError):
            raise scripted
        if isinstance(scripted, str):
            scripted = ScriptedReply(scripted)
        await asyncio.sleep(scripted.wait_s)
        return scripted.reply()

    async def probe(self, workload: Workload | None = None) -> list[Finding]:
        return [Finding("scripted", ok=True, detail="answers as written; it looks at no picture")]

    async def aclose(self) -> None:
        return None


@dataclass
class ScriptedRouter:
    """Returns the next of a sequence for each picture, and the last for all further ones; raises an `EngineError`.

    `classified` counts the calls.
    """

    script: Sequence[Sequence[float] | EngineError]
    model: str = "scripted router"
    patience_s: float | None = None
    throttles: Sequence[Throttle] = ()
    unfit: SettingsError | None = None
    classified: int = 0

    async def start(self) -> None:
        return None

    async def classify(self, pictures: Sequence[Image.Image]) -> tuple[float, ...]:
        scripted = self.script[min(self.classified, len(self.script) - 1)]
        self.classified += 1
        if isinstance(scripted, EngineError):
            raise scripted
        return tuple(scripted)

    async def probe(self) -> list[Finding]:
        return [Finding("scripted router", ok=True, detail="answers as written; it looks at no picture")]

    async def aclose(self) -> None:
        return None
