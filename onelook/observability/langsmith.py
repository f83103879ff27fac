"""LangSmith, where its own variables switch it on (LANGSMITH_TRACING, LANGSMITH_API_KEY): everything but pictures."""

from __future__ import annotations

from functools import cache
from typing import Any

from onelook.observability.pictures import without_pictures


@cache
def keep_pictures_from_langsmith() -> None:
    """From now on the client that LangChain sends runs with leaves pictures out. Where LangSmith is off, do nothing."""
    from langsmith.utils import tracing_is_enabled

    if tracing_is_enabled():
        import langsmith

        langsmith.configure(client=langsmith.Client(anonymizer=_cleaned))


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
