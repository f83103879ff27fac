"""Labels are read, not written: each question is answered by one letter, and its probability is the confidence.

Two rounds. The first reads the category; it also leaves system prompt and picture in the engine's prefix cache. The
second asks about all attributes of that category at once, on that prefix: one token each, however long the labels are.
"""

from __future__ import annotations

from collections.abc import Sequence

from langgraph.runtime import Runtime

from onelook.answering.ask import ask_together
from onelook.answering.calibration import fit_of
from onelook.answering.debias import MOST_LETTERS, average
from onelook.answering.reading import Details, absences, read_reply, tags
from onelook.engines.base import Reply
from onelook.graph.state import State
from onelook.images.picture import Picture
from onelook.ledger.stamps import span
from onelook.prompts.question import Question
from onelook.services import Services
from onelook.types import Context


async def read_labels(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """The node of the arm `reads`.

    Raises:
        PromptError: the taxonomy has more categories, or an attribute more options, than there are letters.
        EngineError: as the engine raised it.
    """
    language = runtime.context.language
    prompts, pictures = services.prompts[language], state["pictures"]
    prompts.refuse_too_many_options()  # before the first question, not in the second round of some pictures
    orders = (False, True) if runtime.context.debias else (False,)
    asked = [tuple(prompts.read_category(backwards=backwards) for backwards in orders)]
    ((question, reply),) = await _read(services, asked, pictures)
    with span("parse"):
        fit = fit_of(services, runtime.context, services.engine)
        category, _ = tags(services, read_reply(question, reply), reply, fit, language)
        attributes = services.taxonomy.categories[category.id].details
        asked = [
            questions
            for attribute in attributes
            for questions in zip(
                *(prompts.read_attribute(category.id, attribute, backwards=backwards) for backwards in orders),
                strict=True,
            )
        ]
    details: Details = dict.fromkeys(attributes, ())
    absent: Details = {}
    answers = await _read(services, asked, pictures) if asked else []
    with span("parse"):
        for question, reply in answers:
            reading = read_reply(question, reply)
            _, found = tags(services, reading, reply, fit, language, category)
            for attribute, chosen in found.items():
                details[attribute] += chosen
            for attribute, options in absences(services, reading, reply, fit, language, category).items():
                absent[attribute] = absent.get(attribute, ()) + options
    return {
        "known": "answer",
        "category": category,
        "details": details,
        "absences": absent,
        "answered_by": services.engine.model,
    }


async def _read(
    services: Services, asked: Sequence[tuple[Question, ...]], pictures: Sequence[Picture]
) -> list[tuple[Question, Reply]]:
    """Ask one round. Each question comes in one order of its options or in several; returned are the first of them, and
    the reply to it that all of them give."""
    questions = [question for orders in asked for question in orders]
    debias = len(questions) > len(asked)
    replies = await ask_together(services, questions, pictures, top_logprobs=MOST_LETTERS if debias else 0)
    if not debias:
        return list(zip(questions, replies, strict=True))
    remaining = iter(replies)
    with span("parse"):
        return [(orders[0], average(orders, [next(remaining) for _ in orders])) for orders in asked]
