"""The questions that the checks put to an engine: short ones about a small picture, and long ones about a large one."""

from __future__ import annotations

import io
from base64 import b64encode
from itertools import cycle, islice
from string import ascii_lowercase

from langchain_core.messages import HumanMessage, SystemMessage
from PIL import Image

from onelook.engines.base import AskRequest, Constraint, JsonSchema

# Words that no model writes by itself in answer to a greeting: only a constraint that was kept explains them.
WORDS = ("zebra", "quartz")
SCHEMA = JsonSchema(
    schema={
        "type": "object",
        "properties": {"word": {"enum": list(WORDS)}},
        "required": ["word"],
        "additionalProperties": False,
    },
    regex=r'\{"word":"(zebra|quartz)"\}',
)
MAX_TOKENS = 64
# The image tokens of such a picture differ for grids of 14, 16, 28, 32 and 48. Qwen3-VL does not enlarge it, and it is
# small enough that no server makes it smaller, whose tokens would then be those of another grid.
SIDE = 280

# Cache blocks of hybrid models (Qwen3.5) have 528 tokens and more (https://github.com/vllm-project/vllm/issues/40696).
LONG_WORDS = 600
LONG_SIDE = 756


def short_question(constraint: Constraint | None) -> AskRequest:
    return AskRequest(
        [SystemMessage("You are polite."), HumanMessage(content("Say hello.", SIDE))],
        constraint,
        max_tokens=MAX_TOKENS,
        top_logprobs=2,
    )


def long_question(salt: str, text: str) -> AskRequest:
    """A system prompt of more than `LONG_WORDS` words, a large picture, then `text`; answered by one token.

    `salt` begins the prompt, so that nothing of it is in a prefix cache before the first question with this salt.
    """
    system = " ".join([salt, *islice(cycle(ascii_lowercase), LONG_WORDS)])
    return AskRequest([SystemMessage(system), HumanMessage(content(text, LONG_SIDE))], None, max_tokens=1)


def content(text: str, side: int) -> list[str | dict[str, object]]:
    return [{"type": "image_url", "image_url": {"url": blank_picture(side)}}, {"type": "text", "text": text}]


def blank_picture(side: int) -> str:
    """A square picture of one colour, as a data URL."""
    file = io.BytesIO()
    Image.new("RGB", (side, side), "teal").save(file, "PNG")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode('ascii')}"
