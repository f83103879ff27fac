"""Transformers in this process: no server, greedy, one answer at a time.

PyTorch is imported when the model is loaded, in the worker thread, and not before.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING

from onelook.engines.base import AskRequest, Capabilities, Constraints, Engine, Finding, Reply, Workload
from onelook.engines.cache_scope import cache_scope
from onelook.engines.callbacks import observed_call
from onelook.engines.probe import probe
from onelook.engines.size_grid import DEFAULT_GRID
from onelook.engines.time_limit import time_limit
from onelook.engines.transformers.loading import (
    Checkpoint,
    LoadOptions,
    check_checkpoint,
    free_memory,
    leave_one_core,
    load_checkpoint,
    read_size_grid,
)
from onelook.errors import EngineRefused, SettingsError
from onelook.ledger.stamps import NS_PER_MS
from onelook.settings.engine import EngineSettings
from onelook.settings.hints import set_to

if TYPE_CHECKING:
    from onelook.engines.transformers.generation import Generated, Generator

Work = Callable[["Generator", threading.Event], "list[Generated] | None"]
"""What the worker thread does with the loaded model; the event is set when the caller no longer waits."""

Load = Callable[[str, LoadOptions], Checkpoint]

DEFAULT_OPTIONS = LoadOptions()


class TransformersEngine(Engine):
    """A vision-language checkpoint that answers in a worker thread of its own, so the event loop never waits for it.

    Raises, when it is asked:
        EngineIncapable: a package, a file, a device or memory is missing; the message says which.
        EngineRefused: it cannot answer such a question.
    """

    def __init__(
        self,
        model: str,
        options: LoadOptions = DEFAULT_OPTIONS,
        *,
        prefix_cache_mb: int = 512,
        vision_cache_mb: int = 128,
        thinking: bool = False,
        jump_forward: bool = True,
        size_grid: int | None = None,
        load: Load = load_checkpoint,
    ) -> None:
        """`load`: where the weights come from; a benchmark makes random ones."""
        self._model = model
        self._options = options
        self._prefix_cache_bytes = prefix_cache_mb * 1_000_000
        self._vision_cache_bytes = vision_cache_mb * 1_000_000
        self._thinking = thinking
        self._load = load
        self._jump_forward = jump_forward
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedded")
        self._generator: Generator | None = None
        self._size_grid = size_grid

    @classmethod
    def from_settings(cls, settings: EngineSettings) -> TransformersEngine:
        """Raises `SettingsError` where no model is named: which one is the default, the caller knows."""
        if settings.model is None:
            raise SettingsError(
                "the embedded engine has no model",
                hint=f"name a folder or a Hugging Face id: {set_to(ONELOOK_MODEL='Qwen/Qwen2.5-VL-3B-Instruct')}",
            )
        options = LoadOptions(
            settings.device,
            settings.dtype,
            settings.attention,
            settings.quantization,
            settings.min_pixels,
            settings.max_pixels,
        )
        return cls(
            settings.model,
            options,
            prefix_cache_mb=settings.prefix_cache_mb,
            vision_cache_mb=settings.vision_cache_mb,
            thinking=settings.thinking,
            jump_forward=settings.jump_forward,
            size_grid=settings.size_grid,
        )

    @property
    def model(self) -> str:
        return self._model

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(concurrent=False, size_grid=self._size_grid or DEFAULT_GRID)

    async def look_up(self) -> Capabilities:
        """Reads the size grid from the checkpoint's files; the model is not loaded for it."""
        if self._size_grid is None:
            self._size_grid = await asyncio.to_thread(read_size_grid, self._model)
        return self.capabilities

    async def start(self, constraints: Constraints = "schema") -> None:
        """Load the model now, not with the first question. There is no probe: our own code keeps all constraints."""
        await asyncio.wrap_future(self._worker.submit(self._loaded))

    async def ask(self, request: AskRequest) -> Reply:
        """Answer greedily. Raises `DeadlinePassed` after `request.within_s`; the worker thread stops then."""
        if request.temperature > 0:
            raise EngineRefused(
                f"the embedded engine is greedy: it has no temperature {request.temperature}",
                hint=f"set ONELOOK_TEMPERATURE=0, or use a server, {set_to(ONELOOK_ENGINE='vllm')}",
            )

        def work(generator: Generator, cancelled: threading.Event) -> list[Generated]:
            return [
                generator.answer(
                    request.messages,
                    request.constraint,
                    max_tokens=request.max_tokens,
                    top_logprobs=request.top_logprobs,
                    cancelled=cancelled,
                )
            ]

        async with time_limit(self.model, [request]), observed_call(self, [request]) as replies:
            replies += await self._in_worker(work) or []
        return replies[0]

    async def ask_many(self, requests: Sequence[AskRequest]) -> list[Reply]:
        """One-token questions about the same pictures in one forward pass, all others one after another."""
        if any(request.max_tokens != 1 or request.temperature > 0 for request in requests):
            return await super().ask_many(requests)

        def work(generator: Generator, cancelled: threading.Event) -> list[Generated] | None:
            from onelook.engines.transformers.together import answer_together

            return answer_together(generator, requests, cancelled=cancelled)

        async with time_limit(self.model, requests):
            replies = await self._in_worker(work)
            if replies is not None:
                async with observed_call(self, requests) as observed:
                    observed += replies
                return replies
        return await super().ask_many(requests)

    async def probe(self, workload: Workload | None = None) -> list[Finding]:
        return await probe(self, workload)

    async def check_sleep(self) -> None:
        """Raises `EngineIncapable` if the model cannot be loaded, as far as that is known without loading it."""
        await asyncio.wrap_future(self._worker.submit(check_checkpoint, self._model, self._options))

    async def sleep(self) -> None:
        """Free the model after the running question and the queue; the next question would load it again."""
        await asyncio.wrap_future(self._worker.submit(self._unload))

    async def wake_up(self) -> None:
        await self.start()

    async def aclose(self) -> None:
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Wait for the running question, cancel those in the queue, free the model and end the thread."""
        self._worker.shutdown(cancel_futures=True)
        self._generator = None

    async def _in_worker(self, work: Work) -> list[Reply] | None:
        """What `work` generates, as replies. If this is cancelled, the worker thread stops."""
        cancelled, queued_ns, scope = threading.Event(), time.perf_counter_ns(), cache_scope.get()

        def job() -> list[Reply] | None:
            queue_ms = (time.perf_counter_ns() - queued_ns) / NS_PER_MS
            generator = self._loaded()
            generator.use_scope(scope)
            from onelook.engines.transformers.reply import to_reply

            generated = work(generator, cancelled)
            if generated is None:
                return None
            return [to_reply(each, generator.vocabulary, queue_ms=queue_ms) for each in generated]

        try:
            return await asyncio.wrap_future(self._worker.submit(copy_context().run, job))
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def _unload(self) -> None:
        if self._generator is None:
            return
        self._generator = None
        free_memory()

    def _loaded(self) -> Generator:
        if self._generator is None:
            checkpoint = self._load(self._model, self._options)
            leave_one_core()
            from onelook.engines.transformers.generation import Generator

            self._generator = Generator(
                checkpoint,
                prefix_cache_bytes=self._prefix_cache_bytes,
                vision_cache_bytes=self._vision_cache_bytes,
                thinking=self._thinking,
                jump_forward=self._jump_forward,
            )
        return self._generator
