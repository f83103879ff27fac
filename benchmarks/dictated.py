"""A server that gives dictated replies: the constraint of each question allows one reply only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.dictation import Tokens, question_text
from onelook.engines.base import AskRequest, Choice, Reply
from onelook.engines.openai.engine import OpenAIEngine
from onelook.engines.openai.served_model import ServedModel
from onelook.engines.openai.server import OpenAIServer


class DictatedEngine(OpenAIEngine):
    """A server with dictated replies."""

    def __init__(self, server: OpenAIServer, replies: Mapping[str, str], tokens: Tokens) -> None:
        super().__init__(server)
        self._replies = replies
        self._tokens = tokens

    def request_fields(self, request: AskRequest, served: ServedModel) -> dict[str, Any]:
        fields = super().request_fields(request, served)
        match request.constraint:
            case Choice(options=(reply,)):
                fields["allowed_token_ids"] = sorted(set(self._tokens(reply)))
        return fields

    async def ask(self, request: AskRequest) -> Reply:
        return await super().ask(self._dictated(request))

    async def ask_many(self, requests: Sequence[AskRequest]) -> list[Reply]:
        return await super().ask_many([self._dictated(request) for request in requests])

    def _dictated(self, request: AskRequest) -> AskRequest:
        return replace(request, constraint=Choice((self._replies[question_text(request.messages)],)))


def dictated_engine(base_url: str, replies: Mapping[str, str], tokens: Tokens, *, timeout_s: float) -> DictatedEngine:
    return DictatedEngine(OpenAIServer(base_url, timeout_s=timeout_s), replies, tokens)
