"""The text that a constraint leaves no choice about, in the tokens that the model's tokenizer writes for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import xgrammar as xgr


def forced_text(matcher: xgr.GrammarMatcher) -> str:
    """What every allowed reply has next, in whole characters; empty where there is a choice, or where it can end."""
    if matcher.is_completed():
        return ""
    try:
        return matcher.find_jump_forward_string()
    except UnicodeDecodeError as error:  # the choice is within a character
        return bytes(error.object[: error.start]).decode()


KEPT = 4096
"""Of so many beginnings of replies the tokens are kept: replies to one question repeat."""


class ForcedTokens:
    """Tokenises forced text as part of the reply, because a tokenizer splits text by what stands before it."""

    def __init__(self, tokenizer: Any, token_bytes: Sequence[bytes]) -> None:
        self._tokenizer = tokenizer
        self._token_bytes = token_bytes
        self._known: Callable[[bytes, str], tuple[int, ...]] = lru_cache(KEPT)(self._tokenise)

    def __call__(self, written: bytes, text: str) -> list[int]:
        """The tokens of `text` after `written`.

        None of them if a token would span both, or if the tokenizer cannot write exactly these bytes: it has no token
        for them, normalises them or puts a space before them.
        """
        return list(self._known(written, text))

    def _tokenise(self, written: bytes, text: str) -> tuple[int, ...]:
        data = written + text.encode()
        tokens: list[int] = self._tokenizer(data.decode(), add_special_tokens=False)["input_ids"]
        pieces = [self._token_bytes[token] for token in tokens]
        if b"".join(pieces) != data:
            return ()
        start = 0
        for index, piece in enumerate(pieces):
            if start == len(written):
                return tuple(tokens[index:])
            start += len(piece)
        return ()
