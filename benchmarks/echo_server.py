"""A server without a model, in its own process: it reads a whole request and answers with one fixed chat completion.
The two questions with which onelook checks a server before its first picture get the answers that they allow.

The time of a request is then the client's own cost. With a pace it is busy like a server with a model, without taking
the client's processor: so many requests at once, each for so long, and the others wait. `python -m
benchmarks.echo_server [REQUESTS SECONDS]` reads the reply's text from standard input and prints its base URL.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import orjson
from aiohttp import web

ROOT = Path(__file__).parent.parent
MODEL = "echo"
CHARACTERS_PER_TOKEN = 2
LARGEST_REQUEST = 64 * 2**20


class Pace(NamedTuple):
    """`at_once` requests are worked on at the same time, each for `seconds`."""

    at_once: int
    seconds: float


def completion(text: str) -> bytes:
    """A chat completion as vLLM would send it for `text`, with logprobs, token counts and server timing."""
    pieces = [text[start : start + CHARACTERS_PER_TOKEN] for start in range(0, len(text), CHARACTERS_PER_TOKEN)]
    tokens = [
        {"token": piece, "logprob": -0.01, "bytes": list(piece.encode()), "top_logprobs": []}
        for piece in [*pieces, "<|im_end|>"]
    ]
    usage = {
        "prompt_tokens": 900,
        "completion_tokens": len(tokens),
        "total_tokens": 900 + len(tokens),
        "prompt_tokens_details": {"cached_tokens": 256, "multimodal_tokens": {"image": 540}},
    }
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": {"content": tokens}}
    metrics = {"time_to_first_token_ms": 1.0, "generation_time_ms": 1.0, "queue_time_ms": 0.0}
    body = {"id": "echo", "object": "chat.completion", "created": 0, "model": MODEL, "choices": [choice]}
    return orjson.dumps({**body, "usage": usage, "metrics": metrics})


def application(text: str, pace: Pace | None = None) -> web.Application:
    """A server that answers every question with `text`, at its pace."""
    slots = asyncio.Semaphore(pace.at_once) if pace else None
    models = orjson.dumps({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "vllm"}]})
    reply = completion(text)
    choice, schema = completion("zebra"), completion('{"word":"zebra"}')

    async def list_models(request: web.Request) -> web.Response:
        return web.Response(body=models, content_type="application/json")

    async def complete(request: web.Request) -> web.Response:
        body = await request.read()
        if b'"zebra"' in body or b"(zebra|" in body:  # `onelook.engines.probe` asks whether a constraint is kept
            return web.Response(body=choice if b'"choice":' in body else schema, content_type="application/json")
        if pace and slots:
            async with slots:
                await asyncio.sleep(pace.seconds)
        return web.Response(body=reply, content_type="application/json")

    app = web.Application(client_max_size=LARGEST_REQUEST)
    app.add_routes([web.get("/v1/models", list_models), web.post("/v1/chat/completions", complete)])
    return app


@contextmanager
def echo_server(text: str, pace: Pace | None = None) -> Iterator[str]:
    """Run the server in another process and yield its base URL."""
    command = [sys.executable, "-m", "benchmarks.echo_server", *map(str, pace or ())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(text)
        process.stdin.close()
        try:
            address = process.stdout.readline().strip()
            if not address:
                raise RuntimeError("the server without a model did not start: its reason is on the error stream")
            yield address
        finally:
            process.terminate()


def main() -> None:
    def announce(line: str) -> None:
        """Called by aiohttp with its start message when it listens."""
        address = next(word for word in line.split() if word.startswith("http://"))
        print(f"{address.rstrip('/')}/v1", flush=True)

    pace = Pace(int(sys.argv[1]), float(sys.argv[2])) if sys.argv[1:] else None
    web.run_app(application(sys.stdin.read(), pace), host="127.0.0.1", port=0, print=announce)


if __name__ == "__main__":
    main()
