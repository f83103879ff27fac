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
    answer = await demo.post("/v1/tags", json={"images": [image], "language": "en"})
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
    images = [*(b64encode(data).decode() for data in (BUILDING, b"hello")), "///", b64encode(PLANT).decode()]
    ids = ["a building", "no picture", "broken base64", ""]
    answer = await demo.post("/v1/tags/batch", json={"images": images, "ids": ids})
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


async def test_ids_in_a_form_take_the_place_of_file_names(demo: Client) -> None:
    answer = await demo.post("/v1/tags/batch", data=form(BUILDING, PLANT, ids=["one", "two"], reply_format="compact"))
    by_id = {line["id"]: line["result"] for line in answer.lines}
    assert {each: result["category"]["id"] for each, result in by_id.items()} == {"one": "building", "two": "plant"}
    assert {each: result["source"] for each, result in by_id.items()} == {"one": "one", "two": "two"}


async def test_a_choice_means_the_same_in_a_form_and_in_json(demo: Client) -> None:
    choices = {"arm": "reads", "language": "en", "long_edge": "448", "confidence_threshold": "0.25", "adaptive": "true"}
    image = b64encode(BUILDING).decode()
    answers = [
        await demo.post("/v1/tags?ledger=false", data=form(BUILDING, **choices)),
        await demo.post("/v1/tags?ledger=false", json={"image": image, **choices}),
        await demo.post(
            "/v1/tags?ledger=false",
            json={"images": [image], **choices, "long_edge": 448, "confidence_threshold": 0.25, "adaptive": True},
        ),
    ]
    results = [answer.json for answer in answers]
    for result in results:
        assert result.pop("source") in ("picture-0.jpg", "data URL")
        del result["usage"]  # cached tokens depend on what was asked before
    assert results[0] == results[1] == results[2]
    assert (results[0]["arm"], results[0]["language"]) == ("reads", "en")


async def test_a_result_without_its_ledger(demo: Client) -> None:
    one = await demo.post("/v1/tags?ledger=false", data=form(BUILDING))
    assert "ledger" not in one.json
    assert one.json["usage"]["prompt_tokens"] > 0
    assert "ledger" in (await demo.post("/v1/tags?ledger=true", data=form(BUILDING))).json
    compared = await demo.post("/v1/compare?ledger=false", data=form(BUILDING, arms=["fused"]))
    (arm,) = compared.json["arms"]
    assert "ledger" not in arm["result"]
    assert arm["parts"]
    batch = await demo.post("/v1/tags/batch?ledger=false", data=form(BUILDING, b"no picture"))
    assert [line["result"].keys() & {"ledger"} for line in batch.lines] == [set(), set()]
    failed = await demo.post("/v1/tags?ledger=false", data=form(b"no picture"))
    assert "ledger" not in failed.problem(422, kind="ImageUnreadable")["result"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("cat.jpg", "cat.jpg"),
        ("猫 一.jpg", "猫 一.jpg"),
        ("../../etc/cat.jpg", "cat.jpg"),
        ("C:\\pictures\\cat.jpg", "cat.jpg"),
        ("\x1b]0;title\x07\x1b[31mcat.jpg", "]0;title[31mcat.jpg"),
        ("cat\u202egpj.exe", "catgpj.exe"),
        ("a\tb \u2028 c.jpg", "ab c.jpg"),
        ("x" * 300 + ".jpg", "x" * 199 + "…"),
        ("..", ".."),
        ("", "the given bytes"),
        ("\x00\x01", "the given bytes"),
    ],
)
async def test_a_result_has_the_name_of_the_uploaded_file(demo: Client, given: str, shown: str) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="image"; filename="%b"\r\n\r\n'
    escaped = given.replace("\\", "\\\\").encode()
    body = head % escaped + BUILDING + b"\r\n--b--\r\n"
    answer = await demo.post("/v1/tags", data=body, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert answer.result.source == shown


async def test_the_names_of_several_pictures(demo: Client) -> None:
    image = b64encode(BUILDING).decode()
    named = await demo.post("/v1/tags", data=form(BUILDING, PLANT))
    assert named.result.source == "picture-0.jpg + picture-1.jpg"
    unnamed = await demo.post("/v1/tags", json={"images": [image, image]})
    assert unnamed.result.source == "images.0 + images.1"
    mixed = await demo.post("/v1/tags", data=form(BUILDING, image="eA=="))
    assert mixed.problem(422, kind="ImageUnreadable")["result"]["source"] == "picture-0.jpg + image.1"
    (alone,) = (await demo.post("/v1/compare", json={"images": [image], "arms": ["fused"]})).json["arms"]
    assert alone["result"]["source"] == "data URL"
    batch = await demo.post("/v1/tags/batch", json={"images": [image, image], "ids": ["a/b.jpg", ""]})
    assert {line["id"]: line["result"]["source"] for line in batch.lines} == {"a/b.jpg": "b.jpg", "": "images.1"}


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


async def test_rounds_alternate_and_find_the_picture_in_no_cache(demo: Client) -> None:
    answer = await demo.post("/v1/compare", data=form(PLANT, arms=["fused", "legacy_shared"], rounds="6"))
    arms = {each["arm"]: each for each in answer.json["arms"]}
    assert list(arms) == ["fused", "legacy_shared"]
    for arm in arms.values():
        assert len(arm["wall_ms"]) == 6
        assert sorted(arm["wall_ms"])[2] == arm["result"]["ledger"]["wall_ms"]
    (ratio,) = answer.json["time_ratios"]
    assert (ratio["arm"], ratio["reference"]) == ("legacy_shared", "fused")
    pairs = zip(arms["legacy_shared"]["wall_ms"], arms["fused"]["wall_ms"], strict=True)
    assert (ratio["low"], ratio["high"]) == pytest.approx((min(ratios := [a / b for a, b in pairs]), max(ratios)))
    usage = arms["fused"]["result"]["usage"]
    assert usage["image_tokens"] > 0
    assert usage["cached_tokens"] < usage["prompt_tokens"] - usage["image_tokens"]


async def test_one_round_says_nothing_about_speed(demo: Client) -> None:
    answer = await demo.post("/v1/compare", data=form(PLANT, arms=["fused", "reads"]))
    (ratio,) = answer.json["time_ratios"]
    assert ratio["low"] is ratio["high"] is None
    for rounds in ("0", "21", "two"):
        refused = await demo.post("/v1/compare", data=form(PLANT, arms=["fused"], rounds=rounds))
        refused.problem(422, kind="BadField", field="rounds")


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


async def test_health_and_readiness(demo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onelook.api.ready.PROBE_TIMEOUT_S", None)  # this machine may be busy
    assert (await demo.get("/healthz")).json == {"status": "ok"}
    assert (await demo.get("/readyz")).json == {"status": "ready"}
