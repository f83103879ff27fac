"""Where a reply becomes a typed answer, in every arm."""

from __future__ import annotations

from langgraph.runtime import Runtime

from engines.contract import Reply
from graph.errors import ReplyInvalid
from graph.schema import Context, Language, Tag
from graph.services import Services
from graph.state import State
from nodes.confidence import span_probability
from nodes.questions import has_details, next_question
from prompts.question import Question
from prompts.reading import SpanKey

Details = dict[str, tuple[Tag, ...]]


def read_reply(
    services: Services, question: Question, reply: Reply, language: Language, known: Tag | None = None
) -> tuple[Tag, Details]:
    """The category (`known`, where the question took it as known) and the details that `reply` states.

    Every label comes with its probability; the details are empty where the question did not ask for them.

    Raises:
        ReplyInvalid: the reply breaks the constraint, so the engine did not keep it.
    """
    reading = question.read(reply.text)

    def confidence(key: SpanKey) -> float | None:
        return span_probability(reply.tokens, *reading.spans[key])

    if reading.category is not None:
        label = services.taxonomy.categories[reading.category].label[language]
        known = Tag(id=reading.category, label=label, confidence=confidence("category"))
    if known is None:
        raise ValueError("a question for details needs the category that is known already")
    attributes = services.taxonomy.categories[known.id].details
    return known, {
        attribute: tuple(
            Tag(
                id=option,
                label=attributes[attribute].options[option][language],
                confidence=confidence((attribute, option)),
            )
            for option in options
        )
        for attribute, options in reading.details.items()
    }


async def parse(services: Services, state: State, runtime: Runtime[Context]) -> State:
    reply, known, context = state["reply"], state["category"], runtime.context
    if reply is None:
        raise RuntimeError("parse runs after classify or describe")
    question = next_question(services, state, context)
    try:
        category, details = read_reply(services, question, reply, context.language, known)
    except ReplyInvalid as error:
        # Free text goes wrong now and then; as in the field, the model is told so and asked once more.
        if context.arm != "legacy" or state["complaint"] is not None:
            raise
        return {"complaint": error.message}
    complete = known is not None or not has_details(services, category)
    return {"complaint": None, "category": category, "details": details if complete else None}
