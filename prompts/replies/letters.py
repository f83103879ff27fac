"""The one-letter reply: a label is read, not written.

Each option has a letter, and the model's probabilities of the letters are the answer. A `choose: many` is one such
question per option, with A for yes and B for no.

A model prefers some letters whatever they mean, so a question can also be asked backwards: the letters keep their
places, and the options are in reverse order.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase

from onelook.constraint import Choice
from onelook.errors import PromptError, ReplyInvalid
from onelook.prompts.replies.reading import Reading, SpanKey
from onelook.settings.hints import set_to
from onelook.types import Answer

LETTERS = ascii_uppercase


def too_many(what: str, options: int) -> PromptError:
    return PromptError(
        f"{what} has {options} options, but a one-letter question has {len(LETTERS)} letters",
        hint=f"split it, or use an arm that writes its answer: {set_to(ONELOOK_RUN__ARM='fused')}",
    )


class LetterCodec:
    """Reads which one of several options a letter names. `attribute` None: the options are categories."""

    max_tokens = 1  # an ASCII letter is one token in every vocabulary

    def __init__(self, attribute: str | None, options: Sequence[str]) -> None:
        self.attribute = attribute
        if len(options) > len(LETTERS):
            raise too_many(attribute or "the taxonomy", len(options))
        self.options = dict(zip(LETTERS, options, strict=False))
        self.constraint = Choice(tuple(self.options))

    def encode(self, answer: Answer) -> str:
        chosen = answer.category if self.attribute is None else answer.details[self.attribute][0]
        return {option: letter for letter, option in self.options.items()}[chosen]

    def decode(self, text: str) -> Reading:
        option = self.options.get(text)
        if option is None:
            raise _not_one_of(self.constraint, text)
        if self.attribute is None:
            return Reading(option, spans={"category": (0, 1)})
        key: SpanKey = (self.attribute, option)
        return Reading(None, {self.attribute: (option,)}, {key: (0, 1)})


class YesNoCodec:
    """Reads whether one option of a `choose: many` is chosen. The span is given either way: it decides the option.

    `options`: the meaning of each letter.
    """

    max_tokens = 1
    constraint = Choice(tuple(LETTERS[:2]))

    def __init__(self, attribute: str, option: str, *, backwards: bool = False) -> None:
        self.attribute = attribute
        self.option = option
        self.options = dict(zip(LETTERS, (False, True) if backwards else (True, False), strict=False))

    def encode(self, answer: Answer) -> str:
        chosen = self.option in answer.details[self.attribute]
        return {yes: letter for letter, yes in self.options.items()}[chosen]

    def decode(self, text: str) -> Reading:
        chosen = self.options.get(text)
        if chosen is None:
            raise _not_one_of(self.constraint, text)
        key: SpanKey = (self.attribute, self.option)
        return Reading(None, {self.attribute: (self.option,) if chosen else ()}, {key: (0, 1)})


def _not_one_of(choice: Choice, text: str) -> ReplyInvalid:
    return ReplyInvalid(f"the reply {text[:200]!r} is not one of {', '.join(choice.options)}")
