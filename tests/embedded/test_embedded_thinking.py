"""The switch for thinking of a checkpoint whose chat template has one, such as Qwen3.5's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage

from onelook.engines.transformers.conversation import read_conversation
from onelook.engines.transformers.generation import Generator
from onelook.engines.transformers.loading import LoadOptions, load_checkpoint

# The end of Qwen3's own template, shortened.
SWITCH = "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}"


def prompt_of(folder: Path, *, thinking: bool) -> str:
    generator = Generator(load_checkpoint(str(folder), LoadOptions()), prefix_cache_bytes=0, thinking=thinking)
    conversation = read_conversation([HumanMessage("What is it?")])
    tokens = generator.encode(conversation)["input_ids"][0]
    return str(generator.processor.tokenizer.decode(tokens))


@pytest.fixture(scope="module")
def thinking_checkpoint(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("thinking") / "checkpoint"
    shutil.copytree(tiny_checkpoint, folder)
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text(encoding="utf-8") + SWITCH, encoding="utf-8")
    return folder


def test_a_template_that_knows_the_switch_is_given_it(thinking_checkpoint: Path) -> None:
    assert prompt_of(thinking_checkpoint, thinking=False).endswith("<think>\n\n</think>\n\n")
    assert "<think>" not in prompt_of(thinking_checkpoint, thinking=True)


def test_a_template_without_the_switch_is_left_alone(tiny_checkpoint: Path) -> None:
    assert prompt_of(tiny_checkpoint, thinking=False) == prompt_of(tiny_checkpoint, thinking=True)
