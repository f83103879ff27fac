"""The choices that are answered by letters: one of several options, and yes or no to one option."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from onelook.prompts.question import LetterChoice, Question
from onelook.prompts.replies.letters import (
    LETTERS,
    MOST_OPTIONS,
    MOST_PROBABILITIES,
    GroupCodec,
    LetterCodec,
    OptionOfGroupCodec,
    YesNoCodec,
    groups_of,
    too_many,
    two_letters,
)
from onelook.prompts.replies.reading import Codec

Render = Callable[[Codec, Mapping[str, object]], Question]
"""Makes the question that a codec reads, from the codec and, by letter, what the question says of it."""


class OneOf:
    """Which one of several options: all of them in one question, or in groups.

    `name`: for messages. `attribute`: whose options they are; None: they are categories. `labels`: by option.
    """

    def __init__(self, name: str, attribute: str | None, labels: Mapping[str, str], render: Render) -> None:
        self.name = name
        self.attribute = attribute
        self.labels = labels
        self._render = render
        self._made: dict[bool, LetterChoice] = {}  # in both orders, by whether it is in groups

    @property
    def too_many(self) -> bool:
        """Whether there are more options than letters tell apart."""
        return len(self.labels) > MOST_OPTIONS

    def choice(self, *, debias: bool = False) -> LetterChoice:
        """`debias`: in both orders. The probability of each letter is needed then, so a question has fewer.

        Raises:
            PromptError: there are more options than letters tell apart.
        """
        if self.too_many:
            raise too_many(self.name, len(self.labels))
        in_groups = len(self.labels) > (MOST_PROBABILITIES if debias else len(LETTERS))
        if in_groups not in self._made:
            self._made[in_groups] = self._in_groups() if in_groups else self._in_one_question()
        return self._made[in_groups] if debias else self._made[in_groups].in_one_order

    def _in_one_question(self) -> LetterChoice:
        part = self._part(LetterCodec, tuple(self.labels))
        return LetterChoice((part,), part[0].codec)

    def _in_groups(self) -> LetterChoice:
        """In the words of a question with few options."""
        groups = groups_of(tuple(self.labels))
        which = tuple(
            self._render(codec, {letter: self._joined(group) for letter, group in codec.options.items()})
            for codec in (GroupCodec(self.attribute, groups), GroupCodec(self.attribute, groups[::-1]))
        )
        parts = [self._part(OptionOfGroupCodec, group) for group in groups]
        return LetterChoice((which, *parts), LetterCodec(self.attribute, tuple(self.labels), two_letters(groups)))

    def _part(self, codec: type[LetterCodec], options: tuple[str, ...]) -> tuple[Question, ...]:
        return tuple(
            self._render(each, {letter: self.labels[option] for letter, option in each.options.items()})
            for each in (codec(self.attribute, options), codec(self.attribute, options[::-1]))
        )

    def _joined(self, group: tuple[str, ...]) -> str:
        return "/".join(self.labels[option] for option in group)


class YesNo:
    """Whether one option of a `choose: many` is chosen."""

    too_many = False

    def __init__(self, attribute: str, option: str, render: Render) -> None:
        codecs = YesNoCodec(attribute, option), YesNoCodec(attribute, option, backwards=True)
        part = tuple(render(codec, codec.options) for codec in codecs)
        self._made = LetterChoice((part,), part[0].codec)

    def choice(self, *, debias: bool = False) -> LetterChoice:
        """`debias`: in both orders."""
        return self._made if debias else self._made.in_one_order
