"""The most that a run asks of an engine: the longest question of the taxonomy, about the largest picture."""

from __future__ import annotations

from collections.abc import Iterator

from onelook.engines.base import AskRequest, Workload
from onelook.engines.checks.questions import blank_picture
from onelook.graph.arms import ARMS
from onelook.prompts.question import Question
from onelook.prompts.questions import Prompts
from onelook.services import Services
from onelook.types import Context


def workload(services: Services, context: Context) -> Workload:
    """That of runs with `context`, about one picture. What `onelook doctor` asks an engine."""
    longest = max(questions_of(services.prompts[context.language], context), key=lambda question: len(question.text))

    def about(side: int) -> AskRequest:
        return AskRequest(longest.messages([blank_picture(side)]), longest.constraint, longest.max_tokens)

    return Workload(context.long_edge, about)


def questions_of(prompts: Prompts, context: Context, category: str | None = None) -> Iterator[Question]:
    """Every question that runs with `context` ask, at their first try. `category`: of those about details, only those
    about this category's.

    Raises:
        PromptError: the arm answers by letters, and there are more options than letters tell apart.
    """
    arm = ARMS[context.arm]
    categories = prompts.taxonomy.categories
    detailed = [id_ for id_ in categories if categories[id_].details and category in (None, id_)]
    if not arm.guided:
        yield prompts.legacy_category()
        yield from map(prompts.legacy_details, detailed)
    elif arm.lettered:
        yield from prompts.category_choice(debias=context.debias).questions
        for id_ in detailed:
            for attribute in categories[id_].details:
                for choice in prompts.attribute_choices(id_, attribute, debias=context.debias):
                    yield from choice.questions
    else:
        yield prompts.category(context.reply_format) if arm.two_calls else prompts.fused(context.reply_format)
        if arm.two_calls or arm.routed:
            yield from (prompts.details(id_, context.reply_format) for id_ in detailed)
