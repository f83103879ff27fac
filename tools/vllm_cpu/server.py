"""A real vLLM server on the CPU, for a small checkpoint: `python -m tools.vllm_cpu [--model FOLDER]`.

vLLM pins its own torch and fastapi, so it has its own virtual environment and is used over HTTP only.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from onelook.demo.checkpoint import MODEL
from onelook.errors import EngineIncapable, EngineUnavailable, OnelookError

ROOT = Path(__file__).parent.parent.parent
SITE = Path(__file__).parent / "site"
PROFILE = ROOT / "serve" / "demo-cpu.yaml"
ROUTER_PROFILE = ROOT / "serve" / "siglip-demo-cpu.yaml"
SERVED_NAME = "onelook-demo"  # as PROFILE says
HOST = "127.0.0.1"

READY_WITHIN_S = 300.0
STOPPED_WITHIN_S = 20.0
LOG_TAIL_LINES = 40

ENVIRONMENT = {
    "PYTHONPATH": str(SITE),
    "HF_HUB_OFFLINE": "1",
    "VLLM_CPU_KVCACHE_SPACE": "2",  # GiB
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
}


def vllm_python() -> Path:
    """The Python of the environment with vLLM: ONELOOK_VLLM_PYTHON, or `.venv-vllm`.

    Raises:
        EngineIncapable: it does not exist.
    """
    python = Path(os.environ.get("ONELOOK_VLLM_PYTHON") or ROOT / ".venv-vllm" / "bin" / "python")
    if not python.is_file():
        raise EngineIncapable(
            f"no Python with vLLM at {python}",
            hint="run `make venv-vllm`, or set ONELOOK_VLLM_PYTHON to the Python of an environment with vLLM",
        )
    return python


@contextmanager
def vllm_cpu_server(
    model: Path,
    *,
    python: Path,
    log: Path,
    profile: Path = PROFILE,
    port: int = 0,
    ready_within_s: float = READY_WITHIN_S,
    arguments: Sequence[str] = (),
) -> Iterator[str]:
    """Start a server for the checkpoint folder `model`, yield its base URL when it is ready, and stop it at the end.

    `port` 0 picks a free one, regardless of `profile`. `arguments`: further options of vLLM. The server's output goes
    to the file `log`.

    Raises:
        EngineUnavailable: it ended, or was not ready in time; the message has the end of the log.
    """
    port = port or _free_port()
    # -P: the working directory is not on the module path, or its packages would shadow the server's.
    command = [str(python), "-P", "-m", "vllm.entrypoints.openai.api_server", "--model", str(model)]
    command += ["--config", str(profile), "--host", HOST, "--port", str(port), *arguments]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        server = subprocess.Popen(  # noqa: S603  a fixed command, without a shell
            command,
            env={**os.environ, **ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(server, port, log, ready_within_s)
        yield f"http://{HOST}:{port}/v1"
    finally:
        _stop(server)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, log: Path, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not _answers(port):
        code = server.poll()
        if code is not None:
            raise EngineUnavailable(f"the vLLM server ended with exit code {code}; {_tail(log)}")
        if time.monotonic() > deadline:
            raise EngineUnavailable(f"the vLLM server was not ready within {within_s:g} s; {_tail(log)}")
        time.sleep(0.25)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/v1/models")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:]
    return "\n".join([f"the end of {log}:", *lines])


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Stop the server and its engine process: first SIGTERM, then SIGKILL for the whole process group."""
    server.terminate()
    with suppress(subprocess.TimeoutExpired):
        server.wait(STOPPED_WITHIN_S)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def _end(signum: int, frame: object) -> None:
    raise SystemExit(128 + signum)


def main(
    model: Annotated[
        Path | None, typer.Option(help="Checkpoint folder. Default: the demo's.", exists=True, file_okay=False)
    ] = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 picks a free one.")] = 8000,
    python: Annotated[Path | None, typer.Option(help="Python of an environment with vLLM.")] = None,
    log: Annotated[Path, typer.Option(help="File for the server's output.")] = ROOT / ".cache" / "vllm-cpu.log",
) -> None:
    """Serve MODEL with vLLM on the CPU until interrupted."""
    signal.signal(signal.SIGTERM, _end)
    try:
        typer.echo(f"starting vLLM, about a minute; its log is {log}")
        with vllm_cpu_server(model or MODEL, python=python or vllm_python(), log=log, port=port) as base_url:
            typer.echo(f"ready: {base_url} serves {SERVED_NAME}. Ctrl-C stops it.")
            typer.echo(f"ONELOOK_ENGINE=vllm ONELOOK_BASE_URL={base_url} onelook tag PICTURE")
            signal.pause()
    except KeyboardInterrupt:
        typer.echo("stopped")
    except OnelookError as error:
        typer.echo(f"{error.message}\n{error.hint or ''}".rstrip(), err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    typer.run(main)
