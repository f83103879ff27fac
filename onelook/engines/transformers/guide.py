"""Guided greedy decoding, step by step: the constraint's mask, and a record of each chosen token and its logprob."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xgrammar as xgr
from transformers import LogitsProcessor, StoppingCriteria

from onelook.engines.base import Choice, Constraint, JsonSchema
from onelook.errors import EngineIncapable, EngineRefused


class Cancelled(Exception):
    """The caller no longer waits for this answer."""


@dataclass(frozen=True, slots=True)
class Step:
    """One generated token, its natural-log probability after the mask, and the likeliest that the mask allowed."""

    token: int
    logprob: float
    top: tuple[tuple[int, float], ...]


class Grammars:
    """Constraints, compiled for one vocabulary; xgrammar's compiler keeps what it has compiled."""

    def __init__(self, tokenizer: Any, *, vocabulary: int, stop_tokens: Sequence[int]) -> None:
        info = xgr.TokenizerInfo.from_huggingface(tokenizer, vocab_size=vocabulary, stop_token_ids=list(stop_tokens))
        self.vocabulary = vocabulary
        self.stop_tokens = frozenset(stop_tokens)
        self.token_bytes: list[bytes] = info.decoded_vocab
        self._compiler = xgr.GrammarCompiler(info)

    def matcher(self, constraint: Constraint) -> xgr.GrammarMatcher:
        """A fresh matcher for one answer. Raises EngineRefused when xgrammar cannot read the constraint."""
        try:
            if isinstance(constraint, Choice):
                options = " | ".join(json.dumps(option, ensure_ascii=False) for option in constraint.options)
                return xgr.GrammarMatcher(self._compiler.compile_grammar(f"root ::= {options}"))
            pattern = constraint.regex if isinstance(constraint, JsonSchema) else constraint.pattern
            return xgr.GrammarMatcher(self._compiler.compile_regex(pattern))
        except RuntimeError as error:
            raise EngineRefused(f"xgrammar cannot compile the constraint {constraint}: {error}") from error


class Guide:
    """Follows one answer: `mask` before each token is chosen, `advance` after."""

    def __init__(
        self, grammars: Grammars, constraint: Constraint | None, *, top_logprobs: int, cancelled: threading.Event
    ) -> None:
        self.steps: list[Step] = []
        self.complete = False
        self.first_ns = self.last_ns = 0
        self._grammars = grammars
        self._matcher = None if constraint is None else grammars.matcher(constraint)
        self._bitmask = xgr.allocate_token_bitmask(1, grammars.vocabulary)
        self._scores = torch.empty(0)
        self._top_logprobs = top_logprobs
        self._cancelled = cancelled
        if self._matcher is not None:
            self._matcher.fill_next_token_bitmask(self._bitmask)

    def mask(self, scores: torch.Tensor) -> torch.Tensor:
        """Mask what the constraint forbids in `scores` [1, vocabulary]. Raises Cancelled if nobody waits."""
        if self._cancelled.is_set():
            raise Cancelled
        self._scores = scores.to("cpu", torch.float32)  # one row: the same on every device, and quick enough
        if self._matcher is not None and not self.complete:
            xgr.apply_token_bitmask_inplace(self._scores, self._bitmask)
        return self._scores.to(scores.device)

    def advance(self, token: int) -> bool:
        """Record the chosen `token`; True when the answer is complete.

        If the constraint allows nothing but a stop token, the answer is complete without the step that would write it.
        """
        if self.complete:  # some devices run one step more before they check
            return True
        self.last_ns = time.perf_counter_ns()
        self.first_ns = self.first_ns or self.last_ns
        logprobs = torch.log_softmax(self._scores[0], dim=-1)
        likeliest = torch.topk(logprobs, min(self._top_logprobs, len(logprobs)))
        top = zip(likeliest.indices.tolist(), likeliest.values.tolist(), strict=True)
        self.steps.append(
            Step(token, float(logprobs[token]), tuple((other, value) for other, value in top if value > -torch.inf))
        )
        self.complete = token in self._grammars.stop_tokens
        if self._matcher is not None and not self.complete:
            if not self._matcher.accept_token(token):
                raise EngineIncapable(
                    "the model's scores are not numbers, so no token could be chosen",
                    hint="float16 overflows in some models: set ONELOOK_DTYPE=bfloat16 or ONELOOK_DTYPE=float32",
                )
            self._matcher.fill_next_token_bitmask(self._bitmask)
            self.complete = self._matcher.is_completed() and self._only_stops()
        return self.complete

    def _only_stops(self) -> bool:
        allowed = np.flatnonzero(np.unpackbits(self._bitmask.numpy().view(np.uint8), bitorder="little"))
        return self._grammars.stop_tokens.issuperset(allowed.tolist())


class Mask(LogitsProcessor):
    """The guide's first half, as `generate` calls it."""

    def __init__(self, guide: Guide) -> None:
        self._guide = guide

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        return self._guide.mask(scores)  # type: ignore[return-value]


class Advance(StoppingCriteria):
    """The guide's second half, as `generate` calls it."""

    def __init__(self, guide: Guide) -> None:
        self._guide = guide

    def __call__(
        self, input_ids: torch.LongTensor, scores: tuple[torch.Tensor] | None, **kwargs: Any
    ) -> torch.BoolTensor:
        done = self._guide.advance(int(input_ids[0, -1]))
        return torch.tensor([done], device=input_ids.device)  # type: ignore[return-value]
