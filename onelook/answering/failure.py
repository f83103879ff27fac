"""An error as a result carries it."""

from __future__ import annotations

from onelook.answering.result import build_result
from onelook.errors import EngineError, ImageError, OnelookError
from onelook.graph.state import fresh
from onelook.result import TagResult
from onelook.services import Services
from onelook.types import Context, ErrorRecord


def error_record(error: OnelookError, node: str) -> ErrorRecord:
    """`node`: where the run ended."""
    return ErrorRecord(
        kind=type(error).__name__,
        node=node,
        message=error.message,
        picture=error.picture if isinstance(error, ImageError) else None,
        hint=error.hint,
        retryable=error.retryable,
        retry_after_s=retry_after_s(error),
    )


def retry_after_s(error: OnelookError) -> float | None:
    """The server takes no request for so many seconds."""
    return error.retry_after_s if isinstance(error, EngineError) else None


def failed_result(services: Services, context: Context, error: OnelookError, node: str) -> TagResult:
    """The result of a picture about which nothing is known but this error."""
    return build_result(services, {**fresh(), "errors": (error_record(error, node),)}, context, "failed")
