"""A server whose https certificate nobody but its owner knows: the hint names the cure, and the cure works."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from pathlib import Path

import pytest

from onelook.engines.base import AskRequest
from onelook.errors import EngineIncapable
from tests.engines.openai_simulation import SimulatedServer, engine_at

# For 127.0.0.1, with its key; made for these tests: openssl req -x509 -newkey ec -nodes -days 36500 …
CERTIFICATE = Path(__file__).parent / "self_signed.pem"


def with_own_certificate() -> SimulatedServer:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    return SimulatedServer(tls=tls)


async def test_the_hint_names_the_variable() -> None:
    async with with_own_certificate() as server, engine_at(server.base_url) as engine:
        with pytest.raises(EngineIncapable, match=r"certificate of https://127.0.0.1:.* is not trusted") as error:
            await engine.ask(AskRequest([], None, max_tokens=1))
    assert "SSL_CERT_FILE=" in (error.value.hint or "")


async def test_the_variable_makes_the_certificate_trusted() -> None:
    async with with_own_certificate() as server:
        environment = {**os.environ, "SSL_CERT_FILE": str(CERTIFICATE)}
        words = ["-m", "onelook", "doctor", "--engine", "vllm", "--base-url", server.base_url]
        doctor = await asyncio.create_subprocess_exec(
            sys.executable, *words, env=environment, stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await doctor.communicate()
    assert "✓ answers: model tiny" in printed.decode()
