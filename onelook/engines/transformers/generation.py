"""An answer from a checkpoint in this process: prompt, prefix reuse, guided greedy decoding, stamps."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import jinja2
import numpy as np
import torch
from langchain_core.messages import BaseMessage
from transformers import DynamicCache, GenerationConfig, LogitsProcessorList, StoppingCriteriaList
from transformers.cache_utils import DynamicLayer

from onelook.engines.base import AskRequest, Constraint, StopReason
from onelook.engines.context_length import PromptTokens
from onelook.engines.transformers.conversation import Conversation, read_conversation
from onelook.engines.transformers.guide import Advance, Cancelled, Grammars, Guide, Mask, Step
from onelook.engines.transformers.loading import Checkpoint
from onelook.engines.transformers.output_layer import copy_scored
from onelook.engines.transformers.passes import Decoding, Positions, decode, pictures_of
from onelook.engines.transformers.prefix_cache import PrefixCache, Prompt, States, Tokens, states_of
from onelook.engines.transformers.prompt_heads import PromptHeads
from onelook.engines.transformers.rows import takes_branches
from onelook.engines.transformers.thinking import thinking_variable
from onelook.engines.transformers.vision_cache import VisionCache
from onelook.errors import EngineIncapable, EngineRefused
from onelook.ledger.stamps import NS_PER_MS
from onelook.settings.hints import set_to

# Architectures whose attention is causal over text and pictures alike and whose positions follow from the token ids
# and picture sizes alone, so that a prefix's states do not depend on what comes after. The tests prove it for each of
# these; any other architecture answers without reuse.
REUSES_PREFIXES = frozenset({"qwen2_vl", "qwen2_5_vl", "qwen3_vl"})

# Inputs that only the vision encoder reads; sizes stay, because positions need them.
PIXELS = ("pixel_values",)


@dataclass(frozen=True, slots=True)
class Generated:
    """The generated tokens of one answer, and their cost.

    `first_token_ms` counts from the start of the work on it, `decode_ms` from the first token. A pass that several
    answers of one round share is counted with the first of them; one that requests of a batch share, with each.
    """

    steps: tuple[Step, ...]
    stop_reason: StopReason
    prompt_tokens: int
    cached_tokens: int
    image_tokens: int
    forced_tokens: int
    prefill_passes: int
    decode_passes: int
    encoded_images: int | None
    reused_images: int | None
    first_token_ms: float
    decode_ms: float


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The bytes of each token id, and the ids that are not written out (end of turn, placeholders)."""

    token_bytes: list[bytes]
    silent: frozenset[int]


class Generator:
    """A loaded checkpoint that answers. Not safe for more than one thread.

    `can_batch`: whether it answers several requests in one pass. `can_branch`: whether questions about the same
    pictures can share one row of it. `jump_forward`: whether the tokens that a constraint forces are computed in one
    pass; may change between two answers.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        prefix_cache_bytes: int,
        vision_cache_bytes: int = 0,
        thinking: bool = False,
        jump_forward: bool = True,
    ) -> None:
        """`thinking`: whether a model whose chat template has that switch thinks before it answers. `jump_forward`:
        whether the tokens that a constraint forces are computed in one pass, where the architecture is known."""
        self.model: Any = checkpoint.model
        copy_scored(self.model)
        self.processor: Any = checkpoint.processor
        self._template_variables = thinking_variable(self.processor.chat_template, thinking)
        config, tokenizer = self.model.config, self.processor.tokenizer
        text_config = config.get_text_config()
        stop_tokens = _stop_tokens(self.model.generation_config.eos_token_id, tokenizer.eos_token_id)
        self.grammars = Grammars(tokenizer, vocabulary=text_config.vocab_size, stop_tokens=stop_tokens)
        self.vocabulary = Vocabulary(self.grammars.token_bytes, frozenset({*stop_tokens, *tokenizer.all_special_ids}))
        self.context_length: int = text_config.max_position_embeddings
        self._image_token: int | None = getattr(config, "image_token_id", getattr(config, "image_token_index", None))
        # Checkpoints ship sampling settings (Qwen2.5-VL a repetition penalty); greedy decoding has none.
        self.model.generation_config = GenerationConfig(
            do_sample=False, eos_token_id=stop_tokens, pad_token_id=stop_tokens[0]
        )
        known = config.model_type in REUSES_PREFIXES
        self.prefixes = PrefixCache(prefix_cache_bytes) if known and prefix_cache_bytes > 0 else None
        self.heads = PromptHeads(self.processor) if self.prefixes is not None else None
        self.vision = VisionCache(self.model, vision_cache_bytes) if known else None
        self.can_batch = known and _attends_to_all(self.model.config)
        self.can_branch = self.can_batch and takes_branches(self.model.config)
        self.jump_forward = self.can_batch and jump_forward

    def answer(
        self,
        messages: Sequence[BaseMessage],
        constraint: Constraint | None,
        *,
        max_tokens: int,
        top_logprobs: int,
        cancelled: threading.Event,
    ) -> Generated:
        """Answer greedily.

        Raises:
            EngineRefused: the messages do not fit the model, or the constraint cannot be compiled.
            EngineIncapable: the device has too little memory for it.
            Cancelled: `cancelled` was set.
        """
        start_ns = time.perf_counter_ns()
        request = AskRequest(messages, constraint, max_tokens, top_logprobs=top_logprobs)
        inputs, answer = self.begin(request, cancelled)
        try:
            if self.jump_forward:
                decode(self.model, [answer], self.remember, self.credit)
            else:
                self._generate(inputs, answer)
        except torch.OutOfMemoryError as error:
            self.forget()
            raise EngineIncapable(
                f"the device ran out of memory: {error}",
                hint=f"send smaller pictures, {set_to(ONELOOK_RUN__LONG_EDGE=512)}, or set ONELOOK_PREFIX_CACHE_MB=0 or"
                " ONELOOK_QUANTIZATION=8bit",
            ) from error
        if answer.failure is not None:
            raise answer.failure
        return self.generated(answer, start_ns)

    def begin(self, request: AskRequest, cancelled: threading.Event) -> tuple[Any, Decoding]:
        """The model's inputs for `request`, and its answer before the first token. Raises as `answer` does."""
        if cancelled.is_set():
            raise Cancelled
        conversation = read_conversation(request.messages)
        guide = Guide(self.grammars, request.constraint, top_logprobs=request.top_logprobs, cancelled=cancelled)
        inputs, prompt, cached, states = self.inputs(conversation)
        size = PromptTokens.of(len(prompt.tokens), pictures=self.count_image_tokens(prompt.tokens))
        if not size.fits(request.max_tokens, self.context_length):
            raise EngineRefused(
                size.misfit(request.max_tokens, self.context_length),
                hint=size.cure(request.max_tokens, self.context_length),
            )
        answer = Decoding(prompt, guide, request.max_tokens, cached, states, jump_forward=self.jump_forward)
        if self.can_batch:
            answer.positions = Positions.of(self.model, inputs)
            answer.pictures = pictures_of(inputs)
        return inputs, answer

    def generated(self, answer: Decoding, start_ns: int) -> Generated:
        """What was written, by work that began at `start_ns`."""
        guide, prompt = answer.guide, answer.prompt
        first_ns = guide.first_ns or time.perf_counter_ns()  # an answer that is forced as a whole needs no pass
        return Generated(
            steps=tuple(guide.steps),
            stop_reason="stop" if guide.complete else "length",
            prompt_tokens=len(prompt.tokens),
            cached_tokens=answer.cached,
            image_tokens=self.count_image_tokens(prompt.tokens),
            forced_tokens=guide.forced,
            prefill_passes=min(guide.passes, 1),
            decode_passes=max(guide.passes - 1, 0),
            encoded_images=None if self.vision is None else answer.encoded,
            reused_images=None if self.vision is None else answer.reused,
            first_token_ms=(first_ns - start_ns) / NS_PER_MS,
            decode_ms=(max(guide.last_ns, first_ns) - first_ns) / NS_PER_MS,
        )

    def use_scope(self, scope: str | None) -> None:
        """Look up and store in the caches of `scope` from now on."""
        for cache in (self.prefixes, self.vision):
            if cache is not None:
                cache.scope = scope

    def forget(self) -> None:
        """Empty the caches."""
        for cache in (self.prefixes, self.vision):
            if cache is not None:
                cache.clear()

    def credit(self, answers: Sequence[Decoding]) -> None:
        """Count the pictures that a pass for `answers` encoded, or found in the vision cache, with each of them."""
        if self.vision is not None:
            encoded = iter(self.vision.take())
            for each in answers:
                own = list(islice(encoded, len(each.prompt.pictures)))
                each.encoded, each.reused = own.count(True), own.count(False)

    def inputs(self, conversation: Conversation) -> tuple[Any, Prompt, int, States]:
        """The model's inputs for `conversation`, on the CPU; its prompt, how much of it is cached, and these states.

        There are no pixels where the states of all pictures are cached. Raises EngineRefused as `encode` does.
        """
        if self.heads is None or not conversation.pictures:
            return self._with_states(self.encode(conversation), conversation)
        text = self.text(conversation.turns)
        known = self.heads.find(text, conversation.pictures)
        if known is not None:
            found = self._with_states(known, conversation)
            _, prompt, cached, _ = found
            if cached >= prompt.end:
                return found
        inputs = self.encode(conversation)
        self.heads.keep(text, conversation.pictures, inputs)
        return self._with_states(inputs, conversation)

    def encode(self, conversation: Conversation) -> Any:
        """The model's inputs, on the CPU. Raises EngineRefused when the processor does not take the conversation, or a
        picture is unreadable."""
        turns = conversation.decoded()
        return self._templated(turns, tokenize=True, return_dict=True, return_tensors="pt")

    def text(self, turns: Sequence[dict[str, Any]]) -> str:
        """The prompt in words, with one placeholder for each picture. Raises EngineRefused as `encode` does."""
        text: str = self._templated(turns, tokenize=False)
        return text

    def _with_states(self, inputs: Any, conversation: Conversation) -> tuple[Any, Prompt, int, States]:
        prompt = self.prompt(inputs["input_ids"][0].numpy(), conversation)
        cached, states = (0, ()) if self.prefixes is None else self.prefixes.longest(prompt)
        if cached >= prompt.end:
            for name in PIXELS:
                inputs.pop(name, None)
        return inputs, prompt, cached, states

    def _templated(self, turns: Sequence[dict[str, Any]], **options: Any) -> Any:
        try:
            return self.processor.apply_chat_template(
                turns, add_generation_prompt=True, **options, **self._template_variables
            )
        except (jinja2.TemplateError, ValueError) as error:
            raise EngineRefused(f"the model's processor refuses the conversation: {error}") from error

    def prompt(self, tokens: Tokens, conversation: Conversation) -> Prompt:
        """`tokens`, which are those of `conversation`, and where its pictures stand in them."""
        places = np.flatnonzero(tokens == self._image_token)
        first, end = (int(places[0]), int(places[-1]) + 1) if places.size else (len(tokens), 0)
        return Prompt(tokens, tuple(conversation.pictures), first, end)

    def count_image_tokens(self, tokens: Tokens) -> int:
        return int(np.count_nonzero(tokens == self._image_token))

    def remember(self, answer: Decoding, states: States) -> None:
        """Keep `states` of an answer and its prompt as a prefix."""
        if self.prefixes is not None:
            written = [step.token for step in answer.guide.steps]
            self.prefixes.store(np.concatenate([answer.prompt.tokens, written]), answer.prompt.pictures, states)

    def _generate(self, inputs: Any, answer: Decoding) -> None:
        """To the end of the answer, token by token, by the model's own loop: any architecture has one."""
        cache = None
        if self.prefixes is not None:
            cache = DynamicCache(answer.states, config=self.model.config)
            # Positions are then worked out from the whole prompt, not from what the previous answer left behind.
            self.model.model.rope_deltas = None
        self.model.generate(
            **inputs.to(self.model.device, self.model.dtype),
            past_key_values=cache,
            max_new_tokens=answer.max_tokens,
            logits_processor=LogitsProcessorList([Mask(answer.guide)]),
            stopping_criteria=StoppingCriteriaList([Advance(answer.guide)]),
        )
        self.credit([answer])
        if cache is not None:
            self.remember(answer, states_of(cache))


def _attends_to_all(config: Any) -> bool:
    """Whether no layer has a sliding window or linear attention, whose states cannot be padded."""
    return all(type(layer) is DynamicLayer for layer in DynamicCache(config=config).layers)


def _stop_tokens(configured: int | list[int] | None, end_of_text: int | None) -> list[int]:
    if isinstance(configured, list):
        return configured
    stop_token = end_of_text if configured is None else configured
    if stop_token is None:
        raise EngineIncapable("the model names no token that ends an answer (eos_token_id in generation_config.json)")
    return [stop_token]
