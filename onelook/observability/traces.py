"""OpenTelemetry traces: a span for each request, run, node and engine call, with its tokens.

They are enabled if the usual variable OTEL_EXPORTER_OTLP_ENDPOINT (or …_TRACES_ENDPOINT) is set; otherwise nothing is
loaded. The inputs and outputs of nodes are left out, so that no picture is exported.
"""

from __future__ import annotations

import logging
import os
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI
    from opentelemetry.sdk.trace import TracerProvider

log = logging.getLogger("onelook")

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def enabled() -> bool:
    """Whether the environment names a receiver and does not disable OpenTelemetry."""
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or os.environ.get("OTEL_TRACES_EXPORTER") == "none"
    return not off and any(os.environ.get(name) for name in ENDPOINTS)


@cache
def trace_runs() -> TracerProvider | None:
    """Trace every run of a graph in this process, if enabled. Later calls do nothing."""
    if not enabled():
        return None
    try:
        from onelook.observability.export import instrument_langchain, make_provider
    except ImportError as error:
        log.warning("no traces: %s; install them with: pip install 'onelook[observability]'", error)
        return None
    provider = make_provider()
    instrument_langchain(provider)
    return provider


def trace_requests(app: FastAPI) -> None:
    """Trace each request to `app` too, around its runs; a caller's `traceparent` is continued."""
    provider = trace_runs()
    if provider is not None:
        from onelook.observability.export import instrument_fastapi

        instrument_fastapi(app, provider)
