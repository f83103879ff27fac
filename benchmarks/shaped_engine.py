"""The project's embedded engine on random weights that answer as dictated, with counts of what it computes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from benchmarks.dictation import Tokens, question_text
from onelook.engines.base import AskRequest, Reply
from onelook.engines.transformers.engine import Load, TransformersEngine
from onelook.engines.transformers.loading import Checkpoint, LoadOptions

FAVOUR = 1e4
"""Added to the score of the dictated token: far more than random weights' scores differ by."""


class Stopwatch:
    """Milliseconds of each run of a module, by the device's own clock."""

    def __init__(self, module: torch.nn.Module, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._marks: list[Any] = []
        module.register_forward_pre_hook(lambda *_: self._mark())
        module.register_forward_hook(lambda *_: self._mark(), always_call=True)  # also if a kernel fails

    def _mark(self) -> None:
        if self._cuda:
            event = torch.cuda.Event(enable_timing=True)
            event.record()
            self._marks.append(event)
        else:
            self._marks.append(time.perf_counter())

    def take(self) -> list[float]:
        """The runs since the last call."""
        marks, self._marks = self._marks, []
        if self._cuda and marks:
            torch.cuda.synchronize()
        pairs = zip(marks[::2], marks[1::2], strict=True)
        if self._cuda:
            return [start.elapsed_time(end) for start, end in pairs]
        return [(end - start) * 1e3 for start, end in pairs]


class Dictator:
    """Makes a model choose the dictated tokens, whatever its weights, and counts its forward passes.

    The model computes all that it computes anyway. The index of a pass in the reply follows from the length of its
    cache, so that a pass may compute several tokens.
    """

    def __init__(self, model: torch.nn.Module) -> None:
        self.passes = 0
        self._replies: list[list[int]] = []
        self._start: int | None = None
        model.register_forward_hook(self._favour, with_kwargs=True)

    def dictate(self, replies: Sequence[list[int]]) -> None:
        """One reply for each row of the next passes."""
        self._replies, self._start = list(replies), None

    def _favour(self, module: Any, args: Any, kwargs: dict[str, Any], output: Any) -> None:
        self.passes += 1
        if output.logits.shape[0] != len(self._replies):
            return  # a pass for what several questions have in common
        end: int = kwargs["past_key_values"].get_seq_length()
        if self._start is None:
            self._start = end - _written(kwargs["input_ids"][0].tolist(), self._replies[0])
        for row, reply in enumerate(self._replies):
            output.logits[row, -1, reply[min(end - self._start, len(reply) - 1)]] += FAVOUR


def _written(ids: Sequence[int], reply: Sequence[int]) -> int:
    """How many tokens of the reply end the first pass: a constraint can force its beginning."""
    return next(count for count in range(min(len(ids), len(reply)), -1, -1) if ids[len(ids) - count :] == reply[:count])


class ShapedEngine(TransformersEngine):
    """`replies`: by the text of the question. `answered`: the replies since they were last taken."""

    def __init__(self, name: str, load: Load, options: LoadOptions, replies: Mapping[str, str], tokens: Tokens) -> None:
        super().__init__(name, options, load=self._watched(load))
        self._replies = replies
        self._tokens = tokens
        self._turn = asyncio.Lock()
        self.answered: list[Reply] = []
        self.dictator: Dictator
        self.vision: Stopwatch
        self.checkpoint: Checkpoint

    async def ask(self, request: AskRequest) -> Reply:
        async with self._turn:
            self.dictator.dictate([self._reply(request)])
            reply = await super().ask(request)
        self.answered.append(reply)
        return reply

    async def ask_many(self, requests: Sequence[AskRequest]) -> list[Reply]:
        self.dictator.dictate([self._reply(request) for request in requests])
        known = len(self.answered)
        replies = await super().ask_many(requests)
        if len(self.answered) == known:  # in one pass, not one after another
            self.answered.extend(replies)
        return replies

    def jump_forward(self, on: bool) -> None:
        """Whether forced tokens take no pass of their own from now on, where the architecture is known."""
        generator = self._loaded()
        generator.jump_forward = generator.can_batch and on

    async def aclose(self) -> None:
        """Nothing: the next Tagger finds the weights loaded. `close` frees them."""

    def _reply(self, request: AskRequest) -> list[int]:
        return self._tokens(self._replies[question_text(request.messages)])

    def _watched(self, load: Load) -> Load:
        def watched(name: str, options: LoadOptions) -> Checkpoint:
            self.checkpoint = load(name, options)
            model: Any = self.checkpoint.model
            self.dictator = Dictator(model)
            self.vision = Stopwatch(model.model.visual, model.device)
            return self.checkpoint

        return watched
