"""What a checkpoint on this machine makes of a question: the text after its chat template, and its tokens.

Only its configuration and its processor are read, not its weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage

from onelook.engines.context_length import PromptTokens
from onelook.engines.transformers.conversation import read_conversation
from onelook.engines.transformers.loading import PACKAGES, read_processor, read_size_grid, require_packages
from onelook.engines.transformers.thinking import thinking_variable
from onelook.settings.engine import EngineSettings


@dataclass(frozen=True, slots=True)
class LocalPrompts:
    """The processor of the model `name`. `context_length`: in tokens, prompt and answer together."""

    name: str
    processor: Any
    context_length: int
    size_grid: int
    variables: dict[str, bool]

    @property
    def tokenizer(self) -> str:
        """The tokenizer, by name and size."""
        tokenizer = self.processor.tokenizer
        return f"{type(tokenizer).__name__} of {self.name}, {len(tokenizer):,} tokens"

    def text(self, messages: Sequence[BaseMessage | dict[str, Any]]) -> str:
        """`messages` after the chat template, with a placeholder for each picture."""
        turns = read_conversation(messages).turns
        text: str = self.processor.apply_chat_template(
            turns, add_generation_prompt=True, tokenize=False, **self.variables
        )
        return text

    def text_tokens(self, messages: Sequence[BaseMessage]) -> int:
        """Those of the text alone. A picture's placeholder counts as one."""
        return len(self.processor.tokenizer(self.text(messages), add_special_tokens=False)["input_ids"])

    def tokens(self, messages: Sequence[BaseMessage]) -> PromptTokens:
        """Those of the whole prompt, as the model gets it."""
        conversation = read_conversation(messages)
        inputs = self.processor.apply_chat_template(
            conversation.decoded(), add_generation_prompt=True, tokenize=True, return_dict=True, **self.variables
        )
        (ids,) = inputs["input_ids"]
        text = self.text_tokens(messages) - len(conversation.pictures)
        return PromptTokens(text, len(ids) - text)


def read_local_prompts(model: str, settings: EngineSettings) -> LocalPrompts:
    """Those of `model`, a folder or a Hugging Face id that is in the local cache; nothing is downloaded.

    Raises:
        EngineIncapable: a package or a file is missing, or it is no model that answers questions about pictures.
    """
    require_packages(*PACKAGES)
    config, processor = read_processor(model, min_pixels=settings.min_pixels, max_pixels=settings.max_pixels)
    return LocalPrompts(
        name=model,
        processor=processor,
        context_length=config.get_text_config().max_position_embeddings,
        size_grid=read_size_grid(model),
        variables=thinking_variable(processor.chat_template, settings.thinking),
    )
