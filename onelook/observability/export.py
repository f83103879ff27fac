"""Makes and exports spans, with the packages of the extra `observability`."""

from __future__ import annotations

import os
from collections.abc import Sequence

from fastapi import FastAPI
from openinference.instrumentation import TraceConfig
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status
from opentelemetry.util.types import Attributes, AttributeValue

from onelook.observability.pictures import without_pictures

NO_CONTENT = TraceConfig(
    hide_inputs=True,
    hide_outputs=True,
    hide_llm_invocation_parameters=True,
)


class PictureFreeExporter(SpanExporter):
    """Removes pictures from spans: error messages, such as a server's that quotes its request, can contain them."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([picture_free(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def picture_free(span: ReadableSpan) -> ReadableSpan:
    """`span` with `without_pictures` applied to all its text."""
    description = span.status.description
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_clean(span.attributes),
        events=[Event(event.name, _clean(event.attributes), event.timestamp) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code, description and without_pictures(description)),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _clean(attributes: Attributes) -> dict[str, AttributeValue]:
    return {name: _clean_value(value) for name, value in (attributes or {}).items()}


def _clean_value(value: AttributeValue) -> AttributeValue:
    match value:
        case str():
            return without_pictures(value)
        case Sequence():
            return [without_pictures(each) if isinstance(each, str) else each for each in value]
        case _:
            return value


def make_provider() -> TracerProvider:
    """Spans go to the receiver in the OTEL_EXPORTER_OTLP_… variables, over HTTP, in batches from a thread."""
    named = "OTEL_SERVICE_NAME" in os.environ or SERVICE_NAME in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    provider = TracerProvider(resource=Resource.create({} if named else {SERVICE_NAME: "onelook"}))
    provider.add_span_processor(BatchSpanProcessor(PictureFreeExporter(OTLPSpanExporter())))
    return provider


def instrument_langchain(provider: TracerProvider) -> None:
    """LangChain's and LangGraph's callbacks become spans, with the OpenInference conventions."""
    LangChainInstrumentor().instrument(tracer_provider=provider, config=NO_CONTENT)


def instrument_fastapi(app: FastAPI, provider: TracerProvider) -> None:
    """One span per request, without spans for its ASGI messages."""
    FastAPIInstrumentor.instrument_app(app, tracer_provider=provider, exclude_spans=["receive", "send"])
