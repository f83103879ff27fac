"""The HTTP API in a process of its own."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from onelook.api.app import build_app
from onelook.api.state import GRACE_S, job_store, open_server
from onelook.api.supervisor import HANGUP
from onelook.api.workers import listen, run_workers, shared_out
from onelook.errors import SettingsError
from onelook.observability.logs import write_logs
from onelook.settings.process import Settings, load_settings

# Longer than clients and load balancers keep a connection that rests (15 to 60 s by their defaults): whoever closes
# first may close it on a request that is under way.
KEEP_ALIVE_S = 75


class Server(uvicorn.Server):
    """Finishes what is in hand on SIGHUP too, which a terminal sends when it closes."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():  # ends the process by the signal that it has captured
            before = signal.getsignal(HANGUP)
            if before != signal.SIG_IGN:  # `nohup`
                signal.signal(HANGUP, self.handle_exit)
            try:
                yield
            finally:
                signal.signal(HANGUP, before)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM, SIGHUP or Ctrl-C; then what is in hand is finished, and nothing new is taken.

    Raises:
        UserError: the taxonomy, a template or a setting is wrong, or the folder of jobs.
        EngineIncapable: the engine needs a package that is not installed.
    """
    http = settings.http
    write_logs(http.log_format)
    tagger = open_server(shared_out(settings))
    jobs = job_store(tagger)
    if jobs is not None:
        jobs.prepare()
    config = uvicorn.Config(
        build_app(lambda: tagger),
        host=http.host,
        port=http.port,
        log_config=None,
        access_log=False,  # api.request_log writes one line for each request
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(http.deadline_s + GRACE_S) + 1,
    )
    if http.workers == 1:
        Server(config).run()
        return

    def run(listening: socket.socket) -> None:
        Server(config).run([listening])

    run_workers(http.workers, listen(http.host, http.port), run)


def write_logs_as_set() -> None:
    """Write the log as the environment says, for a process that someone else starts."""
    try:
        write_logs(load_settings().http.log_format)
    except SettingsError:
        write_logs("text")  # the application reports it when it starts
