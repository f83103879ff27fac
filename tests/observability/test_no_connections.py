"""By default no connection leaves the machine: a watch in every process records attempts and makes them fail."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from langgraph_sdk import get_sync_client

from tests.patience import HANG_S
from tests.processes import free_port, serving
from tests.studio.make_studio import make_studio
from tools.demo_model import HELDOUT

SETTINGS_OF_OTHERS = ("ONELOOK_", "OTEL_", "LANGSMITH_", "LANGCHAIN_", "OPENINFERENCE_", "HF_", "TRANSFORMERS_")
PICTURE = HELDOUT / "heldout-0001.jpg"


@pytest.fixture
def attempts(tmp_path: Path) -> Path:
    """The file for all attempts; it exists as soon as a watched process has started."""
    return tmp_path / "attempts"


@pytest.fixture
def watched(attempts: Path, tmp_path: Path) -> Mapping[str, str]:
    """An environment without settings, with the watch."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS_OF_OTHERS)}
    # What this process imports, those import too: a checkout that is not the installed one is on the path.
    path = os.pathsep.join([str(Path(__file__).parent / "watch"), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**plain, "PYTHONPATH": path, "WATCH_LOG": str(attempts), "XDG_CACHE_HOME": str(tmp_path)}


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('192.0.2.1', 443), timeout=0.1)",
        "socket.getaddrinfo('example.org', 443)",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('2.0.0.1', 53))",
        "import requests; requests.get('https://example.org')",
        "import asyncio; asyncio.run(asyncio.open_connection('example.org', 443))",
        "import os, sys; os.execl(sys.executable, sys.executable, '-c', 'import requests; requests.get(\"http://x.org\")')",
    ],
)
def test_the_watch_detects_every_kind_of_connection(attempt: str, watched: Mapping[str, str], attempts: Path) -> None:
    subprocess.run([sys.executable, "-c", f"import socket; {attempt}"], env=watched, capture_output=True, check=False)
    assert "socket." in attempts.read_text()


def test_the_command_line_makes_no_connection(watched: Mapping[str, str], attempts: Path) -> None:
    onelook = str(Path(sys.executable).parent / "onelook")
    done = subprocess.run([onelook, "tag", str(PICTURE)], env=watched, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert attempts.read_text() == ""


def test_the_http_api_makes_no_connection(watched: Mapping[str, str], attempts: Path, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    environment = {**watched, "ONELOOK_HTTP__PORT": str(port)}
    with serving([sys.executable, "-m", "onelook", "serve"], f"{url}/readyz", tmp_path, environment):
        tagged = httpx.post(f"{url}/v1/tags", files={"image": PICTURE.read_bytes()}, timeout=HANG_S)
        assert tagged.json()["category"]
        assert httpx.get(url, timeout=HANG_S).status_code == httpx.codes.OK
        assert httpx.get(f"{url}/metrics", timeout=HANG_S).status_code == httpx.codes.OK
    assert attempts.read_text() == ""


def test_studio_makes_no_connection(watched: Mapping[str, str], attempts: Path, tmp_path: Path) -> None:
    with make_studio(tmp_path, **watched) as url, get_sync_client(url=url) as client:
        output = client.runs.wait(None, "onelook", input={"image": str(PICTURE)})
    assert "category" in str(output)
    assert attempts.read_text() == ""
