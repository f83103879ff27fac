"""The compiled graph as LangGraph and its Studio see it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import ValidationError

from onelook.engines.scripted import ScriptedEngine
from onelook.graph.build import build_graph
from onelook.tagger import Tagger
from tests.graph.replies import BUILDING, PORTRAIT, MakeTagger, sure


def test_the_choices_of_a_run_are_in_the_schema_with_their_defaults(
    make_tagger: MakeTagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONELOOK_RUN__ARM", "legacy")
    schema = make_tagger([]).graph.get_context_jsonschema()
    assert schema is not None
    fields = schema["properties"]
    assert fields["arm"]["enum"] == ["fused", "reads", "hybrid", "legacy", "legacy_shared"]
    assert fields["arm"]["default"] == "legacy"
    assert fields["reply_format"]["enum"] == ["json", "compact"]
    assert fields["long_edge"]["minimum"] == 224
    assert all("description" in field for field in fields.values())


def test_the_input_is_one_picture(make_tagger: MakeTagger) -> None:
    assert list(make_tagger([]).graph.get_input_jsonschema()["properties"]) == ["image"]


@pytest.mark.parametrize(
    "context", [{"arm": "magic"}, {"long_edge": 100}, {"confidence_threshold": 2}, {"colour": "red"}]
)
async def test_a_bad_choice_is_refused(context: Any, make_tagger: MakeTagger, picture: bytes) -> None:
    with pytest.raises(ValidationError, match=next(iter(context))):
        await make_tagger([]).graph.ainvoke({"image": picture}, context=context)


async def test_a_run_without_context_takes_the_settings(
    make_tagger: MakeTagger, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONELOOK_RUN__ARM", "legacy_shared")
    output = await make_tagger([sure('{"primary_category":"建筑"}')]).graph.ainvoke({"image": picture})
    assert output["result"].arm == "legacy_shared"


async def test_no_checkpoint_holds_the_picture_and_a_thread_can_run_again(
    make_tagger: MakeTagger, picture: bytes
) -> None:
    saver = InMemorySaver()
    graph = build_graph(make_tagger([sure(PORTRAIT), sure(BUILDING)]).services, checkpointer=saver)
    config: RunnableConfig = {"configurable": {"thread_id": "one"}}
    first = await graph.ainvoke({"image": picture}, config)
    second = await graph.ainvoke({"image": picture}, config)
    assert (first["result"].category.id, second["result"].category.id) == ("portrait", "building")
    assert second["result"].details == {}
    assert [node.name for node in second["result"].ledger.nodes] == ["prepare", "analyze", "review"]
    failed = await graph.ainvoke({"image": b"broken"}, config)
    assert (failed["result"].status, failed["result"].category) == ("failed", None)
    kept = repr((dict(saver.storage), dict(saver.writes), dict(saver.blobs)))
    assert len(kept) > 1000
    assert repr(picture[:16])[2:-1] not in kept
    assert "base64" not in kept


def test_the_drawing_names_every_way(make_tagger: MakeTagger) -> None:
    drawing = make_tagger([]).mermaid()
    for edge in (
        "prepare -. fused .-> analyze",
        "prepare -. legacy, legacy_shared .-> classify",
        "prepare -. reads .-> read",
        "prepare -. hybrid .-> route",
        "route -. no details .-> review",
        "route -. has details .-> describe",
        "route -. router not sure .-> analyze",
        "read --> review",
        "classify --> parse",
        "describe -. legacy, legacy_shared .-> parse",
        "describe -. hybrid .-> review",
        "parse -. has details .-> describe",
        "parse -. unreadable .-> classify",
        "parse -. complete .-> review",
        "analyze --> review",
        "review -. done .-> __end__",
        "review -. look again .-> enlarge",
        "review -. hard .-> escalate",
        "escalate --> __end__",
    ):
        assert edge in drawing.replace("&nbsp;", "")
    assert "error_handler" not in drawing


def test_one_tagger_serves_several_event_loops(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = Tagger(make_tagger([]).services.settings, ScriptedEngine(lambda _: sure(BUILDING)))
    assert [asyncio.run(tagger.tag(picture)).status for _ in range(2)] == ["ok", "ok"]
