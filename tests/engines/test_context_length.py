"""A prompt that is longer than the model's context: the error names what is large, the text or the picture."""

from __future__ import annotations

from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage

from onelook.engines.base import AskRequest
from onelook.engines.checks.questions import blank_picture
from onelook.engines.context_length import PromptTokens
from onelook.engines.transformers.engine import TransformersEngine
from onelook.engines.transformers.loading import LoadOptions
from onelook.errors import EngineRefused
from tests.engines.openai_simulation import SimulatedServer, always, engine_at

SIDE = 560  # 400 tokens for a model with a size grid of 28
TEXT, PICTURE = (
    "most of the prompt is text",
    "most of the prompt is the picture: send the pictures smaller: --long-edge",
)


def about_a_picture(text: str, side: int = SIDE) -> AskRequest:
    picture = {"type": "image_url", "image_url": {"url": blank_picture(side)}}
    return AskRequest([HumanMessage([picture, {"type": "text", "text": text}])], constraint=None, max_tokens=20)


async def refusal(message: str) -> EngineRefused:
    async with (
        SimulatedServer(always({"error": {"message": message}}, 400)) as server,
        engine_at(server.base_url, model="tiny", size_grid=28) as engine,
    ):
        with pytest.raises(EngineRefused) as raised:
            await engine.ask(about_a_picture("What is this?"))
    return raised.value


VLLM = (
    "This model's maximum context length is {context} tokens. However, your prompt contains {prompt} input tokens,"
    " which exceeds this limit even without any output tokens. Please reduce the length of the input prompt."
)
OLDER_VLLM = (
    "This model's maximum context length is {context} tokens. However, you requested 9000 tokens ({prompt} in the"
    " messages, 20 in the completion). Please reduce the length of the messages or completion."
)
VLLM_ENGINE = (
    "The decoder prompt (length {prompt}) is longer than the maximum model length of {context}. Make sure that"
    " `max_model_len` is no smaller than the number of text tokens plus multimodal tokens."
)
OPENAI = "This model's maximum context length is {context} tokens. However, your messages resulted in {prompt} tokens."
SGLANG = "The input ({prompt} tokens) is longer than the model's context length ({context} tokens)."
LLAMA_CPP = "request ({prompt} tokens) exceeds the available context size ({context} tokens), try increasing it"


@pytest.mark.parametrize("message", [VLLM, OLDER_VLLM, VLLM_ENGINE, OPENAI, SGLANG, LLAMA_CPP])
@pytest.mark.parametrize(
    ("prompt", "context", "text", "hint"),
    [
        (600, 512, 200, PICTURE),
        (1000, 800, 600, TEXT),
        (1000, 512, 600, "the text is too long, whatever the picture is"),
    ],
)
async def test_what_a_server_counts_is_divided(message: str, prompt: int, context: int, text: int, hint: str) -> None:
    error = await refusal(message.format(prompt=prompt, context=context))
    assert f"{prompt:,} prompt tokens ({text:,} of text, 400 of pictures) and 20 for the answer" in error.message
    assert f"context of {context:,}" in error.message
    assert hint in (error.hint or "")
    assert "--max-model-len" in (error.hint or "")


def test_an_answer_that_is_too_long_is_named_too() -> None:
    assert "--reply-format compact" in PromptTokens(text=100, pictures=400).cure(answer=900, context=1000)


async def test_a_server_that_counts_nothing_gets_both_named() -> None:
    error = await refusal("the prompt exceeds the context length")
    assert error.message.endswith("the prompt exceeds the context length")
    for words in ("--long-edge 448", "--max-model-len", "onelook taxonomy check"):
        assert words in (error.hint or "")


async def test_another_refusal_stays_as_it_is() -> None:
    error = await refusal("the temperature is wrong")
    assert error.message.endswith("the temperature is wrong")
    assert error.hint is None


@pytest.mark.parametrize(
    ("words", "side", "hint"), [(20_000, 56, "the text is too long, whatever the picture is"), (3, 2016, PICTURE)]
)
async def test_the_embedded_engine(words: int, side: int, hint: str, tiny_checkpoint: Path) -> None:
    engine = TransformersEngine(str(tiny_checkpoint), LoadOptions(max_pixels=2016**2))
    try:
        with pytest.raises(EngineRefused, match="do not fit into the model's context of") as raised:
            await engine.ask(about_a_picture("cat " * words, side))
    finally:
        engine.close()
    assert hint in (raised.value.hint or "")
