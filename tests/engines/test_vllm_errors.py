"""What a user reads when a server does not deliver, and whether the graph may try again."""

from __future__ import annotations

import asyncio
import socket
from base64 import b64encode

import pytest
from aiohttp import web
from langchain_core.messages import HumanMessage

from onelook.engines.base import AskRequest
from onelook.errors import (
    EngineError,
    EngineFailed,
    EngineIncapable,
    EngineOverloaded,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
)
from tests.engines.openai_simulation import Body, SimulatedServer, always, completion, engine_at
from tests.patience import HANG_S

PICTURE = "data:image/jpeg;base64," + "QUJD" * 500
REQUEST = AskRequest(
    [HumanMessage([{"type": "image_url", "image_url": {"url": PICTURE}}])], constraint=None, max_tokens=5
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def error_of(base_url: str, **settings: object) -> EngineError:
    async with engine_at(base_url, **settings) as engine:
        with pytest.raises(EngineError) as raised:
            await engine.ask(REQUEST)
    return raised.value


async def raw_server(answer: bytes) -> asyncio.Server:
    """A socket that says `answer` to whatever comes, and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


async def test_nothing_listens() -> None:
    port = free_port()
    error = await error_of(f"http://127.0.0.1:{port}/v1")
    assert isinstance(error, EngineUnavailable)
    assert error.retryable
    assert f"127.0.0.1:{port}" in error.message
    assert "ONELOOK_BASE_URL" in (error.hint or "")


async def test_the_hosts_name_is_unknown() -> None:
    error = await error_of("http://no-such-host.invalid:8000/v1")
    assert isinstance(error, EngineUnavailable)
    assert "no-such-host.invalid" in error.message


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", EngineUnavailable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", EngineUnavailable),
        (b"SSH-2.0-OpenSSH_9.6\r\n", EngineIncapable),
    ],
    ids=["hangs up", "hangs up in the middle", "is no HTTP server"],
)
async def test_the_connection_breaks(answer: bytes, kind: type[EngineError]) -> None:
    async with await raw_server(answer) as server:
        port = server.sockets[0].getsockname()[1]
        error = await error_of(f"http://127.0.0.1:{port}/v1")
    assert type(error) is kind
    assert f"127.0.0.1:{port}" in error.message


async def test_https_to_an_http_server() -> None:
    async with SimulatedServer() as server:
        error = await error_of(server.base_url.replace("http:", "https:"))
    assert isinstance(error, EngineIncapable)
    assert not error.retryable
    assert "http instead of https" in (error.hint or "")


async def test_no_answer_in_time() -> None:
    async def never(request: web.Request, body: Body) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with SimulatedServer(never) as server:
        error = await error_of(server.base_url, timeout_s=0.2)
    assert isinstance(error, EngineTimeout)
    assert error.retryable
    assert "0.2 s" in error.message
    assert "ONELOOK_TIMEOUT_S=0.4" in (error.hint or "")


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (400, EngineRefused, None),
        (401, EngineRefused, "ONELOOK_API_KEY"),
        (403, EngineRefused, "ONELOOK_API_KEY"),
        (404, EngineRefused, "ONELOOK_BASE_URL"),
        (413, EngineRefused, None),
        (429, EngineOverloaded, "--concurrency"),
        (500, EngineFailed, "log"),
        (503, EngineOverloaded, "log"),
    ],
)
async def test_a_refusal_repeats_the_servers_words(status: int, kind: type[EngineError], hint: str | None) -> None:
    async with SimulatedServer(always({"error": {"message": "too  many\nwords"}}, status)) as server:
        error = await error_of(server.base_url)
    assert type(error) is kind
    assert f"HTTP {status}: too many words" in error.message
    assert hint is None or hint in (error.hint or "")
    assert len(server.bodies) == 1, "a retry belongs to the graph"


@pytest.mark.parametrize(
    "body",
    [{"error": "short"}, {"message": "short"}, {"detail": "short"}, {"detail": [{"msg": "short"}]}],
    ids=["error", "message", "detail", "details"],
)
async def test_every_dialect_of_error_bodies_is_read(body: Body) -> None:
    async with SimulatedServer(always(body, 400)) as server:
        assert "short" in (await error_of(server.base_url)).message


async def test_a_message_holds_neither_picture_nor_credentials() -> None:
    async def echo(request: web.Request, body: Body) -> web.StreamResponse:
        repeated = f"bad request {body} {request.headers['Authorization']} me:sk-secret " + "QUJD" * 5000
        return web.json_response({"error": {"message": repeated}}, status=400)

    async with SimulatedServer(echo) as server:
        key = await error_of(server.base_url, api_key="sk-secret")
        password = await error_of(server.base_url.replace("//", "//me:sk-secret@"))
    for error in (key, password):
        assert "bad request" in error.message
        assert "sk-secret" not in error.message
        assert b64encode(b"me:sk-secret").decode() not in error.message
        assert "QUJDQUJD" not in error.message
        assert len(error.message) < 700


async def test_the_address_in_a_message_has_no_password() -> None:
    error = await error_of(f"http://me:sk-secret@127.0.0.1:{free_port()}/v1?token=sk-secret")
    assert "sk-secret" not in error.message


@pytest.mark.parametrize("body", ["<html>It works!</html>", "", "[1, 2]", "{}", '{"choices": null}', '{"choices": []}'])
async def test_what_is_no_chat_completion_is_no_openai_server(body: str) -> None:
    async def respond(request: web.Request, asked: Body) -> web.StreamResponse:
        return web.Response(text=body)

    async with SimulatedServer(respond) as server:
        error = await error_of(server.base_url)
    assert type(error) is EngineIncapable
    assert "OpenAI-compatible" in (error.hint or "")


async def test_a_base_url_without_its_path() -> None:
    async with SimulatedServer() as server:
        error = await error_of(server.base_url.removesuffix("/v1"))
    assert isinstance(error, EngineRefused)
    assert "/v1" in (error.hint or "")


async def test_an_error_in_the_dress_of_success() -> None:
    async with SimulatedServer(always({"error": {"message": "out of memory"}})) as server:
        error = await error_of(server.base_url)
    assert isinstance(error, EngineFailed)
    assert "out of memory" in error.message


@pytest.mark.parametrize(
    ("finish_reason", "kind"), [("abort", EngineFailed), ("error", EngineFailed), ("content_filter", EngineRefused)]
)
async def test_an_answer_that_was_given_up(finish_reason: str, kind: type[EngineError]) -> None:
    async with SimulatedServer(always(completion(finish_reason=finish_reason))) as server:
        assert type(await error_of(server.base_url)) is kind


async def test_a_server_that_comes_up_later_is_found() -> None:
    async with SimulatedServer() as server, engine_at(server.base_url) as engine:
        server.cards.clear()
        with pytest.raises(EngineIncapable):
            await engine.ask(REQUEST)
        server.cards.append({"id": "late", "owned_by": "vllm"})
        await engine.ask(REQUEST)
        assert engine.model == "late"


async def test_a_cancelled_question_hangs_up_so_that_the_server_can_stop() -> None:
    asked, hung_up = asyncio.Event(), asyncio.Event()

    async def wait(request: web.Request, body: Body) -> web.StreamResponse:
        asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            hung_up.set()
            raise
        raise AssertionError

    async with SimulatedServer(wait) as server, engine_at(server.base_url) as engine:
        question = asyncio.create_task(engine.ask(REQUEST))
        await asked.wait()
        question.cancel()
        with pytest.raises(asyncio.CancelledError):
            await question
        await asyncio.wait_for(hung_up.wait(), HANG_S)
