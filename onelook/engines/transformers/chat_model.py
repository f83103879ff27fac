"""Transformers in this process as a LangChain chat model: no server, greedy, one answer at a time.

Its answers have the shape of a vLLM server's, token log-probabilities, usage and metrics included, so one reader serves
both. PyTorch is imported when the model is loaded, in the worker thread, and not before.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from onelook.engines.base import SIZE_GRID, AskRequest, Capabilities, Constraint
from onelook.engines.transformers.loading import (
    Attention,
    Dtype,
    LoadOptions,
    Quantization,
    check_checkpoint,
    free_memory,
    leave_one_core,
    load_checkpoint,
)
from onelook.errors import EngineRefused, SettingsError
from onelook.ledger.stamps import NS_PER_MS
from onelook.settings.engine import EngineSettings

if TYPE_CHECKING:
    from onelook.engines.transformers.generation import Generator


class EmbeddedChat(BaseChatModel):
    """A vision-language checkpoint that answers in a worker thread of its own, so the event loop never waits for it.

    Raises, when it is asked:
        EngineIncapable: a package, a file, a device or memory is missing; the message says which.
        EngineRefused: the question is not one that it can take.
    """

    model: str
    device: str = "auto"
    dtype: Dtype = "auto"
    attention: Attention = "auto"
    quantization: Quantization = "none"
    min_pixels: int | None = None
    max_pixels: int | None = None
    prefix_cache_mb: int = 512

    _worker: ThreadPoolExecutor = PrivateAttr(
        default_factory=lambda: ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedded")
    )
    _generator: Generator | None = PrivateAttr(default=None)

    @classmethod
    def from_settings(cls, settings: EngineSettings) -> Self:
        """Raises `SettingsError` where no model is named: which one is the default, the caller knows."""
        if settings.model is None:
            raise SettingsError("the embedded engine has no model", hint="name a folder or a Hugging Face id: model=…")
        return cls(
            model=settings.model,
            device=settings.device,
            dtype=settings.dtype,
            attention=settings.attention,
            quantization=settings.quantization,
            min_pixels=settings.min_pixels,
            max_pixels=settings.max_pixels,
            prefix_cache_mb=settings.prefix_cache_mb,
        )

    @property
    def _llm_type(self) -> str:
        return "onelook-embedded"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model, "dtype": self.dtype, "quantization": self.quantization}

    @property
    def capabilities(self) -> Capabilities:
        grid = SIZE_GRID if self._generator is None else self._generator.size_grid
        return Capabilities(concurrent=False, size_grid=grid)

    async def load(self) -> None:
        """Load the model now, not with the first question."""
        await asyncio.wrap_future(self._worker.submit(self._loaded))

    async def check_sleep(self) -> None:
        """Raises `EngineIncapable` where the model cannot be loaded, as far as that shows without loading it."""
        await asyncio.wrap_future(self._worker.submit(check_checkpoint, self.model, self._options))

    async def sleep(self) -> None:
        """Free the model after the answers in hand and in the queue; the next question would load it again."""
        await asyncio.wrap_future(self._worker.submit(self._unload))

    async def wake_up(self) -> None:
        await self.load()

    async def aclose(self) -> None:
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Wait for the answer in hand, drop those that wait, free the model and end the thread."""
        self._worker.shutdown(cancel_futures=True)
        self._generator = None

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **asked: Any,
    ) -> ChatResult:
        return self._submit(messages, stop, threading.Event(), **asked).result()

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **asked: Any,
    ) -> ChatResult:
        cancelled = threading.Event()
        try:
            return await asyncio.wrap_future(self._submit(messages, stop, cancelled, **asked))
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def answer_together(self, requests: Sequence[AskRequest]) -> list[AIMessage] | None:
        """One-token answers to several questions from one forward pass; None where they cannot be answered so."""
        if any(request.max_tokens != 1 or request.temperature > 0 for request in requests):
            return None
        cancelled, queued_ns = threading.Event(), time.perf_counter_ns()

        def work() -> list[AIMessage] | None:
            queue_ms = (time.perf_counter_ns() - queued_ns) / NS_PER_MS
            generator = self._loaded()
            from onelook.engines.transformers.reply import to_message
            from onelook.engines.transformers.together import answer_together

            answers = answer_together(generator, requests, cancelled=cancelled)
            if answers is None:
                return None
            return [
                to_message(answer, generator.vocabulary, model=self.model, queue_ms=queue_ms, logprobs=True)
                for answer in answers
            ]

        try:
            return await asyncio.wrap_future(self._worker.submit(work))
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def _submit(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        cancelled: threading.Event,
        *,
        constraint: Constraint | None = None,
        max_tokens: int = 1024,
        temperature: float = 0.0,
        logprobs: bool = True,
        top_logprobs: int = 0,
    ) -> Future[ChatResult]:
        if temperature > 0:
            raise EngineRefused(
                f"the embedded engine is greedy: it has no temperature {temperature}",
                hint="set temperature to 0, or use a vLLM server",
            )
        if stop:
            raise EngineRefused("the embedded engine has no stop words", hint="end the answer by a constraint")
        queued_ns = time.perf_counter_ns()

        def work() -> ChatResult:
            scheduled_ns = time.perf_counter_ns()
            generator = self._loaded()
            answer = generator.answer(
                messages, constraint, max_tokens=max_tokens, top_logprobs=top_logprobs, cancelled=cancelled
            )
            from onelook.engines.transformers.reply import to_message

            message = to_message(
                answer,
                generator.vocabulary,
                model=self.model,
                queue_ms=(scheduled_ns - queued_ns) / NS_PER_MS,
                logprobs=logprobs,
            )
            return ChatResult(generations=[ChatGeneration(message=message)])

        return self._worker.submit(work)

    @property
    def _options(self) -> LoadOptions:
        return LoadOptions(self.device, self.dtype, self.attention, self.quantization, self.min_pixels, self.max_pixels)

    def _unload(self) -> None:
        if self._generator is None:
            return
        self._generator = None
        free_memory()

    def _loaded(self) -> Generator:
        if self._generator is None:
            checkpoint = load_checkpoint(self.model, self._options)
            leave_one_core()
            from onelook.engines.transformers.generation import Generator

            self._generator = Generator(checkpoint, prefix_cache_bytes=self.prefix_cache_mb * 1_000_000)
        return self._generator
