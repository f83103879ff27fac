"""Guided greedy decoding, step by step: the constraint's mask, and a record of each chosen token and its logprob."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xgrammar as xgr
from numpy.typing import NDArray
from transformers import LogitsProcessor, StoppingCriteria

from onelook.engines.base import Choice, Constraint, JsonSchema
from onelook.engines.transformers.forced_text import ForcedTokens, forced_text
from onelook.errors import EngineIncapable, EngineRefused

Ids = NDArray[np.int64]


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
        self.token_lengths = np.array([len(data) for data in self.token_bytes])
        self.forced_tokens = ForcedTokens(tokenizer, self.token_bytes)
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
    """Follows one answer: `mask` before each token is chosen, `advance` after.

    `passes`: how many forward passes gave scores to choose from; `forced`: how many tokens were no choice.
    Scores stay on their device: only the ids of the allowed tokens go there, and only what is recorded comes back.
    """

    def __init__(
        self, grammars: Grammars, constraint: Constraint | None, *, top_logprobs: int, cancelled: threading.Event
    ) -> None:
        self.steps: list[Step] = []
        self.complete = False
        self.passes = self.forced = 0
        self.first_ns = self.last_ns = 0
        self._grammars = grammars
        self._matcher = None if constraint is None else grammars.matcher(constraint)
        self._bitmask = xgr.allocate_token_bitmask(1, grammars.vocabulary)
        self._allowed: Ids | None = None if self._matcher is None else self._next_allowed(self._matcher)
        self._logprobs = torch.empty(0)  # of the allowed tokens
        self._top_logprobs = top_logprobs
        self._cancelled = cancelled

    def mask(self, scores: torch.Tensor) -> torch.Tensor:
        """`scores` [1, vocabulary] with -inf for what the constraint forbids. Raises Cancelled if nobody waits."""
        if self._cancelled.is_set():
            raise Cancelled
        self.passes += 1
        if self.complete:
            return scores
        if self._allowed is None:
            self._logprobs = torch.log_softmax(scores[0].float(), dim=-1)
            return scores
        allowed = torch.from_numpy(self._allowed).to(scores.device)
        kept = scores[0].index_select(0, allowed)
        self._logprobs = torch.log_softmax(kept.float(), dim=-1)
        masked = torch.full_like(scores, -torch.inf)
        masked[0].index_copy_(0, allowed, kept)
        return masked

    def advance(self, token: int) -> bool:
        """Record the chosen `token`; True when the answer is complete.

        If the constraint allows nothing but a stop token, the answer is complete without the step that would write it.
        Raises EngineIncapable if the scores were not numbers.
        """
        if self.complete:  # some devices run one step more before they check
            return True
        self.last_ns = time.perf_counter_ns()
        self.first_ns = self.first_ns or self.last_ns
        self.steps.append(self._step(token))
        self.complete = token in self._grammars.stop_tokens
        if self._matcher is not None and not self.complete:
            self._accept(self._matcher, token)
        return self.complete

    def jump(self, max_tokens: int) -> list[int]:
        """Write the tokens that are forced from here on, up to `max_tokens` of the whole answer, and return them.

        Their probability is 1. The last of them are left to the model where a token that reaches beyond the forced
        text could stand in their place: the tokenizer writes `["` as one token, so the `[` before a choice is no token.
        """
        if self._matcher is None or self.complete:
            return []
        text = forced_text(self._matcher)
        if not text:
            return []
        token_bytes, lengths = self._grammars.token_bytes, self._grammars.token_lengths
        left, jumped = len(text.encode()), list[int]()
        written = b"".join(token_bytes[step.token] for step in self.steps)
        for token in self._grammars.forced_tokens(written, text)[: max_tokens - len(self.steps)]:
            if self._place(token) is None or self._matcher.is_completed() or lengths[self._allowed].max() > left:
                break
            self.steps.append(Step(token, 0.0, ((token, 0.0),) if self._top_logprobs else ()))
            self._accept(self._matcher, token)
            self.forced += 1
            left -= len(token_bytes[token])
            jumped.append(token)
        return jumped

    def _accept(self, matcher: xgr.GrammarMatcher, token: int) -> None:
        matcher.accept_token(token)
        self._allowed = self._next_allowed(matcher)
        self.complete = matcher.is_completed() and self._only_stops(self._allowed)

    def _step(self, token: int) -> Step:
        place = self._place(token)
        logprob = math.nan if place is None else float(self._logprobs[place])
        if math.isnan(logprob):
            raise EngineIncapable(
                "the model's scores are not numbers, so no token could be chosen",
                hint="float16 overflows in some models: set ONELOOK_DTYPE=bfloat16 or ONELOOK_DTYPE=float32",
            )
        likeliest = torch.topk(self._logprobs, min(self._top_logprobs, len(self._logprobs)))
        tokens = likeliest.indices.cpu().numpy()
        if self._allowed is not None:
            tokens = self._allowed[tokens]
        top = zip(tokens.tolist(), likeliest.values.tolist(), strict=True)
        return Step(token, logprob, tuple((other, value) for other, value in top if value > -torch.inf))

    def _place(self, token: int) -> int | None:
        """Where `token` stands among the allowed ones; None if it is not one of them."""
        if self._allowed is None:
            return token
        place = int(np.searchsorted(self._allowed, token))
        return place if place < len(self._allowed) and self._allowed[place] == token else None

    def _only_stops(self, allowed: Ids) -> bool:
        stops = self._grammars.stop_tokens
        return len(allowed) <= len(stops) and stops.issuperset(allowed.tolist())

    def _next_allowed(self, matcher: xgr.GrammarMatcher) -> Ids:
        matcher.fill_next_token_bitmask(self._bitmask)
        words = self._bitmask.numpy().view(np.uint8)
        bits = np.unpackbits(words, bitorder="little", count=self._grammars.vocabulary)
        return np.flatnonzero(bits.view(np.bool_))  # three times as fast as over the integers


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
