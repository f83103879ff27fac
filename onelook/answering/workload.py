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
    longest = max(_questions(services.prompts[context.language], context), key=lambda question: len(question.text))

    def about(side: int) -> AskRequest:
        return AskRequest(longest.messages([blank_picture(side)]), longest.constraint, longest.max_tokens)

    return Workload(context.long_edge, about)


def _questions(prompts: Prompts, context: Context) -> Iterator[Question]:
    arm = ARMS[context.arm]
    detailed = [id_ for id_, category in prompts.taxonomy.categories.items() if category.details]
    if not arm.guided:
        yield prompts.legacy_category()
        yield from map(prompts.legacy_details, detailed)
    elif arm.lettered:
        yield prompts.read_category()
        for category in detailed:
            for attribute in prompts.taxonomy.categories[category].details:
                yield from prompts.read_attribute(category, attribute)
    elif arm.two_calls:
        yield prompts.category(context.reply_format)
        yield from (prompts.details(category, context.reply_format) for category in detailed)
    else:
        yield prompts.fused(context.reply_format)
