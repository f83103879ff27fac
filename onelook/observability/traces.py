"""OpenTelemetry traces: a span for a request, a run, each node and each engine call, with the tokens it took.

They are on where the usual variable OTEL_EXPORTER_OTLP_ENDPOINT (or …_TRACES_ENDPOINT) names a receiver; otherwise
nothing is loaded. What goes in and comes out of a node is left out of them, pictures above all.
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


def asked_for() -> bool:
    """Whether the environment names a receiver, and does not switch OpenTelemetry off."""
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or os.environ.get("OTEL_TRACES_EXPORTER") == "none"
    return not off and any(os.environ.get(name) for name in ENDPOINTS)


@cache
def trace_runs() -> TracerProvider | None:
    """From now on every run of a graph in this process is traced, where that is asked for. Later calls do nothing."""
    if not asked_for():
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
    """A span for each request to `app` as well, around its runs; a caller's `traceparent` is taken up."""
    provider = trace_runs()
    if provider is not None:
        from onelook.observability.export import instrument_fastapi

        instrument_fastapi(app, provider)
