"""Several one-token questions about the same pictures, answered in one forward pass on the prefix that they share.

Each row of the pass is what one question adds to the prefix. Rows are padded on the left, so that all end together.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from transformers import BatchFeature, DynamicCache

from onelook.engines.base import AskRequest
from onelook.engines.transformers.conversation import Conversation, read_conversation
from onelook.engines.transformers.generation import Generated, Generator
from onelook.engines.transformers.guide import Cancelled, Guide
from onelook.engines.transformers.prefix_cache import Prompt, States, Tokens, states_of
from onelook.ledger.stamps import NS_PER_MS


def answer_together(
    generator: Generator, requests: Sequence[AskRequest], *, cancelled: threading.Event
) -> list[Generated] | None:
    """Answer greedily, one token each; None if they have to be answered one after another.

    Raises:
        EngineRefused: the messages do not fit the model, or a constraint cannot be compiled.
        Cancelled: `cancelled` was set.
    """
    prefixes = generator.prefixes
    if prefixes is None or len(requests) < 2 or not _differ_in_last_text_only(requests):
        return None
    if cancelled.is_set():
        raise Cancelled
    start_ns = time.perf_counter_ns()
    conversation = read_conversation(requests[0].messages)
    inputs = generator.encode(conversation)
    first = generator.prompt(inputs["input_ids"][0].numpy(), conversation)
    prompts = _prompts(generator, requests, conversation, first)
    if prompts is None or max(map(len, prompts)) >= generator.context_length:
        return None
    guides = [
        Guide(generator.grammars, request.constraint, top_logprobs=request.top_logprobs, cancelled=cancelled)
        for request in requests
    ]
    try:
        with torch.no_grad():
            positions, delta = generator.model.model.get_rope_index(
                inputs["input_ids"], inputs["mm_token_type_ids"], image_grid_thw=inputs["image_grid_thw"]
            )
            cached, states = prefixes.longest(replace(first, tokens=first.tokens[: _in_common(prompts) + 1]))
            shared, passes = cached, 1
            if cached < first.end:
                passes = 2
                shared = _in_common(prompts)
                states = _extend(generator, inputs, positions, slice(cached, shared), states)
                prefixes.store(first.tokens[:shared], first.pictures, states)
            scores = _scores(generator, [tokens[shared:] for tokens in prompts], states, int(delta))
    except torch.OutOfMemoryError:
        generator.forget()
        return None
    encoded, reused = generator.pictures_computed()
    answers = []
    for index, (guide, tokens) in enumerate(zip(guides, prompts, strict=True)):
        guide.advance(int(guide.mask(scores[index : index + 1]).argmax()))
        answers.append(
            Generated(
                steps=tuple(guide.steps),
                stop_reason="stop" if guide.complete else "length",
                prompt_tokens=len(tokens),
                cached_tokens=shared if index else cached,
                image_tokens=generator.count_image_tokens(tokens),
                forced_tokens=0,
                prefill_passes=0 if index else passes,
                decode_passes=0,
                encoded_images=0 if index and encoded is not None else encoded,
                reused_images=0 if index and reused is not None else reused,
                first_token_ms=(guide.first_ns - start_ns) / NS_PER_MS,
                decode_ms=0.0,
            )
        )
    return answers


def _differ_in_last_text_only(requests: Sequence[AskRequest]) -> bool:
    """Whether they are about the same pictures, with the same text before, and differ in the last text alone."""
    *before, last = requests[0].messages
    if isinstance(last.content, str):
        return False
    return all(
        list(request.messages[:-1]) == before
        and request.messages[-1].content[:-1] == last.content[:-1]
        and _last_text(request) is not None
        for request in requests
    )


def _last_text(request: AskRequest) -> str | None:
    match request.messages[-1].content:
        case [*_, {"type": "text", "text": str(words)}]:
            return words
        case _:
            return None


def _prompts(
    generator: Generator, requests: Sequence[AskRequest], conversation: Conversation, first: Prompt
) -> list[Tokens] | None:
    """The token ids of each question; None if that needs processing the pictures again.

    A prompt can be split at the placeholder of its last picture, because no token spans it.
    """
    tokenizer, placeholder = generator.processor.tokenizer, getattr(generator.processor, "image_token", None)
    if not placeholder or not first.pictures:
        return None
    head, prompts = first.tokens[: first.end], []
    *before, last = conversation.turns
    for request in requests:
        words = {"type": "text", "text": _last_text(request)}
        turns = [*before, {**last, "content": [*last["content"][:-1], words]}]
        text = generator.processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        tail = tokenizer(text.rpartition(placeholder)[2], add_special_tokens=False)["input_ids"]
        prompts.append(np.concatenate([head, np.asarray(tail, dtype=np.int64)]))
    return prompts if np.array_equal(prompts[0], first.tokens) else None


def _in_common(prompts: Sequence[Tokens]) -> int:
    """The number of equal tokens that all prompts begin with. At least one token of each is left to compute."""
    length = min(map(len, prompts)) - 1
    beginnings = np.stack([tokens[:length] for tokens in prompts])
    differs = np.flatnonzero((beginnings != beginnings[0]).any(axis=0))
    return int(differs[0]) if differs.size else length


def _extend(generator: Generator, inputs: Any, positions: torch.Tensor, new: slice, states: States) -> States:
    """The states of a prompt up to the end of `new`, pictures included, from those before.

    `positions`: the position of each token in time, height and width, of [3, 1, tokens].
    """
    cache = DynamicCache(states, config=generator.model.config)
    tokens = {name: inputs[name][:, new] for name in ("input_ids", "mm_token_type_ids")}
    pictures = {name: inputs[name] for name in inputs if name not in {*tokens, "attention_mask"}}
    generator.model(
        **BatchFeature({**tokens, **pictures}).to(generator.model.device, generator.model.dtype),
        position_ids=positions[:, :, new].to(generator.model.device),
        past_key_values=cache,
        logits_to_keep=1,
    )
    return states_of(cache)


def _scores(generator: Generator, rows: Sequence[Tokens], states: States, delta: int) -> torch.Tensor:
    """Scores [rows, vocabulary] of the next token after the tokens of `states` and each of the rows.

    `delta`: how much more a token's position is than its index, after the pictures.
    """
    known, width, device = states[0][0].shape[-2], max(map(len, rows)), generator.model.device
    input_ids = torch.zeros(len(rows), width, dtype=torch.long)
    positions = torch.zeros(3, len(rows), width, dtype=torch.long)
    mask = torch.ones(len(rows), known + width, dtype=torch.long)
    for index, row in enumerate(rows):
        padding = width - len(row)
        input_ids[index, padding:] = torch.from_numpy(row)
        positions[:, index, padding:] = torch.arange(known, known + len(row)) + delta
        mask[index, known : known + padding] = 0
    repeated = [tuple(each.expand(len(rows), -1, -1, -1) for each in layer) for layer in states]
    scores: torch.Tensor = generator.model(
        input_ids=input_ids.to(device),
        position_ids=positions.to(device),
        attention_mask=mask.to(device),
        past_key_values=DynamicCache(repeated, config=generator.model.config),
        logits_to_keep=1,
    ).logits[:, -1]
    return scores
