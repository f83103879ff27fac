"""Invalid requests get a problem that names the field, and never reach the engine."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from onelook.api.json_body import MOST_JSON_VALUES
from onelook.api.multipart import LONGEST_FIELD, MAX_FIELDS, FormReader
from onelook.api.problem import Problem
from onelook.engines.scripted import ScriptedEngine
from tests.api.served import Client, form, served

MULTIPART = "multipart/form-data; boundary=b"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def engine() -> ScriptedEngine:
    """It has no replies."""
    return ScriptedEngine([])


@pytest.fixture(scope="module")
def address(engine: ScriptedEngine) -> Iterator[str]:
    with served(scripted=engine, http={"max_body_mb": 1.0, "max_batch": 8}) as address:
        yield address


@pytest.fixture
async def client(address: str, engine: ScriptedEngine) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(session, address)
    assert engine.asked == []


def part(name: str, value: str = "x", *, filename: str | None = None) -> str:
    file = "" if filename is None else f'; filename="{filename}"'
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n{value}\r\n'


CHINESE = """\
name: in Chinese
languages: [zh]
categories:
  building: {label: {zh: 建筑}, when: {zh: 主体是建筑}}
  other: {label: {zh: 其他}, when: {zh: 其余}}
"""
ROUTES = ["/v1/tags", "/v1/tags/batch", "/v1/compare"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "image/jpeg",
        "application/x-www-form-urlencoded",
        "application/json5",
        "multipart/mixed; boundary=b",
    ],
)
async def test_wrong_content_type(client: Client, route: str, content_type: str, picture: bytes) -> None:
    answer = await client.post(route, data=picture, headers={"Content-Type": content_type})
    answer.problem(415, kind="BadContentType", field="Content-Type")


async def test_compressed_bodies_are_refused(client: Client) -> None:
    bomb = gzip.compress(b"[" + b" " * 10_000_000)
    answer = await client.post("/v1/tags", data=bomb, headers={**JSON, "Content-Encoding": "gzip"})
    answer.problem(415, kind="BadContentType", field="Content-Encoding")


@pytest.mark.parametrize("route", ROUTES)
async def test_a_body_with_a_huge_content_length(client: Client, route: str) -> None:
    answer = await client.post(route, data=b"x" * 1_000_001, headers={"Content-Type": MULTIPART})
    answer.problem(413, kind="BodyTooLarge", field="body")


async def test_a_huge_body_without_a_content_length(client: Client) -> None:
    refused_before = await client.metric("onelook_http_requests_total", route="/v1/tags", status="413")

    async def endless() -> AsyncIterator[bytes]:
        yield part("image", "", filename="a.jpg").encode()
        for _ in range(10_000):
            yield b"x" * 65536

    try:
        answer = await client.post("/v1/tags", data=endless(), headers={"Content-Type": MULTIPART})
    except aiohttp.ClientConnectionError:
        pass  # the server has closed the connection while the client was sending
    else:
        answer.problem(413, kind="BodyTooLarge", field="body")
    refused = await client.metric("onelook_http_requests_total", route="/v1/tags", status="413")
    assert refused == refused_before + 1
    assert await client.metric("onelook_http_requests_inside") == 0


async def test_a_slow_body(engine: ScriptedEngine) -> None:
    head = f"POST /v1/tags HTTP/1.1\r\nHost: x\r\nContent-Type: {MULTIPART}\r\nContent-Length: 1000\r\n\r\n"
    with served(scripted=engine, http={"body_timeout_s": 0.1}) as address:
        host, port = address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"{head}--b".encode())
        answer = (await reader.read()).decode()  # until the server closes, which it must
        writer.close()
    assert answer.startswith("HTTP/1.1 408 ")
    assert "connection: close" in answer.lower()
    assert '"field":"body"' in answer


async def test_ten_thousand_parts(client: Client) -> None:
    body = "".join(part(f"field-{number}") for number in range(10_000)) + "--b--\r\n"
    answer = await client.post("/v1/tags", data=body.encode(), headers={"Content-Type": MULTIPART})
    answer.problem(422, kind="BadField", field=f"field-{MAX_FIELDS}")


async def test_ten_thousand_files(client: Client) -> None:
    body = "".join(part("image", filename="a.jpg") for _ in range(10_000)) + "--b--\r\n"
    for route in ROUTES:
        answer = await client.post(route, data=body.encode(), headers={"Content-Type": MULTIPART})
        answer.problem(422, kind="BadField", field="image")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("multipart/form-data", b"--b--", id="no boundary"),
        pytest.param("multipart/form-data; boundary=" + "b" * 5000, b"--b--", id="endless boundary"),
        pytest.param(MULTIPART, b"", id="empty"),
        pytest.param(MULTIPART, b"hello", id="no parts"),
        pytest.param(MULTIPART, part("image", filename="a.jpg").encode(), id="cut off"),
        pytest.param(MULTIPART, b"--b\r\nContent-Type: image/jpeg\r\n\r\nx\r\n--b--\r\n", id="a part without a name"),
        pytest.param(MULTIPART, b"--b\r\n: \r\n\r\nx\r\n--b--\r\n", id="an empty header"),
        pytest.param(MULTIPART, b"--b\r\n" + b"X-A: b\r\n" * 10_000 + b"\r\nx\r\n--b--\r\n", id="10,000 headers"),
        pytest.param(MULTIPART, b"--b\r\nX-" + b"a" * 500_000 + b": b\r\n\r\nx\r\n--b--\r\n", id="a long header"),
    ],
)
async def test_broken_multipart(client: Client, content_type: str, body: bytes) -> None:
    answer = await client.post("/v1/tags", data=body, headers={"Content-Type": content_type})
    answer.problem(400, kind="BrokenMultipart", field="body")


@pytest.mark.parametrize(
    ("name", "value", "filename"),
    [
        pytest.param("image", "x" * (LONGEST_FIELD + 1), None, id="a picture as text"),
        pytest.param("photo", "x", "a.jpg", id="a file in another field"),
        pytest.param("arm", "x" * 100_000, None, id="a long choice"),
    ],
)
async def test_invalid_parts(client: Client, name: str, value: str, filename: str | None) -> None:
    body = part(name, value, filename=filename) + "--b--\r\n"
    answer = await client.post("/v1/tags", data=body.encode(), headers={"Content-Type": MULTIPART})
    answer.problem(422, kind="BadField", field=name)


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param("[" * 400_000, id="deep"),
        pytest.param('{"images":' * 100_000, id="deep objects"),
        pytest.param('{"images": [' + ",".join(["1"] * (MOST_JSON_VALUES + 1)) + "]}", id="many"),
        pytest.param('{"images": ["x"], "arm": {' + ",".join(f'"{i}":0' for i in range(90_000)) + "}}", id="wide"),
        pytest.param('{"images": [' + "9" * 900_000 + "]}", id="a long number"),
        pytest.param('{"images": ["\\ud800"]}', id="half a surrogate pair"),
        pytest.param("", id="empty"),
        pytest.param("nonsense", id="no JSON"),
        pytest.param("[]", id="a list"),
    ],
)
async def test_json_bombs(client: Client, bomb: str) -> None:
    answer = await client.post("/v1/tags", data=bomb.encode(), headers=JSON)
    problem_body = answer.problem(422, kind="BadField")
    assert problem_body["errors"]
    assert len(answer.body) < 100_000


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "images"),
        ({"images": []}, "images"),
        ({"images": ["eA=="] * 6}, "images"),
        ({"images": "eA=="}, "images"),
        ({"images": None}, "images"),
        ({"image": 7}, "image.0"),
        ({"image": ""}, "image.0"),
        ({"image": []}, "image"),
        ({"image": ["eA=="] * 6}, "image"),
        ({"image": "eA==", "images": ["eA=="]}, "image"),
        ({"images": [7]}, "images.0"),
        ({"images": [""]}, "images.0"),
        ({"images": ["eA=="], "contxt": {}}, "contxt"),
        ({"images": ["eA=="], "arm": "fastest"}, "arm"),
        ({"images": ["eA=="], "colour": "red"}, "colour"),
        ({"images": ["eA=="], "long_edge": 100_000}, "long_edge"),
        ({"images": ["eA=="], "arm": None}, "arm"),
        ({"images": ["eA=="], "context": {"arm": "reads"}}, "context"),
        ({"images": ["eA=="], "context": None}, "context"),
        ({"items": [{"image": "eA=="}]}, "items"),
        ({"images": ["eA=="], "arms": ["fused"]}, "arms"),
    ],
)
async def test_wrong_fields_in_json(client: Client, body: object, field: str) -> None:
    (await client.post("/v1/tags", json=body)).problem(422, kind="BadField", field=field)


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        ({"arm": "fastest"}, "arm"),
        ({"colour": "red"}, "colour"),
        ({"confidence_threshold": "very"}, "confidence_threshold"),
        ({"language": ["zh", "en"]}, "language"),
        ({"arms": "fused"}, "arms"),
    ],
)
async def test_unknown_options_in_a_form(
    client: Client, picture: bytes, choices: dict[str, str | list[str]], field: str
) -> None:
    (await client.post("/v1/tags", data=form(picture, **choices))).problem(422, kind="BadField", field=field)


async def test_a_text_in_a_form_is_read_as_in_json(client: Client) -> None:
    body = part("image", "x") + "--b--\r\n"
    in_form = await client.post("/v1/tags", data=body.encode(), headers={"Content-Type": MULTIPART})
    in_json = await client.post("/v1/tags", json={"image": "x"})
    for answer in (in_form, in_json):
        assert "base64" in answer.problem(422, kind="ImageUnreadable", field="image")["detail"]


async def test_unknown_arms(client: Client, picture: bytes) -> None:
    answer = await client.post("/v1/compare", data=form(picture, arms=["fused", "fastest"]))
    answer.problem(422, kind="BadField", field="arms.1")


async def test_too_many_in_a_batch(client: Client) -> None:
    answer = await client.post("/v1/tags/batch", json={"images": ["eA=="] * 9})
    answer.problem(422, kind="BadField", field="images")


async def test_ids_that_do_not_fit_their_pictures(client: Client) -> None:
    for ids, field in ((["a"], "ids"), (["a", "b" * 257], "ids.1"), ("a", "ids")):
        answer = await client.post("/v1/tags/batch", json={"images": ["eA==", "eA=="], "ids": ids})
        answer.problem(422, kind="BadField", field=field)
    data = form(b"x")
    data.add_field("image", b"y", filename="y" * 257)
    (await client.post("/v1/tags/batch", data=data)).problem(422, kind="BadField", field="image.1")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"images": ["eA=="], "images": ["eQ=="]}', 'duplicate key "images"'),
        ('{"images": ["eA=="], "arm": "fused", "arm": "reads"}', 'duplicate key "arm"'),
        ('{"images": ["eA=="], "confidence_threshold": NaN}', "line 1 column"),
        ('{"images": ["eA=="], "\\ud800": 1}', "line 1 column"),
    ],
)
async def test_json_that_readers_understand_differently(client: Client, body: str, message: str) -> None:
    answer = await client.post("/v1/tags", data=body.encode(), headers=JSON)
    assert message in answer.problem(422, kind="BadField", field="body")["detail"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"arm": "fastest"}, ["arm"]),
        ({"colour": "red"}, ["colour"]),
        ({"long_edge": "wide", "confidence_threshold": "2"}, ["long_edge", "confidence_threshold"]),
        ({"escalate": "perhaps"}, ["escalate"]),
        ({"language": ""}, ["language"]),
        ({"arms": ["fused", "fastest"]}, ["arms.1"]),
        ({"context": '{"arm": "reads"}'}, ["context"]),
        ({"items": "[]"}, ["items"]),
        ({"images": "https://example.org/a.jpg"}, ["images.0"]),
        ({"images": ""}, ["images.0"]),
        ({"images": ["eA=="] * 6}, ["images"]),
    ],
)
async def test_a_form_and_json_are_refused_alike(
    client: Client, fields: dict[str, str | list[str]], named: list[str]
) -> None:
    in_json = {**fields, "images": fields.get("images", ["eA=="])}
    if isinstance(in_json["images"], str):
        in_json["images"] = [in_json["images"]]
    data = form(**{"images": "eA==", **fields})
    from_form = (await client.post("/v1/compare", data=data)).problem(422, kind="BadField")
    from_json = (await client.post("/v1/compare", json=in_json)).problem(422, kind="BadField")
    assert [error["field"] for error in from_form["errors"]] == named
    for problem_body in (from_form, from_json):
        del problem_body["request_id"]
    assert from_form == from_json


@pytest.mark.parametrize("query", ["ledger=maybe", "ledger=", "ledger=true&ledger=false", "ledgr=false", "arm=reads"])
async def test_query_parameters_that_would_be_ignored(client: Client, picture: bytes, query: str) -> None:
    for route in ROUTES:
        answer = await client.post(f"{route}?{query}", data=form(picture))
        answer.problem(422, kind="BadField", field=query.split("=")[0])


async def test_a_language_that_the_taxonomy_lacks(engine: ScriptedEngine, picture: bytes, tmp_path: Path) -> None:
    taxonomy = tmp_path / "chinese.yaml"
    taxonomy.write_text(CHINESE, encoding="utf-8")
    images = [b64encode(picture).decode()]
    with served(scripted=engine, taxonomy=taxonomy) as address:
        async with aiohttp.ClientSession() as session:
            client = Client(session, address)
            in_form = await client.post("/v1/tags", data=form(picture, language="en"))
            in_json = await client.post("/v1/tags", json={"images": images, "language": "en"})
    in_form.problem(422, kind="BadField", field="language")
    in_json.problem(422, kind="BadField", field="language")
    assert engine.asked == []


def png(width: int, height: int) -> bytes:
    held = io.BytesIO()
    Image.new("1", (width, height)).save(held, "PNG")
    return held.getvalue()


@pytest.mark.parametrize(
    ("data", "status", "kind"),
    [
        pytest.param(b"just a text file", 422, "ImageUnreadable", id="a text file named .jpg"),
        pytest.param(b"", 422, "ImageUnreadable", id="zero bytes"),
        pytest.param(b"\xff\xd8\xff" + b"\0" * 100, 422, "ImageUnreadable", id="a broken JPEG"),
        pytest.param(b"%PDF-1.7", 422, "ImageUnreadable", id="a PDF"),
        pytest.param(png(20_000, 20_000), 413, "ImageTooLarge", id="a decompression bomb"),
    ],
)
async def test_files_that_are_not_pictures(client: Client, data: bytes, status: int, kind: str) -> None:
    problem_body = (await client.post("/v1/tags", data=form(data))).problem(status, kind=kind, field="image")
    assert problem_body["result"]["status"] == "failed"
    assert problem_body["hint"]
    compared = (await client.post("/v1/compare", data=form(data))).problem(status, kind=kind, field="image")
    assert compared["result"]["errors"][0]["kind"] == kind


async def test_the_field_of_the_picture_that_is_broken(client: Client, picture: bytes) -> None:
    """The files have one name, as from a camera's folders, so the name does not tell them apart."""
    for route in ("/v1/tags", "/v1/compare"):
        several = aiohttp.FormData()
        for data in (picture, b"just a text file", picture):
            several.add_field("images", data, filename="IMG_0001.jpg")
        problem_body = (await client.post(route, data=several)).problem(422, kind="ImageUnreadable")
        assert [error["field"] for error in problem_body["errors"]] == ["images.1"]
        assert problem_body["result"]["errors"][0]["picture"] == 1


@pytest.mark.parametrize(
    "reference", ["/etc/passwd", "file:///etc/passwd", "ftp://host/a.jpg", "tools/demo_model/heldout/labels.jsonl"]
)
async def test_a_reference_never_names_a_file_of_the_server(client: Client, reference: str) -> None:
    answer = await client.post("/v1/tags", json={"images": [reference]})
    problem_body = answer.problem(422, kind="ImageUnreadable", field="images")
    assert "base64" in problem_body["detail"] or "data URL" in problem_body["detail"]


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "true", "nan", "inf", "1_0", ""])
async def test_an_invalid_timeout(client: Client, picture: bytes, seconds: str) -> None:
    answer = await client.post("/v1/tags", data=form(picture), headers={"X-Timeout-Seconds": seconds})
    answer.problem(422, kind="BadField", field="X-Timeout-Seconds")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/tags", 405), ("POST", "/v1/taxonomy", 405), ("GET", "/v2/tags", 404)]
)
async def test_unknown_routes(client: Client, method: str, path: str, status: int) -> None:
    answer = await client._ask(method, path)
    answer.problem(status, kind="NotHere")
    assert status != 405 or answer.headers["Allow"]


@settings(
    max_examples=150,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=st.binary(max_size=300) | st.text(max_size=100).map(lambda text: part(text, text, filename=text).encode()))
def test_the_form_parser_raises_only_problems(body: bytes) -> None:
    """Every body is a form or a problem; no other exception is raised."""
    reader = FormReader(MULTIPART, max_files=3)
    try:
        for start in range(0, len(body), 7):
            reader.write(body[start : start + 7])
        reader.finish()
    except Problem as problem:
        refusal = problem
    else:
        return
    assert 400 <= refusal.status < 500
    json.dumps(refusal.body())
