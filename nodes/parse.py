"""Where a reply becomes a typed answer, in every arm."""

from __future__ import annotations

from langgraph.runtime import Runtime

from engines.contract import Reply
from graph.errors import ReplyInvalid
from graph.schema import Context, Tag
from graph.services import Services
from graph.state import State
from nodes.confidence import span_probability
from nodes.questions import has_details, next_question
from prompts.question import Question


def read_reply(services: Services, question: Question, reply: Reply) -> State:
    """What `reply` states, each label with its probability: a category, details, or both.

    Raises:
        ReplyInvalid: the reply breaks the constraint, so the engine did not keep it.
    """
    reading = question.read(reply.text)
    read: State = {}

    def tag(mention: Mention) -> Tag:
        return Tag(
            id=mention.id,
            label=mention.label,
            confidence=span_probability(reply.tokens, mention.start, mention.end),
        )

    if reading.category is not None:
        read["category"] = tag(reading.category)
    if reading.details is not None:
        read["details"] = {
            attribute: tuple(tag(mention) for mention in mentions) for attribute, mentions in reading.details.items()
        }
    return read


async def parse(services: Services, state: State, runtime: Runtime[Context]) -> State:
    reply = state["reply"]
    if reply is None:
        raise RuntimeError("parse runs after classify or describe")
    try:
        read = read_reply(services, next_question(services, state, runtime.context), reply)
    except ReplyInvalid as error:
        # Free text goes wrong now and then; as in the field, the model is told so and asked once more.
        if runtime.context.arm != "legacy" or state["complaint"] is not None:
            raise
        return {"complaint": error.message}
    category = read.get("category")
    if category is not None and not has_details(services, category):
        read["details"] = {}
    return {"complaint": None, **read}
