"""`--workers N`: several processes behind one port, with one set of limits and one set of metrics."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client.multiprocess import mark_process_dead
from uvicorn.config import STARTUP_FAILURE

from onelook.api.metrics import share_metrics
from onelook.api.supervisor import Supervisor
from onelook.errors import SettingsError
from onelook.observability.langsmith import restart_langsmith
from onelook.settings.hints import named, set_to
from onelook.settings.process import Settings

log = logging.getLogger("uvicorn.error")


def shared_out(settings: Settings) -> Settings:
    """The settings of each worker: its equal share of what the limits allow to the whole server, rounded down.

    Raises:
        SettingsError: workers cannot share what these settings ask for.
    """
    http, count = settings.http, settings.http.workers
    if count == 1:
        return settings
    one = f"or leave it at one ({set_to(ONELOOK_HTTP__WORKERS=1)})"
    if not hasattr(os, "fork"):
        raise SettingsError(
            f"{named('http.workers')}: this system cannot fork a process", hint=f"use Linux or macOS, {one}"
        )
    for engine in (settings, settings.specialist):
        if engine is not None and engine.engine == "embedded":
            raise SettingsError(
                f"{count} workers ({named('http.workers')}) would each load the model, which is embedded",
                hint=f"serve the model with vLLM and set {engine.variables}ENGINE=vllm {engine.variables}BASE_URL=…,"
                f" {one}",
            )
    if count > http.max_in_flight:
        raise SettingsError(
            f"{count} workers ({named('http.workers')}) cannot share {http.max_in_flight} pictures at the same time",
            hint=f"raise ONELOOK_HTTP__MAX_IN_FLIGHT, {one}",
        )
    if http.max_held_mb / count < http.max_body_mb <= http.max_held_mb:
        raise SettingsError(
            f"{count} workers ({named('http.workers')}) have {http.max_held_mb / count:g} MB each for the bodies of"
            f" requests, and one can have {http.max_body_mb:g} MB",
            hint=f"raise ONELOOK_HTTP__MAX_HELD_MB or lower ONELOOK_HTTP__MAX_BODY_MB, {one}",
        )
    shares = {
        "max_in_flight": http.max_in_flight // count,
        "max_queue": http.max_queue // count,
        "max_held_mb": http.max_held_mb / count,
    }
    return settings.model_copy(
        update={"http": http.model_copy(update=shares), "decode_budget_mb": settings.decode_budget_mb / count}
    )


def run_workers(count: int, listening: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    """`count` processes that call `serve`, until a signal stops them; this process then ends by that signal."""
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    log.info("Uvicorn running on http://%s:%d with %d workers (Press CTRL+C to quit)", shown, port, count)
    with TemporaryDirectory(prefix="onelook-metrics-") as folder:

        def work(number: int) -> None:
            share_metrics(Path(folder), number)
            restart_langsmith()
            serve(listening)

        def forget_gauges(number: int) -> None:
            mark_process_dead(number, folder)  # type: ignore[no-untyped-call]

        def remove() -> None:
            shutil.rmtree(folder, ignore_errors=True)

        supervisor = Supervisor(count, work, on_stop=listening.close, on_lost=forget_gauges, on_orphaned=remove)
        stopped_by = supervisor.run()
    if stopped_by is None:
        sys.exit(STARTUP_FAILURE)
    signal.raise_signal(stopped_by)


def listen(host: str, port: int) -> socket.socket:
    """Raises `SettingsError` if nobody can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]  # the address again
        raise SettingsError(
            f"cannot listen at {host}, port {port}: {reason}",
            hint=f"set another {named('http.host')}, or another {named('http.port')}",
        ) from None
