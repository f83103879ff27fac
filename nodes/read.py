"""Labels are read, not written: each question is answered by one letter, and its probability is the confidence.

Two rounds. The first reads the category; it also leaves system prompt and picture in the engine's prefix cache. The
second asks about all attributes of that category at once, on that prefix: one token each, however long the labels are.
"""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.schema import Context
from graph.services import Services
from graph.state import State
from graph.timing import span
from nodes.ask import ask, ask_together
from nodes.confidence import span_probability
from nodes.reading import Details, read_reply, tags


async def read_labels(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """The node of the arm `reads`.

    Raises:
        PromptError: the taxonomy has more categories, or an attribute more options, than there are letters.
        EngineError: as the engine raised it.
    """
    language = runtime.context.language
    prompts, pictures = services.prompts[language], state["pictures"]
    question = prompts.read_category()
    reply = await ask(services, question, pictures)
    with span("parse"):
        category, _ = tags(services, read_reply(question, reply), reply, language)
        attributes = services.taxonomy.categories[category.id].details
        questions = [each for attribute in attributes for each in prompts.read_attribute(category.id, attribute)]
    details: Details = dict.fromkeys(attributes, ())
    absences: list[float | None] = []
    replies = await ask_together(services, questions, pictures) if questions else []
    with span("parse"):
        for question, reply in zip(questions, replies, strict=True):
            reading = read_reply(question, reply)
            _, found = tags(services, reading, reply, language, category)
            for attribute, chosen in found.items():
                details[attribute] += chosen
                if not chosen:  # one option of several that may be chosen, read as absent
                    absences += [span_probability(reply.tokens, *place) for place in reading.spans.values()]
    return {"category": category, "details": details, "absences": tuple(absences)}
