"""LangGraph Studio's own server, for real: what it knows of the graph, and runs of every arm through it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import NotFoundError

from onelook.demo.checkpoint import DRAWINGS
from onelook.graph.arms import ArmName
from onelook.types import Context
from tests.patience import HANG_S
from tests.studio.make_studio import make_studio

SAMPLE = str(DRAWINGS / "heldout-0001.jpg")
RANDOM_WEIGHTS_SAY: tuple[list[str], ...] = ([], ["ReplyInvalid"], ["ReplyTruncated"])  # free text of random weights


@pytest.fixture(scope="module")
def studio_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studio")


@pytest.fixture
def studio_log(studio_folder: Path) -> Path:
    """What the server has written so far."""
    return studio_folder / "log"


@pytest.fixture(scope="module")
def studio_url(tiny_checkpoint: Path, tiny_siglip: Path, studio_folder: Path) -> Iterator[str]:
    models = {
        "ONELOOK_MODEL": str(tiny_checkpoint),
        "ONELOOK_ROUTER__MODEL": str(tiny_siglip),
        "ONELOOK_ROUTER__THRESHOLD": "0",  # random weights are never sure
    }
    with make_studio(studio_folder, **models) as url:
        yield url


@pytest.fixture
async def studio(studio_url: str) -> AsyncIterator[LangGraphClient]:
    async with get_client(url=studio_url) as client:
        yield client


@pytest.fixture
async def door(studio_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The HTTP door, at the same address."""
    async with httpx.AsyncClient(base_url=studio_url, timeout=HANG_S) as client:
        yield client


@pytest.fixture
async def schemas(studio: LangGraphClient) -> Any:
    (assistant,) = await studio.assistants.search()
    return await studio.assistants.get_schemas(assistant["assistant_id"])


async def test_every_choice_of_a_run_is_a_field_of_the_form(schemas: Any) -> None:
    fields = schemas["context_schema"]["properties"]
    assert list(fields) == list(Context.model_fields)
    defaults = Context().model_dump()
    for name, field in fields.items():
        assert field["description"] == Context.model_fields[name].description
        assert field["default"] == defaults[name]
        assert "enum" in field or field["type"] in ("integer", "number", "boolean")
    assert fields["arm"]["enum"] == list(get_args(ArmName))


async def test_the_form_comes_with_a_drawing_that_works_at_once(schemas: Any, studio: LangGraphClient) -> None:
    (name, field), *others = schemas["input_schema"]["properties"].items()
    assert (name, others) == ("image", [])
    assert Path(field["default"]).parent == DRAWINGS
    assert field["examples"] == [field["default"]]
    assert field["type"] == "string"
    shown = await studio.runs.wait(None, "onelook", input={"image": field["default"]})
    for empty in ({}, {"image": ""}):
        unnamed: Any = await studio.runs.wait(None, "onelook", input=empty)
        assert answer(unnamed) == answer(shown)


def answer(output: Any) -> Any:
    result = output["result"]
    details = {attribute: [tag["id"] for tag in tags] for attribute, tags in result["details"].items()}
    return result["status"], result["category"]["id"], details, result["pictures"]


async def test_it_draws_the_graph_and_names_its_ways(studio: LangGraphClient) -> None:
    drawing: Any = await studio.assistants.get_graph("onelook")
    ways = {(edge["source"], edge["target"]): edge.get("data") for edge in drawing["edges"] if edge.get("conditional")}
    assert ways["prepare", "analyze"] == "fused"
    assert ways["prepare", "route"] == "hybrid"
    assert ways["review", "escalate"] == "hard"
    assert ("analyze", "review") not in ways
    assert None not in ways.values()


@pytest.mark.parametrize("arm", get_args(ArmName))
async def test_every_arm_runs_to_its_end(arm: ArmName, studio: LangGraphClient) -> None:
    thread = await studio.threads.create()
    output: Any = await studio.runs.wait(
        thread["thread_id"], "onelook", input={"image": str(DRAWINGS / "heldout-0001.jpg")}, context={"arm": arm}
    )
    result = output["result"]
    assert result["arm"] == arm
    assert result["status"] in ("needs_review", "failed")
    assert [error["kind"] for error in result["errors"]] in RANDOM_WEIGHTS_SAY
    state: Any = await studio.threads.get_state(thread["thread_id"])
    assert state["next"] == []
    assert [task for task in state["tasks"] if task["interrupts"]] == []
    assert state["values"]["node_spans"][0]["name"] == "prepare"
    ledger = state["values"]["result"]["ledger"]
    assert [node["name"] for node in ledger["nodes"]] == [span["name"] for span in state["values"]["node_spans"]]
    assert ledger["busy_ms"] > 0
    assert not {"image", "pictures", "originals"} & state["values"].keys()


@pytest.mark.parametrize("arm", get_args(ArmName))
async def test_every_arm_streams_node_by_node(arm: ArmName, studio: LangGraphClient) -> None:
    thread = await studio.threads.create()
    seen: list[str] = []
    async for part in studio.runs.stream(
        thread["thread_id"],
        "onelook",
        input={"image": str(DRAWINGS / "heldout-0001.jpg")},
        context={"arm": arm},
        stream_mode=["updates", "messages"],
    ):
        assert part.event.split("/")[0] in ("metadata", "updates", "messages")
        if part.event == "updates":
            assert "__interrupt__" not in part.data
            seen += part.data
    assert seen[0] == "prepare"
    assert seen[-1] in ("review", "__default_error_handler__")
    state: Any = await studio.threads.get_state(thread["thread_id"])
    spans = iter([span["name"] for span in state["values"]["node_spans"]])
    nodes = [name for name in seen if "__" not in name]
    assert all(name in spans for name in nodes), "out of order"
    assert len(nodes) >= (3 if seen[-1] == "review" else 2)


async def test_updates_carry_what_each_node_found(studio: LangGraphClient) -> None:
    updates: dict[str, Any] = {}
    async for part in studio.runs.stream(
        None,
        "onelook",
        input={"image": str(DRAWINGS / "heldout-0001.jpg")},
        context={"arm": "reads"},
        stream_mode="updates",
    ):
        if part.event == "updates":
            updates |= part.data
    assert list(updates) == ["prepare", "read", "review"]
    assert updates["prepare"]["way"] == "reads"
    assert "the arm reads" in updates["prepare"]["why"]
    result = updates["review"]["result"]
    assert updates["read"]["category"] == result["category"]
    assert updates["read"]["details"] == result["details"]
    assert not {"image", "pictures", "originals"} & {name for update in updates.values() for name in update}


async def test_a_thread_runs_again_without_a_warning_of_what_it_restores(
    studio: LangGraphClient, studio_log: Path
) -> None:
    """With every kind of state: a second pass, an error, a plain answer."""
    thread = await studio.threads.create()
    results = []
    twice: Any = {"arm": "reads", "adaptive": True, "confidence_threshold": 1.0, "long_edge": 1024}
    for image, context in ((SAMPLE, twice), ("nothing.jpg", {}), (SAMPLE, {"arm": "reads"}), (SAMPLE, twice)):
        output: Any = await studio.runs.wait(thread["thread_id"], "onelook", input={"image": image}, context=context)
        results.append(output["result"])
    first, failed, plain, again = results
    assert first["first_look"]["category"]["id"]
    assert failed["errors"][0]["kind"] == "ImageNotFound"
    assert plain["first_look"] is None
    assert answer({"result": first}) == answer({"result": again})
    state: Any = await studio.threads.get_state(thread["thread_id"])
    assert state["values"]["category"] == again["category"]
    log = await asyncio.to_thread(studio_log.read_text)
    for word in ("Deserializing unregistered type", "Blocked deserialization", "will be blocked"):
        assert word not in log


async def test_a_bad_choice_is_refused(studio: LangGraphClient) -> None:
    thread = await studio.threads.create()
    refused: Any = await studio.runs.wait(
        thread["thread_id"], "onelook", input={"image": "a.jpg"}, context={"arm": "magic"}, raise_error=False
    )
    assert "arm" in str(refused)


async def test_the_http_door_is_open_beside_it(door: httpx.AsyncClient) -> None:
    page = await door.get("/")
    assert "text/html" in page.headers["content-type"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    style = await door.get("/static/base.css")
    assert "text/css" in style.headers["content-type"]
    graph = await door.get("/v1/graph")
    assert "prepare" in graph.text
    ready = await door.get("/readyz")
    assert ready.json() == {"status": "ready"}
    tagged = await door.post("/v1/tags", files={"image": (DRAWINGS / "heldout-0003.jpg").read_bytes()})
    assert tagged.json()["category"]["confidence"] > 0
    wrong = await door.post("/v1/tags", content=b"{", headers={"content-type": "application/json"})
    assert wrong.headers["content-type"] == "application/problem+json"


async def test_both_ask_one_engine(studio: LangGraphClient, door: httpx.AsyncClient) -> None:
    """What one of them has asked about a picture is in the engine's prefix cache when the other one asks the same."""
    picture = DRAWINGS / "heldout-0005.jpg"
    context = {"arm": "fused", "language": "en"}
    await studio.runs.wait(None, "onelook", input={"image": str(picture)}, context=context)
    files = {"image": picture.read_bytes()}
    tagged = await door.post("/v1/tags", files=files, data=context)
    usage = tagged.json()["usage"]
    assert usage["cached_tokens"] > usage["image_tokens"] > 0


async def test_the_doors_manners_stay_its_own(studio: LangGraphClient, door: httpx.AsyncClient) -> None:
    assert "content-security-policy" not in (await door.get("/info")).headers
    assert "langgraph_py_version" in (await door.get("/info")).json()
    assert "/threads" in (await door.get("/openapi.json")).json()["paths"]
    with pytest.raises(NotFoundError, match="Thread"):
        await studio.threads.get("00000000-0000-0000-0000-000000000000")
