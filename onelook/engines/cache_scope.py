"""Which runs may reuse each other's prompt prefixes: those of one scope. An experiment gives each arm a scope."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

cache_scope: Final[ContextVar[str | None]] = ContextVar("onelook_cache_scope", default=None)
"""None: reuse whatever fits, as in production. A vLLM server gets it as `cache_salt`, and as a part of the pictures'
names, so that its prefix, encoder and media caches are kept apart; so does the prefix cache of the embedded engine."""
