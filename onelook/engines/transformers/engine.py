"""Transformers in this process: no server, greedy, one answer at a time or several in one padded batch.

PyTorch is imported when the model is loaded, in the worker thread, and not before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from onelook.engines.base import AskRequest, Capabilities, Constraints, Engine, Finding, Reply, Workload
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
from onelook.engines.transformers.queue import Queue, Queued
from onelook.errors import EngineRefused, SettingsError
from onelook.ledger.stamps import NS_PER_MS
from onelook.settings.engine import EngineSettings
from onelook.settings.hints import set_to

if TYPE_CHECKING:
    from onelook.engines.transformers.generation import Generator

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
        batch_size: int = 1,
        size_grid: int | None = None,
        load: Load = load_checkpoint,
    ) -> None:
        """`batch_size`: the most requests that are answered in one padded batch, if they wait at the same time. `load`:
        where the weights come from; a benchmark makes random ones."""
        self._model = model
        self._options = options
        self._prefix_cache_bytes = prefix_cache_mb * 1_000_000
        self._vision_cache_bytes = vision_cache_mb * 1_000_000
        self._thinking = thinking
        self._load = load
        self._jump_forward = jump_forward
        self._batch_size = batch_size
        self._queue = Queue()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedded")
        self._generator: Generator | None = None
        self._size_grid = size_grid

    @classmethod
    def from_settings(cls, settings: EngineSettings) -> TransformersEngine:
        """Raises `SettingsError` where no model is named: which one is the default, the caller knows."""
        if settings.model is None:
            raise SettingsError(
                "the embedded engine has no model",
                hint=f"name a folder or a Hugging Face id: {set_to(ONELOOK_MODEL='Qwen/Qwen2.5-VL-3B-Instruct')}, or in"
                ' Python load_settings(model="…"); onelook.tag(picture) takes the bundled demo model',
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
            batch_size=settings.batch_size,
            size_grid=settings.size_grid,
        )

    @property
    def model(self) -> str:
        return self._model

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(concurrent=self._batch_size > 1, size_grid=self._size_grid or DEFAULT_GRID)

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
        async with time_limit(self.model, [request]), observed_call(self, [request]) as replies:
            replies += await self._answered(Queued([request])) or []
        return replies[0]

    async def ask_many(self, requests: Sequence[AskRequest]) -> list[Reply]:
        """One-token questions about the same pictures in one forward pass, all others one after another."""
        if any(request.max_tokens != 1 or request.temperature > 0 for request in requests):
            return await super().ask_many(requests)

        async with time_limit(self.model, requests):
            replies = await self._answered(Queued(requests, is_round=True))
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
        self._queue.cancel()
        self._generator = None

    async def _answered(self, queued: Queued) -> list[Reply] | None:
        """The replies from the worker thread. If this is cancelled, the thread stops the work on them."""
        self._queue.put(queued)
        self._worker.submit(self._take)
        try:
            return await asyncio.wrap_future(queued.replies)
        except asyncio.CancelledError:
            queued.cancelled.set()
            raise

    def _take(self) -> None:
        """Answer what waits. Each request submits one such call; an earlier one may have taken it into its batch."""
        taken_ns = time.perf_counter_ns()
        taken: list[Queued] = []
        try:
            if not self._queue.waits():
                return
            generator = self._loaded()
            taken += self._queue.take(self._batch_size if generator.can_batch else 1)
            if taken:
                taken[0].context.run(self._answer, generator, taken, taken_ns)
        except BaseException as error:  # noqa: BLE001 whoever asked raises it
            for each in taken or self._queue.take(1):
                if not each.replies.done():
                    each.replies.set_exception(error)

    def _answer(self, generator: Generator, taken: Sequence[Queued], taken_ns: int) -> None:
        from onelook.engines.transformers.batches import Outcome, answer_all
        from onelook.engines.transformers.reply import to_reply

        generator.use_scope(taken[0].scope[0])

        def report(index: int, outcome: Outcome) -> None:
            queued = taken[index]
            if isinstance(outcome, Exception):
                queued.replies.set_exception(outcome)
                return
            if outcome is None:
                queued.replies.set_result(None)
                return
            queue_ms = (taken_ns - queued.since_ns) / NS_PER_MS
            queued.replies.set_result([to_reply(each, generator.vocabulary, queue_ms=queue_ms) for each in outcome])

        answer_all(generator, taken, report)

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
