"""What was read in a reply, and its position there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from onelook.constraint import Constraint
from onelook.types import Answer

ByteSpan = tuple[int, int]
SpanKey = Literal["category"] | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Reading:
    """The part of an answer that one reply gives, in stable ids.

    `category` is None where the question did not ask for it, `details` is empty where it did not ask for them.
    `spans`: the place of each label in the reply, as (start, end) bytes of its UTF-8 text, without quotes. The key is
    "category" or (attribute id, option id). Tokens that overlap a span are the label's: their probabilities,
    multiplied, are its confidence.
    """

    category: str | None
    details: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spans: Mapping[SpanKey, ByteSpan] = field(default_factory=dict)


class Codec(Protocol):
    """One way to write an answer as a reply and to read it back."""

    @property
    def constraint(self) -> Constraint | None:
        """What guided decoding restricts a reply to; None for free text."""

    @property
    def max_tokens(self) -> int:
        """Enough for the longest valid reply and the token that ends it."""

    def encode(self, answer: Answer) -> str:
        """The reply for `answer`.

        Raises:
            KeyError: the answer names an id that the taxonomy does not have, or lacks an attribute.
        """

    def decode(self, text: str) -> Reading:
        """The answer in the reply.

        Raises:
            ReplyInvalid: the reply breaks the constraint; the message says where.
        """


def byte_span(text: str, start: int, end: int) -> ByteSpan:
    """The span of `text[start:end]` in the UTF-8 of `text`."""
    before = len(text[:start].encode())
    return before, before + len(text[start:end].encode())
