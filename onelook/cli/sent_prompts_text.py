"""Requests to a model as text for people, and as data; pictures as their sizes."""

from __future__ import annotations

import io
import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from PIL import Image

from onelook.cli.sent_prompts import SentPrompts
from onelook.engines.openai.recording import Sent
from onelook.graph.arms import ARMS

if TYPE_CHECKING:
    from onelook.engines.transformers.local_prompts import LocalPrompts

DATA_URL = "data:"
CONSTRAINTS = ("structured_outputs", "response_format")


def as_data(sent: SentPrompts, local: LocalPrompts | None, *, engine: str) -> dict[str, Any]:
    """The bodies as they are sent, each picture's data as its size. `local`: adds the text after the chat template."""
    return {
        "arm": sent.context.arm,
        "category": sent.category,
        "notes": list(_notes(sent, engine)),
        "requests": [
            {
                "url": None if engine == "embedded" else each.url,
                "body": without_pictures(each.body),
                **({} if local is None else {"after_chat_template": local.text(each.body["messages"])}),
            }
            for each in sent.requests
        ],
    }


def as_text(sent: SentPrompts, local: LocalPrompts | None, *, engine: str) -> str:
    """Each request under a line of its own. Prompts and constraints are unbroken and unindented, as they are sent."""
    return "\n".join(_lines(sent, local, engine)) + "\n"


def without_pictures(value: Any) -> Any:
    """`value` of JSON with what is behind the comma of each data URL replaced by the picture's size."""
    if isinstance(value, dict):
        return {key: without_pictures(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_pictures(each) for each in value]
    if isinstance(value, str) and value.startswith(DATA_URL):
        head, _, data = value.partition(",")
        return f"{head},<{_size(b64decode(data))}>"
    return value


def _lines(sent: SentPrompts, local: LocalPrompts | None, engine: str) -> Iterator[str]:
    context, count = sent.context, len(sent.requests)
    yield (
        f"arm {context.arm}, language {context.language}, reply format {context.reply_format}:"
        f" {count} request{'' if count == 1 else 's'}"
    )
    yield from _notes(sent, engine)
    for number, request in enumerate(sent.requests, 1):
        yield ""
        place = "" if engine == "embedded" else f": POST {request.url}"
        yield f"════ request {number} of {count}{place}"
        yield from _request(request)
        if local is not None:
            yield "──── the prompt after the model's chat template"
            yield local.text(request.body["messages"])


def _notes(sent: SentPrompts, engine: str) -> Iterator[str]:
    yield _taken_for(sent)
    if engine == "embedded":
        yield "The embedded engine sends nothing: its model gets these messages and constraints in this process."
    elif sent.unreachable is not None:
        yield (
            "This is for a vLLM server: the server could not be asked what it is and which model it has:"
            f" {sent.unreachable.message}"
        )


def _taken_for(sent: SentPrompts) -> str:
    """On which answer the requests depend."""
    arm = ARMS[sent.context.arm]
    if arm.routed and not sent.named:
        return "The router is taken to be not sure. --category NAME shows what is asked when it names one."
    if arm.routed:
        asked = "" if sent.requests else ", which has no details, so the model is not asked"
        return f"The router is taken to name {sent.category}{asked}."
    if arm.two_calls or arm.lettered:
        return f"The category is taken to be {sent.category}. --category NAME shows the questions about another."
    return "This is asked about every picture."


def _request(request: Sent) -> Iterator[str]:
    fields = dict(request.body)
    messages = fields.pop("messages")
    conversations = messages if isinstance(messages[0], list) else [messages]
    for number, conversation in enumerate(conversations, 1):
        if len(conversations) > 1:
            yield f"──── conversation {number} of {len(conversations)}"
        for message in conversation:
            yield f"──── {message['role']}"
            yield from _content(message["content"])
    constraints = [(name, fields.pop(name)) for name in CONSTRAINTS if name in fields]
    for name, constraint in constraints:
        words = _constraint(constraint)
        yield f"──── constraint, in {name} ({len(words.encode()):,} bytes)"
        yield words
    if not constraints:
        yield "──── no constraint: free text"
    yield "──── all other fields"
    yield from (f"{name}: {_json(value)}" for name, value in fields.items())


def _content(content: str | list[dict[str, Any]]) -> Iterator[str]:
    if isinstance(content, str):
        yield content
        return
    for part in content:
        if part["type"] == "text":
            yield part["text"]
        elif part["image_url"] is None:
            yield f"[the picture {part['uuid'][:12]}… again, by its name]"
        else:
            head, _, data = part["image_url"]["url"].partition(",")
            media = head.removeprefix(DATA_URL).removesuffix(";base64")
            yield f"[picture: {media}, {_size(b64decode(data))}]"


def _constraint(value: Mapping[str, Any]) -> str:
    """A regex as it is, without the escapes of JSON; anything else as JSON."""
    match value:
        case {"regex": str(regex)}:
            return regex
    return _json(value)


def _size(data: bytes) -> str:
    with Image.open(io.BytesIO(data)) as image:
        return f"{image.width} x {image.height} pixels, {len(data):,} bytes"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
