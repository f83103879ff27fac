"""Answers kept in memory at the engine's boundary: the same question is asked once an hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from threading import Lock

import orjson
from cachetools import TTLCache

from onelook.engines.base import AskRequest, Capabilities, Constraints, Engine, Finding, Reply, Workload
from onelook.engines.cache_scope import cache_scope, picture_scope
from onelook.engines.throttle import Throttle
from onelook.ledger.model import ServerTiming
from onelook.types import Usage

KEEP_ANSWERS_S = 3600

# A reply with its tokens takes some 10 KB, so about 40 MB in all.
MOST_ANSWERS = 4096

Key = tuple[str, bytes]


class CachedEngine(Engine):
    """`engine`, whose replies are kept for an hour: the `MOST_ANSWERS` that were used last.

    A reply that was kept has `cached=True`, and neither usage nor timing: nothing was spent on it now. Errors are never
    kept. The same question, asked again before its first answer is there, is asked twice.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._replies: TTLCache[Key, Reply] = TTLCache(MOST_ANSWERS, KEEP_ANSWERS_S)
        self._lock = Lock()  # an engine may serve several event loops, each in a thread of its own

    @property
    def model(self) -> str:
        return self.engine.model

    @property
    def capabilities(self) -> Capabilities:
        return self.engine.capabilities

    @property
    def throttles(self) -> Sequence[Throttle]:
        return self.engine.throttles

    async def look_up(self) -> Capabilities:
        return await self.engine.look_up()

    async def start(self, constraints: Constraints = "schema") -> None:
        await self.engine.start(constraints)

    async def ask(self, request: AskRequest) -> Reply:
        """The reply that was kept, or the engine's. Raises `EngineError` as the engine does."""
        digest = question_digest(request)
        kept = self._find(digest)
        if kept is not None:
            return kept
        reply = await self.engine.ask(request)
        self._keep(digest, reply)
        return reply

    async def ask_many(self, requests: Sequence[AskRequest]) -> list[Reply]:
        """As `ask`; the engine is asked only for the replies that were not kept, all at once."""
        digests = [question_digest(request) for request in requests]
        replies = [self._find(digest) for digest in digests]
        missing = [index for index, reply in enumerate(replies) if reply is None]
        if missing:
            answered = await self.engine.ask_many([requests[index] for index in missing])
            for index, reply in zip(missing, answered, strict=True):
                self._keep(digests[index], reply)
                replies[index] = reply
        return [reply for reply in replies if reply is not None]

    async def probe(self, workload: Workload | None = None) -> list[Finding]:
        return await self.engine.probe(workload)

    async def aclose(self) -> None:
        await self.engine.aclose()

    def _find(self, digest: bytes) -> Reply | None:
        with self._lock:
            return self._replies.get((self.model, digest))

    def _keep(self, digest: bytes, reply: Reply) -> None:
        # Under the model's name as it is now: a server's only model gets its name with the first answer.
        with self._lock:
            self._replies[self.model, digest] = replace(reply, usage=Usage(), timing=ServerTiming(), cached=True)


def question_digest(request: AskRequest) -> bytes:
    """SHA-256 of what a model's reply to `request` depends on: messages with their pictures, constraint, limits; and of
    the scopes, since what is timed in one scope must not be answered from another.

    How long the caller waits is not part of it.
    """
    question = [
        cache_scope.get(),
        picture_scope.get(),
        [message.model_dump(exclude={"id", "response_metadata"}) for message in request.messages],
        request.constraint,
        request.max_tokens,
        request.temperature,
        request.top_logprobs,
    ]
    return sha256(orjson.dumps(question)).digest()
