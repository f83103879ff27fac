"""Responses from the bundled model on real drawings."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

import pytest
from PIL import Image

from onelook.demo.checkpoint import with_demo_models
from onelook.graph.arms import ArmName
from onelook.lab.album import read_labels
from onelook.ledger.model import Ledger
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from tests.api.served import Client, form, tidy
from tools.demo_model import HELDOUT

BUILDING = (HELDOUT / "heldout-0005.jpg").read_bytes()
PLANT = (HELDOUT / "heldout-0006.jpg").read_bytes()


async def test_a_picture_in_a_form(demo: Client) -> None:
    answer = await demo.post("/v1/tags", data=form(BUILDING))
    assert (answer.status, answer.content_type) == (200, "application/json")
    result = answer.result
    assert result.category is not None
    assert (result.category.id, result.category.label, result.status) == ("building", "建筑", "ok")
    assert result.ledger.wall_ms is not None
    assert [node.name for node in result.ledger.nodes] == ["prepare", "analyze", "review"]


@pytest.mark.parametrize(
    "image", [b64encode(BUILDING).decode(), f"data:image/jpeg;base64,{b64encode(BUILDING).decode()}"]
)
async def test_a_picture_in_json(demo: Client, image: str) -> None:
    answer = await demo.post("/v1/tags", json={"images": [image], "context": {"language": "en"}})
    category = answer.result.category
    assert category is not None
    assert (category.id, category.label) == ("building", "building")


async def test_http_and_the_graph_in_process_give_the_same_result(demo: Client) -> None:
    over_http = (await demo.post("/v1/tags", data=form(PLANT))).result
    async with Tagger(with_demo_models(load_settings())) as tagger:
        in_process = await tagger.tag(PLANT)
    assert over_http.category == in_process.category
    assert over_http.details == in_process.details
    assert over_http.versions == in_process.versions


async def test_choices_in_a_form(demo: Client) -> None:
    choices = {"arm": "reads", "language": "en", "long_edge": "448", "confidence_threshold": "0", "escalate": "false"}
    result = (await demo.post("/v1/tags", data=form(BUILDING, **choices))).result
    assert (result.arm, result.language, result.status) == ("reads", "en", "ok")
    assert "read" in [node.name for node in result.ledger.nodes]


async def test_several_pictures_are_one_subject(demo: Client) -> None:
    one = (await demo.post("/v1/tags", data=form(BUILDING))).result
    three = (await demo.post("/v1/tags", data=form(BUILDING, BUILDING, BUILDING))).result
    assert one.usage.image_tokens
    assert three.usage.image_tokens == 3 * one.usage.image_tokens


async def test_a_batch_has_a_line_per_picture_with_id_and_progress(demo: Client) -> None:
    items = [
        {"id": "a building", "image": b64encode(BUILDING).decode()},
        {"id": "no picture", "image": b64encode(b"hello").decode()},
        {"id": "broken base64", "image": "///"},
        {"image": b64encode(PLANT).decode()},
    ]
    answer = await demo.post("/v1/tags/batch", json={"items": items})
    assert (answer.status, answer.content_type) == (200, "application/x-ndjson")
    assert [line["progress"] for line in answer.lines] == [{"done": done, "total": 4} for done in (1, 2, 3, 4)]
    by_index = {line["index"]: line for line in answer.lines}
    assert [by_index[index]["id"] for index in range(4)] == ["a building", "no picture", "broken base64", ""]
    categories = [(by_index[index]["result"]["category"] or {}).get("id") for index in range(4)]
    assert categories == ["building", None, None, "plant"]
    assert by_index[1]["result"]["errors"][0]["kind"] == "ImageUnreadable"
    assert by_index[2]["result"]["errors"][0]["kind"] == "ImageUnreadable"


async def test_the_ids_of_a_form_batch_are_file_names(demo: Client) -> None:
    answer = await demo.post("/v1/tags/batch", data=form(BUILDING, PLANT, reply_format="compact"))
    categories_by_id = {line["id"]: line["result"]["category"]["id"] for line in answer.lines}
    assert categories_by_id == {"picture-0.jpg": "building", "picture-1.jpg": "plant"}


async def test_compared_arms_have_their_ledgers(demo: Client) -> None:
    answer = await demo.post("/v1/compare", data=form(BUILDING, arms=["fused", "legacy_shared"], language="en"))
    assert [each["arm"] for each in answer.json["arms"]] == ["fused", "legacy_shared"]
    for each in answer.json["arms"]:
        ledger = Ledger.model_validate(tidy(each["result"])["ledger"])
        assert each["parts"] == pytest.approx(ledger.parts())
        assert sum(each["parts"].values()) == pytest.approx(ledger.wall_ms)
        assert each["result"]["category"]["label"] == "building"


async def test_all_arms_are_compared_by_default(demo: Client) -> None:
    known: list[ArmName] = (await demo.get("/v1/options")).json["arms"]
    answer = await demo.post("/v1/compare", json={"images": [b64encode(PLANT).decode()]})
    assert [each["arm"] for each in answer.json["arms"]] == known
    assert "fused" in known


async def test_taxonomy_options_and_graph(demo: Client) -> None:
    taxonomy = (await demo.get("/v1/taxonomy")).json
    assert taxonomy["categories"]["portrait"]["label"] == {"en": "portrait", "zh": "人像"}
    assert taxonomy["categories"]["animal"]["details"]["count"]["options"]["one"]["en"] == "one"
    options = (await demo.get("/v1/options")).json
    fields = options["context"]["properties"]
    assert fields["language"]["enum"] == taxonomy["languages"]
    assert fields["arm"]["default"] == "fused"
    assert all(field["description"] for field in fields.values())
    assert "drawings" in options["note"]
    graph = await demo.get("/v1/graph")
    assert graph.content_type == "text/plain"
    assert b"prepare -." in graph.body


async def test_samples_are_the_albums_first_drawings(demo: Client) -> None:
    listed = (await demo.get("/v1/samples")).json
    album = read_labels(HELDOUT)[:12]
    assert [each["name"] for each in listed] == [each.path.name for each in album]
    assert [each["truth"]["category"] for each in listed] == [each.truth.category for each in album]
    for each in listed:
        answer = await demo.get(f"/v1/samples/{each['name']}")
        with Image.open(BytesIO(answer.body)) as opened:
            assert answer.content_type == Image.MIME[str(opened.format)]


@pytest.mark.parametrize(
    "name",
    ["labels.jsonl", "heldout-0100.png", "..%2Flabels.jsonl", "..%2F..%2F..%2Fserver.py", "%2Fetc%2Fpasswd", "nul%00"],
)
async def test_only_samples_are_served_as_samples(demo: Client, name: str) -> None:
    answer = await demo.get(f"/v1/samples/{name}")
    assert (answer.status, answer.content_type) == (404, "application/problem+json")


async def test_the_page_can_load_from_its_own_origin_only(demo: Client) -> None:
    answer = await demo.get("/")
    policy = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.status == 200
    assert answer.content_type == "text/html"


async def test_health_and_readiness(demo: Client) -> None:
    assert (await demo.get("/healthz")).json == {"status": "ok"}
    assert (await demo.get("/readyz")).json == {"status": "ready"}
