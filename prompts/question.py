"""One question, ready to be asked about any picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from onelook.constraint import Constraint
from onelook.prompts.replies.reading import Codec, Reading
from onelook.types import Answer


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, how it may be answered, and how the answer is read.

    With the pictures before the text, all questions that share `system` share their messages up to the text, byte for
    byte: a prefix cache then computes system prompt and pictures once.
    """

    text: str
    codec: Codec
    system: str | None = None
    text_first: bool = False

    @property
    def constraint(self) -> Constraint | None:
        """What guided decoding restricts the reply to; None for free text."""
        return self.codec.constraint

    @property
    def max_tokens(self) -> int:
        return self.codec.max_tokens

    def messages(self, pictures: Sequence[str]) -> list[BaseMessage]:
        """The conversation about these pictures, which are given as data URLs."""
        images: list[str | dict[str, Any]] = [{"type": "image_url", "image_url": {"url": url}} for url in pictures]
        text: list[str | dict[str, Any]] = [{"type": "text", "text": self.text}]
        asked = HumanMessage(text + images if self.text_first else images + text)
        return [asked] if self.system is None else [SystemMessage(self.system), asked]

    def write(self, answer: Answer) -> str:
        """The reply for `answer`: what a model should write, and what a scripted one does.

        Raises:
            KeyError: the answer is not one to this question.
        """
        return self.codec.encode(answer)

    def read(self, text: str) -> Reading:
        """What a reply says, in ids, and where.

        Raises:
            ReplyInvalid: the reply breaks the constraint, or free text holds no answer, or several.
        """
        return self.codec.decode(text)


@dataclass(frozen=True, slots=True)
class LetterChoice:
    """One choice that is answered by letters: in one question, or, with more options than one can have, in parts.

    `parts`: that question; or first the one about the group, and then one about the options of each group. Each comes
    with its options in order and, where a preference for a letter is averaged out, backwards too. `codec` reads the
    letters of all parts together (`onelook.prompts.replies.letters`).
    """

    parts: tuple[tuple[Question, ...], ...]
    codec: Codec

    @property
    def in_groups(self) -> bool:
        return len(self.parts) > 1

    @property
    def in_one_order(self) -> LetterChoice:
        return replace(self, parts=tuple(part[:1] for part in self.parts))

    @property
    def questions(self) -> list[Question]:
        """All that is asked."""
        return [question for part in self.parts for question in part]
