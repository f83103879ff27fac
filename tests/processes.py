"""Servers as users start them: a process of its own, at a free port."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.patience import HANG_S


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(command: Sequence[str], ready: str, folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """`command`, run in `folder` until the block ends; entered when the address `ready` answers 200."""
    said = folder / "log"
    with said.open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + HANG_S
        while not _answers(ready):
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{command} is not ready:\n{said.read_text()[-3000:]}")
            time.sleep(0.2)
        yield
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
