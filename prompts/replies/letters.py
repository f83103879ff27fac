"""The one-letter reply: a label is read, not written.

Each option has a letter, and the model's probabilities of the letters are the answer. A `choose: many` is one such
question per option, with A for yes and B for no.

More options than letters are asked about in parts, each answered by one letter: which group of options, and which
option of each group. The probability of an option is that of its group times its own within the group.

A model prefers some letters whatever they mean, so a question can also be asked backwards: the letters keep their
places, and the options are in reverse order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from string import ascii_uppercase

from onelook.constraint import Choice
from onelook.errors import PromptError, ReplyInvalid
from onelook.prompts.replies.reading import Reading, SpanKey
from onelook.settings.hints import set_to
from onelook.types import Answer

LETTERS = ascii_uppercase
MOST_PROBABILITIES = 20
"""A server returns at most the probabilities of so many letters (vLLM's and OpenAI's limit): a question whose letters
are all needed, to be averaged or multiplied, has no more."""
MOST_OPTIONS = MOST_PROBABILITIES**2


def too_many(what: str, options: int, *, in_parts: bool) -> PromptError:
    limit = (
        f"letters tell at most {MOST_OPTIONS} apart"
        if in_parts
        else f"a one-letter question has {len(LETTERS)} letters"
    )
    return PromptError(
        f"{what} has {options} options, but {limit}",
        hint=f"split it, or use an arm that writes its answer: {set_to(ONELOOK_RUN__ARM='fused')}",
    )


def groups_needed(options: int) -> int:
    return -(-options // MOST_PROBABILITIES)


def groups_of(options: Sequence[str]) -> list[tuple[str, ...]]:
    """The options in their order, in as few groups as one question can hold each of, of nearly the same size."""
    count = groups_needed(len(options))
    size, larger = divmod(len(options), count)
    starts = [number * size + min(number, larger) for number in range(count + 1)]
    return [tuple(options[start:end]) for start, end in pairwise(starts)]


class LetterCodec:
    """Reads which one of several options a letter names. `attribute` None: the options are categories."""

    max_tokens = 1  # an ASCII letter is one token in every vocabulary

    def __init__(self, attribute: str | None, options: Sequence[str]) -> None:
        """Raises ValueError if there are more options than letters."""
        if len(options) > len(LETTERS):
            raise ValueError(f"{len(options)} options for {len(LETTERS)} letters")
        self.attribute = attribute
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


class GroupCodec:
    """Reads which of several groups of options a letter names. The reading has the group's options as details, those of
    a category under `category`: the answer is one of them."""

    max_tokens = 1

    def __init__(self, attribute: str | None, groups: Sequence[tuple[str, ...]]) -> None:
        self.attribute = attribute
        self.options = dict(zip(LETTERS, groups, strict=False))
        self.constraint = Choice(tuple(self.options))

    def encode(self, answer: Answer) -> str:
        chosen = answer.category if self.attribute is None else answer.details[self.attribute][0]
        return next(letter for letter, group in self.options.items() if chosen in group)

    def decode(self, text: str) -> Reading:
        group = self.options.get(text)
        if group is None:
            raise _not_one_of(self.constraint, text)
        return Reading(None, {self.attribute or "category": group})


class OptionOfGroupCodec(LetterCodec):
    """Reads which option of one group a letter names. An answer that is not in the group is written as the first."""

    def encode(self, answer: Answer) -> str:
        try:
            return super().encode(answer)
        except KeyError:
            return LETTERS[0]


class GroupedCodec:
    """Reads the letter of a group and the letter of an option in it, which answer one choice together."""

    max_tokens = 2

    def __init__(self, attribute: str | None, groups: Sequence[tuple[str, ...]]) -> None:
        self.attribute = attribute
        self.options = {
            f"{letter}{other}": option
            for letter, group in zip(LETTERS, groups, strict=False)
            for other, option in zip(LETTERS, group, strict=False)
        }
        self.constraint = Choice(tuple(self.options))

    def encode(self, answer: Answer) -> str:
        chosen = answer.category if self.attribute is None else answer.details[self.attribute][0]
        return {option: letters for letters, option in self.options.items()}[chosen]

    def decode(self, text: str) -> Reading:
        option = self.options.get(text)
        if option is None:
            raise _not_one_of(self.constraint, text)
        if self.attribute is None:
            return Reading(option, spans={"category": (0, 2)})
        return Reading(None, {self.attribute: (option,)}, {(self.attribute, option): (0, 2)})


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
