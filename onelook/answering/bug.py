"""What a bug in one run becomes where other runs must go on: a failed result, and its stack trace in the log."""

from __future__ import annotations

import logging

from onelook.answering.result import build_result
from onelook.graph.state import fresh
from onelook.result import TagResult
from onelook.services import Services
from onelook.types import Context, ErrorRecord

BUG = "Bug"
log = logging.getLogger("onelook.bug")


def bug_result(services: Services, context: Context, error: Exception, source: str) -> TagResult:
    """The result of a run that ended with `error`, which onelook does not raise on purpose."""
    log.error("%s: a bug of onelook", source, exc_info=error)
    record = ErrorRecord(
        kind=BUG,
        node="",
        message=f"{source}: a bug of onelook, not of the picture: {type(error).__name__}: {error}",
        hint="its stack trace is in the log: please report it",
    )
    result = build_result(services, {**fresh(), "errors": (record,)}, context, "failed")
    return result.model_copy(update={"source": source})
