"""What LangChain's callbacks see of our engines: traces, LangSmith and Studio all live on them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypedDict

import pytest
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables import RunnableLambda
from langgraph.graph import START, StateGraph

from onelook.engines.base import AskRequest, Choice, Engine
from onelook.errors import EngineFailed
from tests.engines.openai_simulation import SimulatedServer, always, batch_completion, completion, engine_at

USAGE = {"prompt_tokens": 90, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 64}}


def question(text: str = "What is it?") -> AskRequest:
    return AskRequest([HumanMessage(text)], Choice(("A", "B")), max_tokens=1)


class Watcher(AsyncCallbackHandler):
    """Keeps the events of chat models."""

    def __init__(self) -> None:
        self.started: list[tuple[str, list[str], dict[str, Any]]] = []
        self.ended: list[LLMResult] = []
        self.failed: list[BaseException] = []

    async def on_chat_model_start(self, serialized: dict[str, Any], messages: Any, **more: Any) -> None:
        self.started.append((more["name"], [each.text for each in messages[0]], more["invocation_params"]))

    async def on_llm_end(self, response: LLMResult, **more: Any) -> None:
        self.ended.append(response)

    async def on_llm_error(self, error: BaseException, **more: Any) -> None:
        self.failed.append(error)

    def answers(self) -> list[AIMessage]:
        (result,) = self.ended
        messages = []
        for generation in result.generations[0]:
            assert isinstance(generation, ChatGeneration)
            assert isinstance(generation.message, AIMessage)
            messages.append(generation.message)
        return messages


async def watch(engine: Engine, ask: Callable[[Engine], Awaitable[object]]) -> Watcher:
    """What is seen of `ask` from outside a run that it is part of."""

    async def run(_: object) -> None:
        await ask(engine)

    watcher = Watcher()
    await RunnableLambda(run).ainvoke(None, config={"callbacks": [watcher]})
    return watcher


async def test_a_question_its_answer_and_its_tokens_are_seen() -> None:
    async with SimulatedServer(always(completion("A", usage=USAGE))) as server, engine_at(server.base_url) as engine:
        await engine.ask(question())
        watcher = await watch(engine, lambda engine: engine.ask(question()))
    assert watcher.started == [
        ("OpenAIEngine", ["What is it?"], {"model": "tiny", "max_tokens": 1, "temperature": 0.0})
    ]
    (answer,) = watcher.answers()
    assert answer.text == "A"
    assert answer.usage_metadata == {
        "input_tokens": 90,
        "output_tokens": 2,
        "total_tokens": 92,
        "input_token_details": {"cache_read": 64},
    }
    assert answer.response_metadata["model_name"] == "tiny"


async def test_questions_in_one_request_are_seen_as_one_call_with_the_sum_of_their_tokens() -> None:
    likely = {"A": -0.1, "B": -2.5}
    server = SimulatedServer(respond_batch=always(batch_completion(likely, likely)))
    async with server, engine_at(server.base_url) as engine:
        watcher = await watch(engine, lambda engine: engine.ask_many([question("One?"), question("Two?")]))
    assert [messages for _, messages, _ in watcher.started] == [["One?", "Two?"]]
    assert [answer.text for answer in watcher.answers()] == ["A", "A"]
    assert watcher.ended[0].llm_output is not None
    assert watcher.ended[0].llm_output["token_usage"]["total_tokens"] == 202


async def test_an_error_is_seen_and_raised() -> None:
    async def fail(engine: Engine) -> None:
        with pytest.raises(EngineFailed):
            await engine.ask(question())

    async with SimulatedServer(always({"error": "no"}, 500)) as server, engine_at(server.base_url) as engine:
        watcher = await watch(engine, fail)
    assert [type(error) for error in watcher.failed] == [EngineFailed]
    assert watcher.ended == []


class Nothing(TypedDict):
    done: bool


async def test_langgraphs_stream_of_messages_has_the_answer() -> None:
    """Studio shows this stream beside the node."""
    async with SimulatedServer(always(completion("A"))) as server, engine_at(server.base_url) as engine:

        async def ask(state: Nothing) -> Nothing:
            await engine.ask(question())
            return {"done": True}

        graph = StateGraph(Nothing)
        graph.add_node("ask", ask)
        graph.add_edge(START, "ask")
        stream: AsyncIterator[Any] = graph.compile().astream({"done": False}, stream_mode="messages")
        seen = [(message.text, metadata["langgraph_node"]) async for message, metadata in stream]
    assert seen == [("A", "ask")]
