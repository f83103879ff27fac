"""From a reply to tags: ids and labels, each with its probability."""

from __future__ import annotations

from onelook.answering.calibration import fit_of
from onelook.answering.confidence import span_probability
from onelook.answering.questions import next_question
from onelook.calibration.fits import Curve, Fit
from onelook.engines.base import Reply
from onelook.errors import ReplyInvalid, ReplyTruncated
from onelook.graph.state import State, category_of
from onelook.prompts.question import Question
from onelook.prompts.replies.reading import Reading, SpanKey
from onelook.services import Services
from onelook.settings.hints import set_to
from onelook.types import Context, Language, Tag

GUIDED = "every valid reply fits in that many tokens: `onelook doctor` shows whether the server keeps the constraint"
FREE = f"free text can be of any length; take an arm with guided replies, {set_to(ONELOOK_RUN__ARM='fused')}"

Details = dict[str, tuple[Tag, ...]]


def read_reply(question: Question, reply: Reply) -> Reading:
    """What `reply` says to `question`.

    Raises:
        ReplyInvalid: it breaks the constraint, so the engine did not keep it; or free text holds no answer.
        ReplyTruncated: it was cut off at the token limit before it was whole.
    """
    try:
        return question.read(reply.text)
    except ReplyInvalid:
        if reply.stop_reason != "length":
            raise
    raise ReplyTruncated(
        f"the reply was cut off after {question.max_tokens} tokens: {reply.text[-60:]!r}",
        hint=GUIDED if question.constraint is not None else FREE,
    )


def read_answer(services: Services, state: State, context: Context) -> State:
    """What the state's reply adds to the answer, in the arms that ask for the category and its details apart.

    Raises:
        ReplyError: as `read_reply`.
    """
    reply = state["reply"]
    reading = read_reply(next_question(services, state, context), reply)
    fit = fit_of(services, context, services.engine)
    known = None if state["known"] == "nothing" else category_of(state)
    category, details = tags(services, reading, reply, fit, context.language, known)
    complete = known is not None or not services.taxonomy.categories[category.id].details
    return {
        "parse_error": "",
        "known": "answer" if complete else "category",
        "category": category,
        "details": details if complete else {},
        "answered_by": services.engine.model,
    }


def read_whole_answer(services: Services, reply: Reply, context: Context) -> State:
    """What `reply` adds to the answer in the arms that ask for category and details at once.

    Raises:
        ReplyError: as `read_reply`.
    """
    question = services.prompts[context.language].fused(context.reply_format)
    fit = fit_of(services, context, services.engine)
    category, details = tags(services, read_reply(question, reply), reply, fit, context.language)
    return {"known": "answer", "category": category, "details": details, "answered_by": services.engine.model}


def tags(
    services: Services, reading: Reading, reply: Reply, fit: Fit | None, language: Language, known: Tag | None = None
) -> tuple[Tag, Details]:
    """The category (`known`, where the question took it as known) and the details that were read, with probabilities.

    The details are empty where the question did not ask for them. `fit`: how far those probabilities are believed.
    """
    if reading.category is not None:
        label = services.taxonomy.categories[reading.category].label[language]
        sureness = believed(fit.category if fit else None, reading, reply, "category")
        known = Tag(id=reading.category, label=label, confidence=sureness)
    if known is None:
        raise ValueError("a question for details needs the category that is known already")
    attributes = services.taxonomy.categories[known.id].details
    return known, {
        attribute: tuple(
            Tag(
                id=option,
                label=attributes[attribute].options[option][language],
                confidence=believed(fit.details if fit else None, reading, reply, (attribute, option)),
            )
            for option in options
        )
        for attribute, options in reading.details.items()
    }


def absences(
    services: Services, reading: Reading, reply: Reply, fit: Fit | None, language: Language, category: Tag
) -> Details:
    """The options that were asked for one by one and read as absent, with the probability of that."""
    attributes = services.taxonomy.categories[category.id].details
    absent: Details = {}
    for key in reading.spans:
        if key != "category" and key[1] not in reading.details[key[0]]:
            attribute, option = key
            label = attributes[attribute].options[option][language]
            sureness = believed(fit.details if fit else None, reading, reply, key)
            absent[attribute] = (*absent.get(attribute, ()), Tag(id=option, label=label, confidence=sureness))
    return absent


def believed(curve: Curve | None, reading: Reading, reply: Reply, key: SpanKey) -> float | None:
    """The probability of one label: as the model says, or as the curve of its calibration has it."""
    probability = span_probability(reply.tokens, *reading.spans[key])
    return probability if probability is None or curve is None else curve(probability)
