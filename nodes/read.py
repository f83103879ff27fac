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
from onelook.answering.reading import Details, absences, tags
from onelook.engines.base import Reply
from onelook.graph.state import State
from onelook.images.picture import Picture
from onelook.ledger.stamps import span
from onelook.prompts.question import Question
from onelook.prompts.replies.letters import MOST_PROBABILITIES
from onelook.services import Services
from onelook.types import Context, Tag


async def read_labels(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """The node of the arm `reads`.

    Raises:
        PromptError: the taxonomy has more categories, or an attribute more options, than letters tell apart.
        EngineError: as the engine raised it.
    """
    context, pictures = runtime.context, state["pictures"]
    services.prompts[context.language].refuse_too_many_options()  # not in the second round of some pictures
    category = await _read_category(services, pictures, context)
    details, absent = await _read_details(services, pictures, context, category)
    return {
        "known": "answer",
        "category": category,
        "details": details,
        "absences": absent,
        "answered_by": services.engine.model,
    }


async def _read_category(services: Services, pictures: Sequence[Picture], context: Context) -> Tag:
    choice = services.prompts[context.language].category_choice(debias=context.debias)
    # The first part leaves the picture in the prefix cache. Those about the options of groups come after it.
    replies = await _ask(services, choice.parts[:1], pictures, context, in_groups=choice.in_groups)
    if choice.in_groups:
        replies += await _ask(services, choice.parts[1:], pictures, context, in_groups=True)
    with span("parse"):
        reply = joined(choice, replies)
        fit = fit_of(services, context, services.engine)
        category, _ = tags(services, choice.codec.decode(reply.text), reply, fit, context.language)
    return category


async def _read_details(
    services: Services, pictures: Sequence[Picture], context: Context, category: Tag
) -> tuple[Details, Details]:
    """The details; and the options that were asked for one by one and read as absent."""
    prompts, language = services.prompts[context.language], context.language
    attributes = services.taxonomy.categories[category.id].details
    choices = [
        choice
        for attribute in attributes
        for choice in prompts.attribute_choices(category.id, attribute, debias=context.debias)
    ]
    details: Details = dict.fromkeys(attributes, ())
    absent: Details = {}
    if not choices:
        return details, absent
    parts = [part for choice in choices for part in choice.parts]
    in_groups = any(choice.in_groups for choice in choices)
    remaining = iter(await _ask(services, parts, pictures, context, in_groups=in_groups))
    with span("parse"):
        fit = fit_of(services, context, services.engine)
        for choice in choices:
            reply = joined(choice, [next(remaining) for _ in choice.parts])
            reading = choice.codec.decode(reply.text)
            _, found = tags(services, reading, reply, fit, language, category)
            for attribute, chosen in found.items():
                details[attribute] += chosen
            for attribute, options in absences(services, reading, reply, fit, language, category).items():
                absent[attribute] = absent.get(attribute, ()) + options
    return details, absent


async def _ask(
    services: Services,
    parts: Sequence[tuple[Question, ...]],
    pictures: Sequence[Picture],
    context: Context,
    *,
    in_groups: bool,
) -> list[Reply]:
    """One round: the reply to each part; with debias the mean of those in both orders, as a reply to the first one."""
    questions = [question for orders in parts for question in orders]
    # Those of all letters, which are averaged or multiplied.
    probabilities = MOST_PROBABILITIES if context.debias or in_groups else 0
    replies = await ask_together(services, questions, pictures, top_logprobs=probabilities)
    if not context.debias:
        return replies
    remaining = iter(replies)
    with span("parse"):
        return [average(orders, [next(remaining) for _ in orders]) for orders in parts]
