"""An engine that says what it is told to: for tests, and for people who write nodes. It looks at nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PIL import Image

from onelook.engines.base import AskRequest, Capabilities, Engine, Finding, Reply, StopReason, Token
from onelook.errors import EngineError
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

Answer = str | ScriptedReply | EngineError
Script = Callable[[AskRequest], Answer]


@dataclass
class ScriptedEngine(Engine):
    """Answers each request with `script(request)`, or with the next of a fixed sequence; an `EngineError` is raised.

    `asked` keeps every request, so that a test can look at what a node really sent.
    """

    script: Script | Sequence[Answer]
    model: str = "scripted"
    capabilities: Capabilities = UNLIMITED
    asked: list[AskRequest] = field(default_factory=list)

    async def start(self) -> None:
        return None

    async def ask(self, request: AskRequest) -> Reply:
        turn = len(self.asked)
        self.asked.append(request)
        answer = self.script(request) if callable(self.script) else self.script[turn]
        if isinstance(answer, EngineError):
            raise answer
        line = ScriptedReply(answer) if isinstance(answer, str) else answer
        await asyncio.sleep(line.wait_s)
        return line.reply()

    async def probe(self) -> list[Finding]:
        return [Finding("scripted", ok=True, detail="answers as written; it looks at no picture")]

    async def aclose(self) -> None:
        return None


@dataclass
class ScriptedRouter:
    """Says the next of a sequence for each picture, and its last for all further ones; an `EngineError` is raised.

    `classified` counts what it was asked.
    """

    script: Sequence[Sequence[float] | EngineError]
    model: str = "scripted router"
    patience_s: float | None = None
    classified: int = 0

    async def start(self) -> None:
        return None

    async def classify(self, pictures: Sequence[Image.Image]) -> tuple[float, ...]:
        said = self.script[min(self.classified, len(self.script) - 1)]
        self.classified += 1
        if isinstance(said, EngineError):
            raise said
        return tuple(said)

    async def probe(self) -> list[Finding]:
        return [Finding("scripted router", ok=True, detail="answers as written; it looks at no picture")]

    async def aclose(self) -> None:
        return None
