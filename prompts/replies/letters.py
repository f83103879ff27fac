"""The one-letter reply: a label is read, not written.

Each option has a letter, and the model's probabilities of the letters are the answer. A `choose: many` is one such
question per option, with A for yes and B for no.

More options than letters are asked about in parts, each answered by one letter: which group of options, and which
option of each group. The probability of an option is that of its group times its own within the group.

A model prefers some letters whatever they mean, so a question can also be asked backwards: the letters keep their
places, and the options are in reverse order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from string import ascii_uppercase
from typing import Generic, TypeVar

from onelook.constraint import Choice
from onelook.errors import PromptError, ReplyInvalid
from onelook.prompts.replies.reading import Reading
from onelook.settings.hints import set_to
from onelook.types import Answer

Meaning = TypeVar("Meaning")

LETTERS = ascii_uppercase
MOST_PROBABILITIES = 20
"""A server returns at most the probabilities of so many letters (vLLM's and OpenAI's limit): a question whose letters
are all needed, to be averaged or multiplied, has no more."""
MOST_OPTIONS = MOST_PROBABILITIES**2


def too_many(what: str, options: int) -> PromptError:
    return PromptError(
        f"{what} has {options} options, but letters tell at most {MOST_OPTIONS} apart",
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


def two_letters(groups: Sequence[Sequence[str]]) -> list[str]:
    """For each option of `groups`, in their order, the letter of its group and its own."""
    return [letter + own for letter, group in zip(LETTERS, groups, strict=False) for own in LETTERS[: len(group)]]


class _Codec(Generic[Meaning]):
    """`options`: what each valid reply means. All replies have as many letters.

    `attribute`: whose options they are; None: they are categories.
    """

    def __init__(self, attribute: str | None, options: Mapping[str, Meaning]) -> None:
        self.attribute = attribute
        self.options = options
        self.constraint = Choice(tuple(options))
        self.max_tokens = len(self.constraint.options[0])  # an ASCII letter is one token in every vocabulary

    def _chosen(self, answer: Answer) -> str:
        return answer.category if self.attribute is None else answer.details[self.attribute][0]

    def _meaning(self, text: str) -> Meaning:
        meaning = self.options.get(text)
        if meaning is None:
            raise ReplyInvalid(f"the reply {text[:200]!r} is not one of {', '.join(self.constraint.options)}")
        return meaning

    def _reply(self, wanted: Meaning) -> str:
        return {meaning: reply for reply, meaning in self.options.items()}[wanted]


class LetterCodec(_Codec[str]):
    """Reads which one of several options is named: by one letter, or by `replies`, one for each option."""

    def __init__(self, attribute: str | None, options: Sequence[str], replies: Sequence[str] = LETTERS) -> None:
        """Raises ValueError if there are more options than replies."""
        if len(options) > len(replies):
            raise ValueError(f"{len(options)} options for {len(replies)} letters")
        super().__init__(attribute, dict(zip(replies, options, strict=False)))

    def encode(self, answer: Answer) -> str:
        return self._reply(self._chosen(answer))

    def decode(self, text: str) -> Reading:
        option, span = self._meaning(text), (0, len(text))
        if self.attribute is None:
            return Reading(option, spans={"category": span})
        return Reading(None, {self.attribute: (option,)}, {(self.attribute, option): span})


class OptionOfGroupCodec(LetterCodec):
    """Reads which option of one group a letter names. An answer that is not in the group is written as the first."""

    def encode(self, answer: Answer) -> str:
        return super().encode(answer) if self._chosen(answer) in self.options.values() else LETTERS[0]


class GroupCodec(_Codec[tuple[str, ...]]):
    """Reads which of several groups of options a letter names. The reading has the group's options as details, those of
    a category under `category`: the answer is one of them."""

    def __init__(self, attribute: str | None, groups: Sequence[tuple[str, ...]]) -> None:
        super().__init__(attribute, dict(zip(LETTERS, groups, strict=False)))

    def encode(self, answer: Answer) -> str:
        chosen = self._chosen(answer)
        return next(letter for letter, group in self.options.items() if chosen in group)

    def decode(self, text: str) -> Reading:
        return Reading(None, {self.attribute or "category": self._meaning(text)})


class YesNoCodec(_Codec[bool]):
    """Reads whether one option of a `choose: many` is chosen. The span is given either way: it decides the option."""

    def __init__(self, attribute: str, option: str, *, backwards: bool = False) -> None:
        super().__init__(attribute, dict(zip(LETTERS, (False, True) if backwards else (True, False), strict=False)))
        self.key = attribute, option

    def encode(self, answer: Answer) -> str:
        attribute, option = self.key
        return self._reply(option in answer.details[attribute])

    def decode(self, text: str) -> Reading:
        attribute, option = self.key
        return Reading(None, {attribute: (option,) if self._meaning(text) else ()}, {self.key: (0, 1)})
