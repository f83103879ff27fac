"""A server that is asked nothing: it keeps the body of every question, and answers as its caller says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from onelook.engines.openai.batch import PATH as BATCH_PATH
from onelook.engines.openai.server import OpenAIServer, Posted
from onelook.errors import EngineError

SOME_MODEL = "MODEL"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it goes out: `POST url` with this JSON object."""

    url: str
    body: Json


class RecordingServer(OpenAIServer):
    """`OpenAIServer` with its requests kept in `sent` in place of being posted.

    Which model there is, and whether it takes batches, is asked of the real server where `ask_server` is set and it
    answers; else of none: it is then taken for a vLLM server with the model `model`, and `unreachable` says why.
    """

    def __init__(
        self,
        base_url: str,
        *,
        answer: Callable[[str], str],
        ask_server: bool,
        model: str | None,
        **options: Any,
    ) -> None:
        """`answer`: the reply to a question, by its words. `options`: those of `OpenAIServer`."""
        super().__init__(base_url, **options)
        self.sent: list[Sent] = []
        self.unreachable: EngineError | None = None
        self._answer = answer
        self._ask_server = ask_server
        self._model = model

    async def get(self, path: str) -> Json:
        if self._ask_server:
            try:
                return await super().get(path)
            except EngineError as error:
                self.unreachable, self._ask_server = error, False
        return {"data": [{"id": self._model or SOME_MODEL, "owned_by": "vllm"}]}

    async def takes(self, path: str) -> bool:
        return self._ask_server and await super().takes(path)

    async def post(self, path: str, body: Mapping[str, Any]) -> Posted:
        sent: Json = orjson.loads(orjson.dumps(body))  # what a JSON reader finds in the bytes that would go out
        self.sent.append(Sent(f"{self.address}/{path}", sent))
        conversations = sent["messages"] if path == BATCH_PATH else [sent["messages"]]
        choices = [
            {"index": index, **_completed(self._answer(question_of(messages)))}
            for index, messages in enumerate(conversations)
        ]
        return Posted({"choices": choices}, 0.0)


def question_of(messages: list[Json]) -> str:
    """The words of the last turn, without its pictures."""
    content = messages[-1]["content"]
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def _completed(text: str) -> Json:
    """A choice of a completion: `text` as one token without an alternative, so that every arm can go on."""
    token = {"token": text, "logprob": 0.0, "bytes": list(text.encode())}
    return {
        "message": {"role": "assistant", "content": text},
        "logprobs": {"content": [{**token, "top_logprobs": [token]}]},
    }
