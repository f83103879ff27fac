"""`make serve`: the HTTP door on its host and port."""

from __future__ import annotations

import sys

import uvicorn

from onelook.api.state import GRACE_S
from onelook.errors import OnelookError
from onelook.settings.process import load_settings

# Longer than clients and load balancers keep a connection that rests (15 to 60 s by their defaults): whoever closes
# first may close it on a request that is under way.
KEEP_ALIVE_S = 75


def main() -> None:
    """Serve until SIGTERM or Ctrl-C; then what is in hand is finished, and nothing new is taken."""
    try:
        settings = load_settings().http
    except OnelookError as error:
        sys.exit(f"error: {error.message}\nhint: {error.hint}")
    uvicorn.run(
        "server:app",
        host=settings.host,
        port=settings.port,
        access_log=False,  # api.request_log writes one line for each request
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(settings.deadline_s + GRACE_S) + 1,
    )


if __name__ == "__main__":
    main()
