"""What goes wrong with the server's own files: a problem of the server, never of the caller, and without its paths."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from onelook.api.problem import Problem
from onelook.batch.database import FULL
from onelook.errors import BatchError, DiskFull

log = logging.getLogger("onelook")

Trouble = (OSError, BatchError)
"""What the files of jobs can raise."""


def is_full(error: BaseException) -> bool:
    """Whether it may work when the disk has room again."""
    return isinstance(error, DiskFull) or (isinstance(error, OSError) and error.errno in FULL)


@contextmanager
def reporting_trouble(what: str) -> Iterator[None]:
    """`Trouble` is logged with all that is known, and becomes a `Problem` for the caller. `what`: `the job cannot be
    kept`."""
    try:
        yield
    except Trouble as error:
        log.error("%s: %s", what, error)
        raise problem_of_trouble(error, what) from None


def problem_of_trouble(error: Exception, what: str) -> Problem:
    if is_full(error):
        return Problem(
            HTTPStatus.INSUFFICIENT_STORAGE,
            f"{what}: the server's disk is full",
            kind="DiskFull",
            hint="try again later; on the server, free some space where ONELOOK_HTTP__JOBS is",
        )
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        f"{what}: the server's own files are damaged, or cannot be read or written",
        kind="JobUnreadable",
        hint="the server's log has the reason",
    )
