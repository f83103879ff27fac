"""Thinking of models that reason before they answer, switched off (or on) through the chat template.

Qwen3.5 and its like think by default, which costs hundreds of tokens and makes short answers worse. Their chat template
reads `enable_thinking`. vLLM ignores the variable where the template does not have it
(`resolve_chat_template_kwargs` in vllm/renderers/hf.py), but refuses the field for models with a Mistral tokenizer, and
so do servers that refuse every unknown field (OpenAI).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from onelook.engines.base import Finding
from onelook.errors import EngineRefused

log = logging.getLogger("onelook")

FIELD = "chat_template_kwargs"
VARIABLE = "enable_thinking"
NAMED = "chat_template"  # vLLM refuses it as "chat_template is not supported for Mistral tokenizers"

T = TypeVar("T")


class ThinkingSwitch:
    """Adds the field to requests until a server refuses it; from then on it is left out, and a warning says so once."""

    def __init__(self, thinking: bool, address: str) -> None:
        self.thinking = thinking
        self.refused = False
        self._address = address

    def fields(self) -> dict[str, Any]:
        return {} if self.refused else {FIELD: {VARIABLE: self.thinking}}

    def finding(self) -> Finding:
        """What `onelook doctor` reports of a server that refuses the field."""
        return Finding(
            "thinking switch",
            ok=False,
            detail=f"the server refuses {FIELD}: a model that thinks by default cannot be told not to",
            needed=False,
            hint="this is no loss for models that do not think (vLLM refuses it for Mistral tokenizers)",
        )

    async def send(
        self, post: Callable[[str, Mapping[str, Any]], Awaitable[T]], path: str, body: Mapping[str, Any]
    ) -> T:
        """What `post` returns for `body`, without the field if the server answers only then.

        Raises:
            EngineError: as `post`.
        """
        try:
            return await post(path, body)
        except EngineRefused as refusal:
            if FIELD not in body or NAMED not in refusal.message:
                raise
            answer = await post(path, {name: value for name, value in body.items() if name != FIELD})
            if not self.refused:
                self.refused = True
                log.warning(
                    "%s refuses the field %s, so it is left out: a model that thinks by default cannot be told not to",
                    self._address,
                    FIELD,
                )
            return answer
