"""A real vLLM server takes a picture by its name while it has it, and gets it again when it does not."""

from __future__ import annotations

from typing import Any

import pytest

from onelook.engines.base import Choice
from onelook.engines.openai.named_pictures import NamedPictures
from onelook.engines.openai.request import messages_json
from onelook.errors import EngineRefused
from tests.engines.openai_simulation import engine_at
from tests.vllm.test_vllm_batch import colours
from tests.vllm.test_vllm_server_engine import question

pytestmark = pytest.mark.vllm


async def test_a_picture_is_known_by_name_after_its_first_question(vllm_url: str) -> None:
    (shown,) = colours(1)
    asked = question(Choice(("A", "B")), shown, max_tokens=1)
    async with engine_at(vllm_url) as engine, engine_at(vllm_url) as other:
        sent: list[Any] = []
        posted = engine.server.post

        async def watched(path: str, body: Any) -> Any:
            sent.append([part["image_url"] for part in body["messages"][-1]["content"] if part["type"] == "image_url"])
            return await posted(path, body)

        engine.server.post = watched  # type: ignore[method-assign]
        replies = [await engine.ask(asked) for _ in range(2)]
        whole = await other.ask(asked)
    assert sent == [[shown["image_url"]], [None]]
    assert replies[0].text == replies[1].text == whole.text
    assert replies[1].usage.image_tokens == whole.usage.image_tokens
    assert replies[1].tokens[0].logprob == pytest.approx(whole.tokens[0].logprob, abs=0.02)


async def test_a_picture_that_the_server_has_not_is_sent_again(vllm_url: str) -> None:
    """As after a restart: the name is known to the client, not to the server."""
    (shown,) = colours(1)
    asked = question(Choice(("A", "B")), shown, max_tokens=1)
    pictures = NamedPictures("")
    conversation = [pictures.named(messages_json(asked.messages))]
    refused: list[EngineRefused] = []

    async def before(messages: Any) -> None:
        """The server before its restart."""

    async with engine_at(vllm_url) as engine:
        fields = engine.request_fields(asked, await engine.served())

        async def after(messages: Any) -> Any:
            try:
                return await engine.server.post("chat/completions", {**fields, "messages": messages[0]})
            except EngineRefused as refusal:
                refused.append(refusal)
                raise

        await pictures.send(conversation, before)
        answer, _ = await pictures.send(conversation, after)
        again, _ = await pictures.send(conversation, after)
    assert len(refused) == 1
    assert "Cache miss" in refused[0].message
    assert answer["choices"][0]["message"] == again["choices"][0]["message"]
