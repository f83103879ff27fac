"""The one place where a node puts a question to the engine."""

from __future__ import annotations

from engines.contract import AskRequest, Reply
from graph.errors import ReplyTruncated
from graph.services import Services
from graph.timing import span
from images.picture import Picture
from prompts.question import Question


async def ask(services: Services, question: Question, picture: Picture) -> Reply:
    """Ask once; the graph owns the retries.

    Raises:
        EngineError: as the engine raised it.
        ReplyTruncated: a constrained reply was cut off, so it cannot be whole. Free text may still hold its answer.
    """
    with span("prompt"):
        request = AskRequest(
            messages=question.messages([picture.data_url]),
            constraint=question.constraint,
            max_tokens=question.max_tokens,
            temperature=services.settings.temperature,
        )
    with span("engine") as taken:
        reply = await services.engine.ask(request)
        taken.server, taken.usage = reply.timing, reply.usage
    if reply.stop_reason == "length" and question.constraint is not None:
        raise ReplyTruncated(
            f"the reply was cut off after {question.max_tokens} tokens: {reply.text[-60:]!r}",
            hint="the longest valid reply fits in that many tokens: does the server keep the constraint?"
            " `onelook doctor` tells",
        )
    return reply
