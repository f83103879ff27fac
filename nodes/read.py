"""Labels are read, not written: each question is answered by one letter, and its probability is the confidence.

Two rounds. The first reads the category; it also leaves system prompt and picture in the engine's prefix cache. The
second asks about all attributes of that category at once, on that prefix: one token each, however long the labels are.
A choice with more options than letters is asked in parts: which group of options, and which option of each group.
"""

from __future__ import annotations

from collections.abc import Sequence

from langgraph.runtime import Runtime

from onelook.answering.ask import ask_together
from onelook.answering.calibration import fit_of
from onelook.answering.debias import average
from onelook.answering.letters import joined
from onelook.answering.reading import Details, absences, read_reply, tags
from onelook.engines.base import Reply
from onelook.graph.state import State
from onelook.images.picture import Picture
from onelook.ledger.stamps import span
from onelook.prompts.question import LetterChoice, Question
from onelook.prompts.replies.letters import MOST_PROBABILITIES, GroupCodec, OptionOfGroupCodec
from onelook.services import Services
from onelook.types import Context


async def read_labels(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """The node of the arm `reads`.

    Raises:
        PromptError: the taxonomy has more categories, or an attribute more options, than letters tell apart.
        EngineError: as the engine raised it.
    """
    context = runtime.context
    prompts, pictures = services.prompts[context.language], state["pictures"]
    prompts.refuse_too_many_options()  # before the first question, not in the second round of some pictures
    debias = context.debias
    ways = (False, True) if debias else (False,)
    asked = tuple(prompts.category_choice(backwards=backwards, debias=debias) for backwards in ways)
    # The first question leaves the picture in the prefix cache. Those about the options of groups come after it.
    parts = _parts(asked)
    replies = await _read(services, parts[:1], pictures)
    if parts[1:]:
        replies += await _read(services, parts[1:], pictures)
    with span("parse"):
        question, reply = asked[0].whole, joined(asked[0], replies)
        fit = fit_of(services, context, services.engine)
        category, _ = tags(services, read_reply(question, reply), reply, fit, context.language)
        attributes = services.taxonomy.categories[category.id].details
        choices = [
            orders
            for attribute in attributes
            for orders in zip(
                *(prompts.attribute_choices(category.id, attribute, backwards=way, debias=debias) for way in ways),
                strict=True,
            )
        ]
    details: Details = dict.fromkeys(attributes, ())
    absent: Details = {}
    parts = [part for orders in choices for part in _parts(orders)]
    remaining = iter(await _read(services, parts, pictures) if parts else [])
    with span("parse"):
        for orders in choices:
            question, reply = orders[0].whole, joined(orders[0], [next(remaining) for _ in orders[0].parts])
            reading = read_reply(question, reply)
            _, found = tags(services, reading, reply, fit, context.language, category)
            for attribute, chosen in found.items():
                details[attribute] += chosen
            for attribute, options in absences(services, reading, reply, fit, context.language, category).items():
                absent[attribute] = absent.get(attribute, ()) + options
    return {
        "known": "answer",
        "category": category,
        "details": details,
        "absences": absent,
        "answered_by": services.engine.model,
    }


def _parts(orders: Sequence[LetterChoice]) -> list[tuple[Question, ...]]:
    """The questions of one choice, each in every order of its options."""
    return list(zip(*(choice.parts for choice in orders), strict=True))


async def _read(services: Services, asked: Sequence[tuple[Question, ...]], pictures: Sequence[Picture]) -> list[Reply]:
    """Ask one round. Each question comes in one order of its options or in several; returned is the reply that all of
    them give to the first."""
    questions = [question for orders in asked for question in orders]
    debias = len(questions) > len(asked)
    multiplied = any(isinstance(question.codec, GroupCodec | OptionOfGroupCodec) for question in questions)
    most = MOST_PROBABILITIES if debias or multiplied else 0
    replies = await ask_together(services, questions, pictures, top_logprobs=most)
    if not debias:
        return replies
    remaining = iter(replies)
    with span("parse"):
        return [average(orders, [next(remaining) for _ in orders]) for orders in asked]
