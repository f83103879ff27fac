"""LangChain messages and our constraints as fields of an OpenAI chat completion request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from langchain_core.messages import BaseMessage, convert_to_openai_messages

from onelook.engines.base import Choice, Constraint, JsonSchema, Regex
from onelook.errors import EngineIncapable
from onelook.settings.hints import set_to

Guidance = Literal["structured_outputs", "response_format"]

ROLES = {"system": "system", "human": "user", "ai": "assistant"}
PARTS = {"text": {"type", "text"}, "image_url": {"type", "image_url"}}


def messages_json(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """The messages in the form that they are sent in. A picture may be in OpenAI's form or in LangChain's own."""
    plain = _plain_messages(messages)
    if plain is not None:
        return plain
    converted: list[dict[str, Any]] = convert_to_openai_messages(list(messages))
    return converted


def _plain_messages(messages: Sequence[BaseMessage]) -> list[dict[str, Any]] | None:
    """None if one of them holds more than texts and pictures in OpenAI's own form. LangChain's conversion then does it,
    which takes 0.3 ms a question."""
    plain = []
    for message in messages:
        role = ROLES.get(message.type)
        if role is None or message.name or message.additional_kwargs or getattr(message, "tool_calls", None):
            return None
        if not isinstance(message.content, str) and not all(map(_is_plain, message.content)):
            return None
        plain.append({"role": role, "content": message.content})
    return plain


def _is_plain(part: str | dict[str, Any]) -> bool:
    return isinstance(part, dict) and part.keys() == PARTS.get(part.get("type", ""))


def guidance_fields(constraint: Constraint | None, guidance: Guidance) -> dict[str, Any]:
    """The request fields that make a server keep `constraint`.

    `structured_outputs` is vLLM's own and exact. Even a JSON reply is constrained by its regex there: whitespace is
    legal JSON, so under a schema a weak model can write blanks until max_tokens. `response_format` is what OpenAI,
    SGLang, llama.cpp and others share.

    Raises:
        EngineIncapable: a regex or a choice on a server that only has `response_format`.
    """
    if constraint is None:
        return {}
    if guidance == "structured_outputs":
        match constraint:
            case JsonSchema(regex=regex) | Regex(pattern=regex):
                return {"structured_outputs": {"regex": regex}}
            case Choice(options=options):
                return {"structured_outputs": {"choice": list(options)}}
    if isinstance(constraint, JsonSchema):
        schema = {"name": "reply", "schema": constraint.schema, "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    raise EngineIncapable(
        f"the guidance response_format is for JSON schemas only, and this question has a {type(constraint).__name__}",
        hint="on a vLLM server set ONELOOK_GUIDANCE=structured_outputs; on others"
        f" {set_to(ONELOOK_RUN__ARM='fused', ONELOOK_RUN__REPLY_FORMAT='json')}",
    )
