"""The generated tokens of a reply, from an OpenAI `logprobs` object: the bytes that each wrote, and its logprob.

A token of a byte-level vocabulary may end in the middle of a character, and a server that can only send text loses it
there. vLLM sends such a token as "", gives its character to the token that completes it, and, where that one holds
further characters, sends U+FFFD in place of what it lost. What is lost is in the text itself, so tokens that share a
character become one: its bytes are theirs together, its logprob the sum of theirs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from onelook.engines.base import Token

# vLLM writes this for a token that the constraint forbids.
MASKED = -9999.0
LOST = "\ufffd"


class TopLogprob(BaseModel):
    """A token that could have stood here; servers leave out the bytes of some."""

    token: str
    logprob: float
    bytes: list[int] | None = None


class TokenLogprob(TopLogprob):
    """A token that was generated, and those that could have been."""

    top_logprobs: list[TopLogprob] | None = None


def read_tokens(content: Sequence[TokenLogprob], text: str) -> tuple[Token, ...]:
    """The tokens that write `text`, byte for byte; none if the server gives no logprobs, or if they do not fit the
    text: a label's tokens are found by their position, and no confidence is better than a wrong one.

    Tokens after the text (end of turn) are left out. A token that was joined with others has no alternatives. Several
    alternatives with the same bytes are one, with their probabilities added.
    """
    if not content:
        return ()
    return _in_place(content, text.encode()) or _pieced_together(content, text)


def _in_place(content: Sequence[TokenLogprob], text: bytes) -> tuple[Token, ...]:
    """Each entry as one token; nothing if their bytes do not join to `text`, or an entry has none."""
    tokens, written = [], 0
    for entry in content:
        if written == len(text):
            break
        data = _data(entry)
        if not data or not text.startswith(data, written):
            return ()
        written += len(data)
        tokens.append(Token(data, entry.logprob, _alternatives(entry.top_logprobs or ())))
    return tuple(tokens) if written == len(text) else ()


def _pieced_together(content: Sequence[TokenLogprob], text: str) -> tuple[Token, ...]:
    """Runs of entries that share characters, as one token each; nothing if they do not match `text`."""
    groups: list[list[TokenLogprob]] = [[]]
    for entry in content:
        groups[-1].append(entry)
        if _data(entry):
            groups.append([])
    groups = [group for group in groups if group]
    for count in (len(groups), len(groups) - 1):  # the last one may be the end of turn, which is not in the text
        match = re.fullmatch("".join(_pattern(group) for group in groups[:count]), text, re.DOTALL)
        if match is not None:
            return tuple(
                Token(
                    piece.encode(),
                    sum(entry.logprob for entry in group),
                    _alternatives(group[0].top_logprobs or ()) if len(group) == 1 else {},
                )
                for piece, group in zip(match.groups(), groups[:count], strict=True)
                if piece
            )
    return ()


def _pattern(group: Sequence[TokenLogprob]) -> str:
    """What the group wrote: the characters of its last entry, after as few lost ones as possible.
    Atomic, so that the search never backtracks: tokens that do not match cost no more time than those that do."""
    own = _data(group[-1]).decode(errors="replace")
    known = own.lstrip(LOST)
    return f"((?>{'.+?' if known != own else ''}{re.escape(known)}))"


def _data(entry: TopLogprob) -> bytes:
    """A token's bytes; servers leave them out for some tokens, and the text of these is complete."""
    return bytes(entry.bytes) if entry.bytes is not None else entry.token.encode()


def add_up(likely: Iterable[tuple[bytes, float]]) -> dict[bytes, float]:
    """Log-probabilities by the bytes of their tokens; of several tokens with the same bytes, that of any of them."""
    summed: dict[bytes, float] = {}
    for data, logprob in likely:
        known = summed.get(data)
        summed[data] = logprob if known is None else _log_sum(known, logprob)
    return summed


def _alternatives(entries: Iterable[TopLogprob]) -> dict[bytes, float]:
    return add_up((_data(entry), entry.logprob) for entry in entries if entry.logprob > MASKED)


def _log_sum(a: float, b: float) -> float:
    high, low = max(a, b), min(a, b)
    return high + math.log1p(math.exp(low - high))
