"""Properties of the server process that no request shows."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.patience import HANG_S
from tests.processes import free_port, serving

ROOT = Path(__file__).parent.parent.parent

COUNT = """
import gc
from onelook.api.state import open_server
open_server()
print(gc.get_freeze_count(), len(gc.get_objects()))
"""


async def test_objects_from_the_start_are_frozen_for_the_garbage_collector() -> None:
    counting = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", COUNT), stdout=asyncio.subprocess.PIPE, env={**os.environ, "ONELOOK_ENGINE": "vllm"}
    )
    said, _ = await counting.communicate()
    left_alone, looked_through = map(int, said.split())
    assert looked_through < left_alone / 10


RECORDS = """
import logging, sys, warnings
from onelook.observability.logs import write_logs
write_logs(sys.argv[1])
fields = {"path": "/a\\nb \\x1b[31m", "status": 404, "client": None, "name": "猫"}
logging.getLogger("onelook.http").info("request", extra={"fields": fields})
logging.getLogger("uvicorn.error").info("Uvicorn running on %s", "http://127.0.0.1:8080")
logging.getLogger("uvicorn.access").info('%s - "%s"', "127.0.0.1", "GET /?key=secret")
logging.getLogger("aiohttp.client").warning("unclosed\\nconnection")
warnings.warn("this is odd", stacklevel=1)
try:
    raise ValueError("two\\nlines \\x1b[31m")
except ValueError:
    logging.getLogger("onelook").exception("bug")
"""


def records(log_format: str) -> list[str]:
    """What a process writes to standard error that logs one record of each kind."""
    ran = subprocess.run([sys.executable, "-c", RECORDS, log_format], capture_output=True, text=True, check=True)
    assert ran.stdout == ""
    return ran.stderr.splitlines()


def test_every_record_is_a_line_of_json() -> None:
    lines = [json.loads(line) for line in records("json")]
    assert [(line["level"], line["logger"]) for line in lines] == [
        ("info", "onelook.http"),
        ("info", "uvicorn"),
        ("warning", "aiohttp.client"),
        ("warning", "py.warnings"),
        ("error", "onelook"),
    ]
    request, running, library, warning, bug = lines
    assert (request["event"], request["path"], request["status"]) == ("request", "/a\nb \x1b[31m", 404)
    assert request["name"] == "猫"
    assert running["event"] == "Uvicorn running on http://127.0.0.1:8080"
    assert library["event"] == "unclosed\nconnection"
    assert "UserWarning: this is odd" in warning["event"]
    assert bug["trace"].startswith("Traceback")


def test_every_record_is_a_line_of_text() -> None:
    lines = records("text")
    begins = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (info|warning|error) +([\w.]+): (.*)")
    heads = [found.groups()[1:] for line in lines if (found := begins.fullmatch(line))]
    assert [logger for logger, _ in heads] == ["onelook.http", "uvicorn", "aiohttp.client", "py.warnings", "onelook"]
    assert heads[0][1] == r'request path="/a\\nb \\x1b[31m" status=404 client=None name=猫'
    assert heads[2][1] == "unclosed connection"
    assert "UserWarning: this is odd" in heads[3][1]
    trace = lines[lines.index(next(line for line in lines if line.endswith("onelook: bug"))) + 1 :]
    assert trace
    assert all(line.startswith("    ") for line in trace)
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("command", [["uvicorn", "server:app", "--app-dir", str(ROOT)], ["onelook", "serve"]])
def test_a_server_process_logs_in_one_format(command: list[str], tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    own = {"ONELOOK_ENGINE": "vllm", "ONELOOK_BASE_URL": "http://127.0.0.1:1/v1", "ONELOOK_HTTP__LOG_FORMAT": "json"}
    started = [sys.executable, "-m", *command, "--port", str(port)]
    with serving(started, f"{url}/healthz", tmp_path, {**os.environ, **own}):
        httpx.get(f"{url}/v1/taxonomy?key=secret")
        assert httpx.get(f"{url}/readyz", timeout=HANG_S).status_code == httpx.codes.SERVICE_UNAVAILABLE
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    events = [line["event"] for line in lines]
    assert events[0].startswith("Started server process")
    assert sum(line["event"] == "request" and line["path"] == "/v1/taxonomy" for line in lines) == 1
    assert "engine not ready" in events
    assert "secret" not in str(lines)
