"""For operators: a log line and an id for each request, and metrics from the ledgers."""

from __future__ import annotations

import json
import logging
from base64 import b64encode

import pytest

from onelook.observability.logs import JsonLines
from tests.api.conftest import Connect
from tests.api.served import Client, form
from tests.engines.openai_simulation import SimulatedServer, always, completion
from tests.graph.replies import BUILDING
from tests.residency.simulated import Device, SleepingServer


async def test_a_request_id_is_kept_or_generated(demo: Client) -> None:
    kept = await demo.get("/v1/taxonomy", headers={"X-Request-ID": "order-66.b:1"})
    assert kept.headers["X-Request-ID"] == "order-66.b:1"
    given = {(await demo.get("/v1/taxonomy")).headers["X-Request-ID"] for _ in range(3)}
    assert len(given) == 3
    for odd in ("", "a b", "x" * 129, "<script>"):
        assert (await demo.get("/healthz", headers={"X-Request-ID": odd})).headers["X-Request-ID"] != odd


async def test_a_log_line_for_each_request_without_picture_or_key(
    connect: Connect, picture: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="onelook")
    async with (
        SimulatedServer(always(completion(BUILDING))) as engine,
        connect(engine, http={"api_key": "s3cret"}) as client,
    ):
        headers = {"Authorization": "Bearer s3cret", "X-Request-ID": "one"}
        image = b64encode(picture).decode()
        await client.post("/v1/tags?ledger=true", json={"images": [image]}, headers=headers)
        await client.post("/v1/tags", json={"images": ["AAAA" + image]}, headers=headers)
        await client.get("/v1/taxonomy")
    lines = [JsonLines().format(record) for record in caplog.records if record.name == "onelook.http"]
    logged = [json.loads(line) for line in lines]
    assert [(each["path"], each["status"]) for each in logged] == [
        ("/v1/tags", 200),
        ("/v1/tags", 422),
        ("/v1/taxonomy", 401),
    ]
    assert logged[0]["request_id"] == "one"
    assert (logged[0]["arm"], logged[0]["result"], logged[1]["result"]) == ("fused", "needs_review", "failed")
    assert all(each["ms"] > 0 for each in logged)
    everything = "\n".join([*lines, caplog.text])
    for secret in ("s3cret", image[:40], "ledger=true", "base64"):
        assert secret not in everything


async def test_a_bug_is_a_500_without_details_and_a_log_line_with_them(
    connect: Connect, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object) -> str:
        raise ZeroDivisionError("in the dark")

    monkeypatch.setattr("onelook.tagger.Tagger.mermaid", broken)
    async with SimulatedServer() as engine, connect(engine) as client:
        answer = await client.get("/v1/graph", headers={"X-Request-ID": "the-bug"})
        answer.problem(500, kind="Bug")
        assert b"dark" not in answer.body
        assert (await client.get("/healthz")).status == 200
    (line,) = [JsonLines().format(record) for record in caplog.records if record.levelname == "ERROR"]
    assert "ZeroDivisionError: in the dark" in json.loads(line)["trace"]
    assert json.loads(line)["request_id"] == "the-bug"


async def test_metrics_from_the_ledgers(connect: Connect, picture: bytes) -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 7,
        "total_tokens": 107,
        "prompt_tokens_details": {"cached_tokens": 40, "multimodal_tokens": {"image": 80}},
    }
    async with (
        SimulatedServer(always(completion(BUILDING, usage=usage))) as engine,
        connect(engine, cache="memory", specialist={"engine": "vllm", "base_url": engine.base_url}) as client,
    ):
        await client.get("/readyz")  # after it the model has a name, and an answer in memory goes by that as well
        for _ in range(2):
            result = (await client.post("/v1/tags", data=form(picture))).result
        assert result.escalation is not None
        await client.post("/v1/tags", data=form(b"nonsense"))

        runs = {status: await client.metric("onelook_results_total", arm="fused", status=status) for status in STATUSES}
        assert runs == {"needs_review": 2, "ok": 0, "failed": 1}
        assert await client.metric("onelook_run_seconds_count", arm="fused") == 3
        # The same picture is answered from the cache the second time, and takes no tokens.
        assert await client.metric("onelook_node_seconds_count", node="analyze", arm="fused") == 2
        assert await client.metric("onelook_node_seconds_count", node="prepare", arm="fused") == 3
        assert await client.metric("onelook_cache_hits_total", node="analyze") == 1
        tokens = {kind: await client.metric("onelook_tokens_total", kind=kind) for kind in KINDS}
        assert tokens == {"prompt": 200, "cached": 80, "image": 160, "completion": 14}
        assert await client.metric("onelook_escalations_total", arm="fused") == 2
        assert await client.metric("onelook_http_requests_total", route="/v1/tags", status="200") == 2
        assert await client.metric("onelook_http_requests_total", route="/v1/tags", status="422") == 1


async def test_metrics_of_model_switches(connect: Connect, picture: bytes) -> None:
    device = Device()
    first, specialist = (
        SleepingServer(name, device, awake=name == "first", respond=lambda _: BUILDING)
        for name in ("first", "specialist")
    )
    async with (
        first,
        specialist,
        connect(
            first,
            residency="swap",
            specialist={"engine": "vllm", "base_url": specialist.base_url},
        ) as client,
    ):
        result = (await client.post("/v1/tags", data=form(picture))).result
        assert result.escalation is not None
        assert device.arrivals == ["first", "specialist"]
        assert await client.metric("onelook_model_switches_total") == 2  # the first at the start, then the specialist
        assert await client.metric("onelook_model_switches_failed_total") == 0
        assert await client.metric("onelook_model_switching_seconds_total") > 0


STATUSES = ("needs_review", "ok", "failed")
KINDS = ("prompt", "cached", "image", "completion")
