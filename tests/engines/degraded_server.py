"""A server that works, with a switch for each way in which servers get worse without an error."""

from __future__ import annotations

import io
import math
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from PIL import Image

from tests.engines.openai_simulation import Body, SimulatedServer, always, completion

GREETING = "Hello to you"
METRICS = {"time_to_first_token_ms": 5.0, "generation_time_ms": 9.0, "queue_time_ms": 0.1}


@dataclass
class Degraded:
    """What is wrong with the server; nothing by default. Its tokens are words; a picture has one for 28 x 28 pixels."""

    block: int | None = 16
    """Tokens of a block of the prefix cache; None: it keeps nothing."""
    all_zero: bool = False
    raw: bool = False
    ignores: tuple[str, ...] = ()
    """Request fields, and kinds of constraint, that it does not know and says nothing about."""
    thinks: bool = False
    most_image_tokens: int = 16384
    text_first: bool = False
    context: int = 32768
    cuts_at: int | None = None
    counts: bool = True
    seen: list[list[str]] = field(default_factory=list)
    pictures: dict[str, str] = field(default_factory=dict)
    """Data URLs by the names that requests gave them."""

    def server(self) -> SimulatedServer:
        return SimulatedServer(self.respond, respond_batch=always({}))

    async def respond(self, request: web.Request, body: Body) -> web.StreamResponse:
        prompt, image_tokens = self._prompt(body["messages"])
        if len(prompt) + body["max_tokens"] > self.context:
            message = f"This model's maximum context length is {self.context} tokens, you asked for {len(prompt)}"
            return web.json_response({"error": {"message": message}}, status=400)
        prompt = prompt[-self.cuts_at :] if self.cuts_at else prompt
        text, rivals = self._reply(body)
        entries = [self._entry(text, rivals)]
        usage = {
            "prompt_tokens": len(prompt),
            "completion_tokens": len(entries),
            "prompt_tokens_details": {
                "cached_tokens": self._cached(prompt),
                "multimodal_tokens": {"image": image_tokens},
            },
        }
        self.seen.append(prompt)
        answer = completion(text, logprobs={"content": entries}, metrics=METRICS)
        if self.counts:
            answer["usage"] = usage
        if self.thinks and body.get("chat_template_kwargs", {}).get("enable_thinking") is not False:
            answer["choices"][0]["message"] |= {"reasoning": "The user greets me."}
        return web.json_response(answer)

    def _prompt(self, messages: Sequence[Mapping[str, Any]]) -> tuple[list[str], int]:
        """Its tokens, and how many of them are a picture's."""
        prompt: list[str] = []
        image_tokens = 0
        for message in messages:
            parts = message["content"]
            parts = [{"type": "text", "text": parts}] if isinstance(parts, str) else list(parts)
            if self.text_first:
                parts.sort(key=lambda part: part["type"] == "image_url")
            for part in parts:
                if part["type"] == "text":
                    prompt += part["text"].split()
                    continue
                url = self.pictures[part["uuid"]] if part["image_url"] is None else part["image_url"]["url"]
                self.pictures[part.get("uuid", url)] = url
                width, height = Image.open(io.BytesIO(b64decode(url.partition(",")[2]))).size
                tokens = min((width // 28) * (height // 28), self.most_image_tokens)
                prompt += [url] * tokens
                image_tokens += tokens
        return prompt, image_tokens

    def _cached(self, prompt: Sequence[str]) -> int:
        if self.block is None:
            return 0
        shared = max((_shared(prompt[:-1], earlier) for earlier in self.seen), default=0)
        return shared // self.block * self.block

    def _reply(self, body: Body) -> tuple[str, Sequence[str]]:
        """The text, and the other texts that its constraint would have let through."""
        asked = {name: value for name, value in body.get("structured_outputs", {}).items() if name not in self.ignores}
        if "structured_outputs" in self.ignores:
            asked = {}
        if "choice" in asked:
            return asked["choice"][0], asked["choice"][1:]
        if "zebra" in str(asked.get("regex")) or "zebra" in str(body.get("response_format")):
            return '{"word":"zebra"}', ['{"word":"quartz"}']
        return GREETING, ["Good morning"]

    def _entry(self, text: str, rivals: Sequence[str]) -> dict[str, Any]:
        likely = 0.7 if not self.raw or text == GREETING else 1e-6
        logprob = 0.0 if self.all_zero else math.log(likely)
        top = [(text, logprob)] + [(rival, math.log(likely * 0.3)) for rival in rivals if not self.all_zero]
        tokens = [{"token": each, "logprob": p, "bytes": list(each.encode())} for each, p in top]
        return {**tokens[0], "top_logprobs": tokens}


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many tokens both begin with."""
    for at, (token, its) in enumerate(zip(one, other, strict=False)):
        if token != its:
            return at
    return min(len(one), len(other))
