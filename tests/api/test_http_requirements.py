"""An arm that the server's engine or taxonomy cannot run: 422 with the choice to change, before any run."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from onelook.settings.process import PHOTOS
from tests.api.conftest import Connect
from tests.api.served import form, until
from tests.engines.openai_simulation import Body, SimulatedServer, completion
from tests.graph.replies import BUILDING


async def schema_only(request: web.Request, body: Body) -> web.StreamResponse:
    schema = body["response_format"]["json_schema"]["schema"]
    return web.json_response(completion('{"word":"zebra"}' if "word" in schema.get("properties", {}) else BUILDING))


@pytest.mark.parametrize(
    ("choice", "what"),
    [({"arm": "reads"}, "arm reads"), ({"reply_format": "compact"}, "reply format compact")],
    ids=["reads", "compact"],
)
async def test_a_choice_that_a_schema_only_engine_cannot_keep(
    connect: Connect, picture: bytes, choice: dict[str, str], what: str
) -> None:
    async with SimulatedServer(schema_only, owner="somebody") as engine, connect(engine) as client:
        await until(lambda: len(engine.bodies) == 1)  # the warm-up
        assert (await client.post("/v1/tags", data=form(picture))).status == 200
        asked = len(engine.bodies)
        for route in ("/v1/tags", "/v1/tags/batch", "/v1/tags"):
            answer = await client.post(route, data=form(picture, **choice))
            problem = answer.problem(422, kind="SettingsError")
            assert problem["detail"].startswith(f"{what} needs")
            assert "--reply-format json" in problem["hint"]
        assert len(engine.bodies) == asked, "refused before the engine is asked"


async def test_a_comparison_has_the_reason_in_the_arm_that_cannot_run(connect: Connect, picture: bytes) -> None:
    async with SimulatedServer(schema_only, owner="somebody") as engine, connect(engine) as client:
        answer = await client.post("/v1/compare", data=form(picture, arms=["fused", "reads"]))
    fused, reads = (arm["result"] for arm in answer.json["arms"])
    assert fused["status"] != "failed"
    assert (reads["status"], reads["errors"][0]["kind"]) == ("failed", "EngineIncapable")


async def test_texts_that_the_router_cannot_read(
    connect: Connect, picture: bytes, tiny_siglip: Path, tmp_path: Path
) -> None:
    """The first picture of a routed arm shows it; from then on it is refused before any run."""
    taxonomy = tmp_path / "wordy.yaml"
    wordy = "a person " + "who stands in front of a house or a tree " * 20
    taxonomy.write_text(PHOTOS.read_text(encoding="utf-8").replace("a person is the main subject", wordy), "utf-8")
    router = {"model": str(tiny_siglip), "device": "cpu"}
    async with (
        SimulatedServer(schema_only, owner="somebody") as engine,
        connect(engine, taxonomy=taxonomy, router=router) as client,
    ):
        await until(lambda: len(engine.bodies) == 1)
        for route in ("/v1/tags", "/v1/tags", "/v1/tags/batch"):
            answer = await client.post(route, data=form(picture, arm="hybrid"))
            problem = answer.problem(422, kind="SettingsError")
            assert "the router reads 64 tokens, and this text has" in problem["detail"]
            assert "--arm fused" in problem["hint"]
        assert len(engine.bodies) == 1
        assert (await client.post("/v1/tags", data=form(picture))).status == 200
