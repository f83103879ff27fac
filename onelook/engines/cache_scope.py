"""Which runs may reuse each other's prompt prefixes: those of one scope. An experiment gives each arm a scope."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final
from uuid import uuid4

cache_scope: Final[ContextVar[str | None]] = ContextVar("onelook_cache_scope", default=None)
"""None: reuse whatever fits, as in production. A vLLM server gets it as `cache_salt`, and as a part of the pictures'
names, so that its prefix, encoder and media caches are kept apart; so does the prefix cache of the embedded engine."""

picture_scope: Final[ContextVar[str]] = ContextVar("onelook_picture_scope", default="")
"""A part of the pictures' names: what was seen in another scope is new, while the prompts before it are found in the
caches. So a picture can be timed several times as production meets it: once, after a thousand others."""


@contextmanager
def new_to_caches() -> Iterator[None]:
    """The pictures of the runs inside are in no cache yet; those runs share them."""
    token = picture_scope.set(uuid4().hex)
    try:
        yield
    finally:
        picture_scope.reset(token)
