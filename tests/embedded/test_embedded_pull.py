"""`pull` against a server on this machine, in a process of its own, because the hub's address is read at import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PROGRAM = """
import sys
from onelook.engines.transformers.pull import pull
from onelook.errors import EngineIncapable
try:
    folder = pull(sys.argv[1])
    from onelook.engines.transformers.loading import LoadOptions, load_checkpoint
    load_checkpoint(sys.argv[1], LoadOptions())
    print("loaded", *sorted(file.name for file in folder.iterdir()))
except EngineIncapable as error:
    print(error.message, "|", error.hint)
"""

Pull = Callable[[str, str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def pull(tmp_path: Path) -> Pull:
    """Run `pull` for an id, from a hub at an address, into an empty cache."""

    def run(endpoint: str, model: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "cache"), "HF_HUB_DISABLE_XET": "1"}
        environment |= {"NO_PROXY": "*", "HF_HUB_DISABLE_TELEMETRY": "1"}
        command = [sys.executable, "-c", PROGRAM, model]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    return run


class Hub(BaseHTTPRequestHandler):
    """The few routes of the Hugging Face hub that a fetch uses."""

    folder: Path

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path == "/api/models/onelook/gated/revision/main":
            self.answer(403, b"", {"X-Error-Code": "GatedRepo"})
        elif path == "/api/models/onelook/tiny/revision/main":
            self.answer(200, json.dumps({"id": "onelook/tiny", "sha": COMMIT, "siblings": []}).encode())
        elif path == f"/api/models/onelook/tiny/tree/{COMMIT}":
            files = [
                {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": f"{index:040x}"}
                for index, file in enumerate(sorted(self.folder.iterdir()))
            ]
            files.append({"type": "file", "path": "model.gguf", "size": 1, "oid": "f" * 40})
            self.answer(200, json.dumps(files).encode())
        elif path.startswith(f"/onelook/tiny/resolve/{COMMIT}/"):
            file = self.folder / path.rsplit("/", 1)[-1]
            self.answer(200, file.read_bytes(), {"X-Repo-Commit": COMMIT, "ETag": f'"{file.name}"'})
        else:
            self.answer(404, b"", {"X-Error-Code": "RepoNotFound"})

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay quiet."""


@pytest.fixture(scope="module")
def hub(tiny_checkpoint: Path) -> Iterator[str]:
    handler = type("TinyHub", (Hub,), {"folder": tiny_checkpoint})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_what_was_fetched_with_progress_loads_by_its_id(pull: Pull, hub: str) -> None:
    done = pull(hub, "onelook/tiny")
    assert done.stdout.startswith("loaded")
    assert "model.safetensors" in done.stdout
    assert "model.gguf" not in done.stdout
    assert "100%" in done.stderr


def test_an_offline_machine_is_reported(pull: Pull) -> None:
    printed = pull("http://127.0.0.1:1", "onelook/tiny").stdout
    assert "cannot fetch onelook/tiny from http://127.0.0.1:1" in printed
    assert "connect this machine" in printed


def test_a_model_that_does_not_exist(pull: Pull, hub: str) -> None:
    printed = pull(hub, "onelook/nothing").stdout
    assert "no model onelook/nothing" in printed
    assert "spelling" in printed


def test_a_model_with_terms_to_agree_to(pull: Pull, hub: str) -> None:
    printed = pull(hub, "onelook/gated").stdout
    assert "agreed to its terms" in printed
    assert f"{hub}/onelook/gated" in printed


def test_what_is_not_an_id(pull: Pull, hub: str) -> None:
    assert "is not a Hugging Face id" in pull(hub, "a/b/c").stdout
