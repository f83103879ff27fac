"""LangSmith without pictures, if its own variables enable it (LANGSMITH_TRACING, LANGSMITH_API_KEY)."""

from __future__ import annotations

from functools import cache
from typing import Any

from onelook.observability.pictures import without_pictures


@cache
def keep_pictures_from_langsmith() -> None:
    """Make LangChain's LangSmith client remove pictures from runs. Does nothing if LangSmith is off."""
    from langsmith.utils import tracing_is_enabled

    if tracing_is_enabled():
        import langsmith

        langsmith.configure(client=langsmith.Client(anonymizer=_cleaned))


def restart_langsmith() -> None:
    """In a forked process: the thread that sends runs is the parent's, so this one gets a client of its own."""
    keep_pictures_from_langsmith.cache_clear()
    keep_pictures_from_langsmith()


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return without_pictures(value)
        case dict():
            return {name: _cleaned(inner) for name, inner in value.items()}
        case list():
            return [_cleaned(inner) for inner in value]
        case _:
            return value
