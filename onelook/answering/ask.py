"""The one place where a node puts questions to the engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from onelook.deadline import remaining_s
from onelook.engines.base import AskRequest, Engine, Reply
from onelook.engines.degradation import WATCH
from onelook.errors import EngineFailed, EngineRefused, ImageError
from onelook.images.picture import Picture
from onelook.ledger.model import ServerTiming
from onelook.ledger.stamps import span
from onelook.prompts.question import Question
from onelook.run_pool import may_ask
from onelook.services import Services
from onelook.types import Usage


async def ask(
    services: Services, question: Question, pictures: Sequence[Picture], *, engine: Engine | None = None
) -> Reply:
    """Ask `engine` (None: the first one) once; the graph owns the retries. Raises `EngineError` as the engine did."""
    asked = engine or services.engine
    await may_ask()
    with span("prompt"):
        request = ask_request(services, question, pictures)
    with span("engine") as taken, blaming_broken(pictures):
        reply = await asked.ask(request)
        taken.server, taken.usage, taken.cached = reply.timing, reply.usage, reply.cached
    WATCH.see(asked.model, [reply])
    return reply


async def ask_together(
    services: Services, questions: Sequence[Question], pictures: Sequence[Picture], *, top_logprobs: int = 0
) -> list[Reply]:
    """Ask several questions about the same pictures at once, and return the replies in their order.

    The first error is raised. In the ledger they are one span with the sum of their tokens; the engine's own times
    overlap there, so they are left out. All begin to wait for the server at the same time, so the longest wait counts.
    """
    if len(questions) == 1 and not top_logprobs:
        return [await ask(services, questions[0], pictures)]
    await may_ask()
    with span("prompt"):
        requests = [
            replace(ask_request(services, question, pictures), top_logprobs=top_logprobs) for question in questions
        ]
    with span("engine") as taken, blaming_broken(pictures):
        replies = await services.engine.ask_many(requests)
        taken.server = ServerTiming(
            throttle_ms=max((reply.timing.throttle_ms or 0.0 for reply in replies), default=0.0) or None
        )
        taken.usage = Usage.total(reply.usage for reply in replies)
        taken.cached = all(reply.cached for reply in replies)
    WATCH.see(services.engine.model, replies)
    return replies


@contextmanager
def blaming_broken(pictures: Sequence[Picture]) -> Iterator[None]:
    """If the engine fails on a file that was sent as it came, look whether that file is broken between its ends.

    Only then: decoding each such file takes longer than all else that prepares it.

    Raises:
        ImageUnreadable: a picture is broken; the engine's error is its cause.
    """
    try:
        yield
    except (EngineRefused, EngineFailed) as error:
        for picture in pictures:
            try:
                picture.pixels()
            except ImageError as broken:
                raise broken from error
        raise


def ask_request(services: Services, question: Question, pictures: Sequence[Picture]) -> AskRequest:
    """`question` about `pictures` as an engine gets it."""
    return AskRequest(
        messages=question.messages([picture.data_url for picture in pictures]),
        constraint=question.constraint,
        max_tokens=question.max_tokens,
        temperature=services.settings.temperature,
        within_s=remaining_s(),
    )
