"""Python imports this by itself where its folder is on PYTHONPATH: from then on no connection leaves the machine.

Each attempt to reach anything but this machine is written to the file $WATCH_LOG, and fails.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

LOG = Path(os.environ["WATCH_LOG"])

# Its connections are made in C, past Python's audit events; without it asyncio's own loop takes its place.
sys.modules["uvloop"] = None  # type: ignore[assignment]


def is_here(host: object) -> bool:
    """Whether a host is this machine: none at all, its name, or an address that it listens at."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(str(name))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    match event, arguments:
        case (("socket.connect" | "socket.sendto" | "socket.sendmsg"), (opened, (host, *_))) if opened.family in (
            socket.AF_INET,
            socket.AF_INET6,
        ):
            pass
        case (("socket.getaddrinfo" | "socket.gethostbyname"), (host, *_)):
            pass
        case _:
            return
    if not is_here(host):
        with LOG.open("a", encoding="utf-8") as log:
            log.write(f"{event} {host}\n{''.join(traceback.format_stack(limit=12))}\n")
        raise PermissionError(f"{event} {host}: watched")


sys.addaudithook(watch)
LOG.touch()
