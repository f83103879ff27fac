"""The beginnings of recent prompts in tokens, each up to the end of its last picture.

A further question about a picture whose attention states are cached then needs neither the picture's pixels nor the
tokens of what stands before it: only the text after the picture is tokenised.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import BatchFeature

from onelook.engines.transformers.prefix_cache import Tokens

MOST = 128
"""So many are kept. Each is a few kilobytes: the text, and one number a token."""


@dataclass(frozen=True, slots=True)
class Head:
    """`sizes`: of the pictures [pictures, 3], in patches of time, height and width; positions follow from them."""

    tokens: Tokens
    sizes: torch.Tensor


class PromptHeads:
    """For the processors of Qwen's architectures. Not safe for more than one thread.

    A prompt is split behind the placeholder of its last picture, which no token spans.
    """

    def __init__(self, processor: Any) -> None:
        self._tokenizer = processor.tokenizer
        self._placeholder: str = processor.image_token
        self._kept: OrderedDict[tuple[str, bytes], Head] = OrderedDict()

    def find(self, text: str, pictures: Sequence[bytes]) -> Any | None:
        """The model's inputs for the prompt `text` about `pictures` (digests), without pixels; None if its beginning is
        not known."""
        key, tail = self._split(text, pictures)
        head = self._kept.get(key)
        if head is None:
            return None
        self._kept.move_to_end(key)
        tokens = torch.from_numpy(np.concatenate([head.tokens, self.tail_tokens(tail)]))[None]
        image_token = int(head.tokens[-1])
        return BatchFeature(
            {
                "input_ids": tokens,
                "attention_mask": torch.ones_like(tokens),
                "mm_token_type_ids": (tokens == image_token).long(),
                "image_grid_thw": head.sizes,
            }
        )

    def keep(self, text: str, pictures: Sequence[bytes], inputs: Any) -> None:
        """Keep the beginning of `text`, for which a processor gave `inputs`, if its end can be tokenised apart."""
        key, tail = self._split(text, pictures)
        tokens: Tokens = inputs["input_ids"][0].numpy()
        after = self.tail_tokens(tail)
        head = tokens[: len(tokens) - len(after)]
        if not pictures or not len(head) or not np.array_equal(tokens[len(head) :], after):
            return
        self._kept[key] = Head(head.copy(), inputs["image_grid_thw"])
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)

    def tail_tokens(self, tail: str) -> Tokens:
        """The tokens of what stands behind the last picture."""
        return np.asarray(self._tokenizer(tail, add_special_tokens=False)["input_ids"], dtype=np.int64)

    def tail(self, text: str) -> str:
        """What stands behind the last picture."""
        return text.rpartition(self._placeholder)[2]

    def _split(self, text: str, pictures: Sequence[bytes]) -> tuple[tuple[str, bytes], str]:
        head, _, tail = text.rpartition(self._placeholder)
        return (head, b"".join(pictures)), tail
