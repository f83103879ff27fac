"""Traces as an OTLP receiver gets them, from processes of their own."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import httpx
import pytest
from aiohttp import web
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from onelook.graph.arms import ArmName
from onelook.observability.export import PictureFreeExporter
from tests.engines.openai_simulation import Body, SimulatedServer
from tests.observability.receiver import Received, attributes, holds
from tests.observability.tagging import tag
from tests.patience import HANG_S
from tests.processes import free_port, serving

CALLER = "4bf92f3577b34da6a3ce929d0e0e4736"


def environment(received: Received, **more: str) -> dict[str, str]:
    return {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": received.url, "OTEL_BSP_SCHEDULE_DELAY": "100", **more}


def below(spans: list[Span], parent: Span) -> list[Span]:
    return [span for span in spans if span.parent_span_id == parent.span_id]


def test_a_request_its_runs_their_nodes_and_their_engine_calls_are_spans(
    received: Received, noise: bytes, tiny_checkpoint: Path, tiny_siglip: Path, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    settings = environment(
        received,
        ONELOOK_HTTP__PORT=str(port),
        ONELOOK_MODEL=str(tiny_checkpoint),
        ONELOOK_ROUTER__MODEL=str(tiny_siglip),
        ONELOOK_ROUTER__THRESHOLD="0",
        XDG_CACHE_HOME=str(tmp_path),
    )
    with serving([sys.executable, "-m", "onelook", "serve"], f"{url}/readyz", tmp_path, settings):
        picture = "data:image/jpeg;base64," + base64.b64encode(noise).decode()
        asked = {"images": [picture], "arms": list(get_args(ArmName))}
        caller = {"traceparent": f"00-{CALLER}-00f067aa0ba902b7-01"}
        compared = httpx.post(f"{url}/v1/compare", json=asked, headers=caller, timeout=HANG_S).json()
    spans = [span for span in received.spans() if span.trace_id.hex() == CALLER]
    assert received.services() == {"onelook"}

    (request,) = [span for span in spans if span.parent_span_id.hex() == "00f067aa0ba902b7"]
    assert request.name == "POST /v1/compare"
    runs = below(spans, request)
    assert [json.loads(str(attributes(run)["metadata"]))["arm"] for run in runs] == list(get_args(ArmName))
    for run, answered in zip(runs, compared["arms"], strict=True):
        nodes = below(spans, run)
        visited = [node["name"] for node in answered["result"]["ledger"]["nodes"]]
        assert [node.name for node in nodes if node.name in visited] == visited
        calls = [
            attributes(call)
            for node in nodes
            for call in below(spans, node)
            if attributes(call).get("openinference.span.kind") == "LLM"
        ]
        engine_spans = [
            part for node in answered["result"]["ledger"]["nodes"] for part in node["spans"] if part["name"] == "engine"
        ]
        assert len(calls) == len(engine_spans)
        used = answered["result"]["usage"]
        assert sum(int(call["llm.token_count.prompt"]) for call in calls) == (used["prompt_tokens"] or 0)
        assert sum(int(call["llm.token_count.completion"]) for call in calls) == (used["completion_tokens"] or 0)
    assert not holds(received.everything, noise)
    assert b"base64" not in received.everything


async def quoting(request: web.Request, body: Body) -> web.StreamResponse:
    """A server that refuses a request and quotes it in the error, as validating frameworks do."""
    return web.json_response({"message": str(body["messages"])[-400:], "errors": body}, status=400)


async def test_a_picture_in_a_servers_error_is_in_no_trace(received: Received, noise: bytes, noise_file: Path) -> None:
    async with SimulatedServer(quoting) as server:
        settings = environment(received, ONELOOK_ENGINE="vllm", ONELOOK_BASE_URL=server.base_url)
        said = await tag(noise_file, settings)
    assert holds(json.dumps(server.bodies).encode(), noise), "the server did get it"
    assert "EngineRefused" in said
    failed = [span.status.code for span in received.spans() if span.name == "analyze"]
    assert failed == 3 * [Status.STATUS_CODE_ERROR]
    assert not holds(received.everything, noise)


def test_an_error_that_quotes_a_picture_is_sent_without_it(noise: bytes) -> None:
    exported = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(PictureFreeExporter(exported)))
    quoted = f"no such field: data:image/jpeg;base64,{base64.b64encode(noise).decode()}"
    span = provider.get_tracer("test").start_span("node")
    span.set_attributes({"said": quoted, "tokens": 3, "steps": ["a", quoted]})
    span.record_exception(ValueError(quoted, noise))
    span.set_status(StatusCode.ERROR, quoted)
    span.end()
    (sent,) = exported.get_finished_spans()
    assert not holds(sent.to_json().encode(), noise)
    assert sent.attributes is not None
    assert sent.attributes["tokens"] == 3
    assert "no such field: [" in str(sent.attributes["said"])
    assert "no such field: [" in str(sent.status.description)
    assert [event.name for event in sent.events] == ["exception"]


@pytest.mark.parametrize(
    "off", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "", "OTEL_SERVICE_NAME": "x"}, {"OTEL_SDK_DISABLED": "true"}]
)
def test_opentelemetry_is_not_loaded_by_default(off: Mapping[str, str], received: Received) -> None:
    asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": received.url} if "OTEL_SDK_DISABLED" in off else {}
    code = (
        "import sys, server\n"
        "print([name for name in sys.modules if name in ('openinference', 'onelook.observability.export')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **asked, **off}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_without_the_extra_a_warning_names_the_package_and_runs_work(received: Received) -> None:
    code = "import sys; sys.modules['openinference'] = None; import server; print(server.app.title)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(received), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "onelook"
    assert "onelook[observability]" in done.stderr
