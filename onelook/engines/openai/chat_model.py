"""A vision-language model behind an OpenAI-compatible server, vLLM first of all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI
from pydantic import Field, PrivateAttr, SecretStr

from onelook.engines.base import AskRequest, Capabilities, Constraint, Finding
from onelook.engines.chat import ChatEngine
from onelook.engines.openai.batch import PATH as BATCH_PATH
from onelook.engines.openai.batch import name_pictures, read_batch, send_pictures_once, shared_choice
from onelook.engines.openai.request import Guidance, guidance_fields, plain_messages
from onelook.engines.openai.served_model import ServedModel, find_model
from onelook.engines.openai.server import OpenAIServer
from onelook.engines.openai.sleep_mode import SleepMode
from onelook.errors import EngineFailed, EngineIncapable, EngineRefused
from onelook.settings.engine import EngineSettings

# ChatOpenAI wants a key, and without one takes OPENAI_API_KEY from the environment. It does not send it: `server` does.
NO_KEY = SecretStr("none")


class VllmChat(ChatOpenAI):
    """`ChatOpenAI` for one's own server: a leaner transport, guided decoding, and vLLM's extras kept.

    Calls take `constraint` beside ChatOpenAI's own arguments. In the reply's `response_metadata`: `finish_reason`,
    `logprobs`, `token_usage`, and, where the server sends them, `metrics` and `stop_reason`, which ChatOpenAI drops.
    An empty model name stands for the server's only model; it is looked up at the first call.
    Errors are `onelook.errors.EngineError`; there are no retries here, they belong to the graph.
    """

    server: OpenAIServer = Field(exclude=True)
    model_name: str = Field(default="", alias="model")
    guidance: Literal["auto"] | Guidance = "auto"
    batches: Literal["auto", "always", "never"] = "auto"
    max_retries: int | None = 0
    # A reply is used when it is whole; LangGraph would otherwise stream as soon as somebody watches (Studio does).
    disable_streaming: bool | Literal["tool_calling"] = True

    _served: ServedModel | None = PrivateAttr(default=None)
    _lookups: dict[asyncio.AbstractEventLoop, asyncio.Task[ServedModel]] = PrivateAttr(default_factory=dict)

    @property
    def capabilities(self) -> Capabilities:
        guidance = self._served.guidance if self._served else self.guidance
        return Capabilities(
            patience_s=self.server.timeout_s, constraints="schema" if guidance == "response_format" else "regex"
        )

    async def served(self) -> ServedModel:
        """The model that answers. Asked of the server once; callers that come meanwhile wait for the same question."""
        if self._served is None:
            loop = asyncio.get_running_loop()
            lookup = self._lookups.get(loop)
            if lookup is None:
                lookup = loop.create_task(find_model(self.server, self.model_name or None, self.guidance, self.batches))
                lookup.add_done_callback(lambda _: self._lookups.pop(loop, None))
                self._lookups[loop] = lookup
            self._served = await asyncio.shield(lookup)
            self.model_name = self._served.name
        return self._served

    async def answer_together(self, requests: Sequence[AskRequest]) -> list[AIMessage] | None:
        """The answers to several questions from one HTTP request; None where they cannot be asked so.

        Raises:
            EngineError: as for a single question; but where a batch is refused, there will be none any more, and each
                question gets an answer, or a refusal, of its own (a server without a media cache knows no names).
        """
        choice, served = shared_choice(requests), await self.served()
        if choice is None or not served.batches:
            return None
        conversations = [
            name_pictures(self._get_request_payload(list(request.messages))["messages"]) for request in requests
        ]
        body = {
            "model": served.name,
            "messages": send_pictures_once(conversations),
            "max_tokens": 1,
            "temperature": 0.0,
            "logprobs": True,
            "top_logprobs": len(choice.options),
            **guidance_fields(choice, served.guidance),
        }
        try:
            response = await self.server.post(BATCH_PATH, body)
        except EngineRefused:
            if self.batches == "always":
                raise
            self._served = replace(served, batches=False)
            return None
        return read_batch(response, requests, self.server.address)

    async def check_sleep(self) -> None:
        await SleepMode(self.server).check()

    async def sleep(self) -> None:
        await SleepMode(self.server).sleep()

    async def wake_up(self) -> None:
        await SleepMode(self.server).wake_up()

    async def findings(self) -> list[Finding]:
        batches = (await self.served()).batches
        return [
            Finding(
                "questions in one request",
                ok=batches,
                detail=f"taken at /{BATCH_PATH}"
                if batches
                else f"nothing takes them at /{BATCH_PATH}, or batch is never",
                needed=False,
                hint=None if batches else "vLLM 0.32 has it; else arm reads asks its questions one by one, all at once",
            )
        ]

    async def aclose(self) -> None:
        await self.server.aclose()

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        *,
        constraint: Constraint | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        served = await self.served()
        body = self._get_request_payload(messages, stop=stop, **kwargs)
        body |= {"model": served.name, **guidance_fields(constraint, served.guidance)}
        if served.batches:
            body["messages"] = name_pictures(body["messages"])
        response = await self.server.post("chat/completions", body)
        return self._read(response)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return asyncio.run(self._agenerate(messages, stop=stop, **kwargs))

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        plain = plain_messages(input_) if isinstance(input_, list) else None
        payload: dict[str, Any]
        if plain is None:
            payload = super()._get_request_payload(input_, stop=stop, **kwargs)
        else:
            payload = {**self._default_params, **({"stop": stop} if stop else {}), **kwargs, "messages": plain}
        payload.pop("stream", None)
        payload |= payload.pop("extra_body", None) or {}
        # ChatOpenAI writes the newer name; every open server reads the older one too, and some (Ollama, TGI) only that.
        if (limit := payload.pop("max_completion_tokens", None)) is not None:
            payload.setdefault("max_tokens", limit)
        return payload

    def _read(self, response: dict[str, Any]) -> ChatResult:
        match response:
            case {"choices": [{"message": {"role": str()}, **choice}, *_]}:
                pass
            case {"error": error} if error:
                raise EngineFailed(f"{self.server.address} answered HTTP 200 with an error: {str(error)[:500]}")
            case _:
                raise EngineIncapable(
                    f"{self.server.address} answered without a choice; its keys: {', '.join(response) or 'none'}",
                    hint="base_url must lead to an OpenAI-compatible server",
                )
        result = self._create_chat_result(response, {"stop_reason": choice.get("stop_reason")})
        if result.llm_output is not None:
            result.llm_output["metrics"] = response.get("metrics")
        return result


def vllm_engine(settings: EngineSettings) -> ChatEngine:
    """The engine at `settings.base_url`. Connects at its first question, so a server may come up later.

    Raises:
        SettingsError: `base_url` is no http(s) address.
    """
    server = OpenAIServer(settings.base_url, api_key=settings.api_key, timeout_s=settings.timeout_s)
    return ChatEngine(
        VllmChat(
            server=server,
            base_url=server.address,
            api_key=NO_KEY,
            model=settings.model or "",
            guidance=settings.guidance,
            batches=settings.batch,
        )
    )
