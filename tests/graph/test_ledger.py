"""Where the time went, on a clock that only these tests move: the parts add up to what a look from outside gives."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest

from onelook.engines.base import AskRequest
from onelook.engines.scripted import Scripted, ScriptedReply
from onelook.graph.arms import ArmName
from onelook.ledger.model import Ledger, NodeTiming
from onelook.result import TagResult
from onelook.tagger import Tagger
from onelook.types import Context
from tests.graph.replies import CATEGORY, DETAILS, PORTRAIT, MakeTagger, question

ARMS: tuple[ArmName, ...] = get_args(ArmName)
TICK_NS, ANSWER_NS = 1_000, 10_000_000


class Clock:
    """Takes the place of `time.perf_counter_ns`: each look at it takes 1 µs, each answer of the engine 10 ms."""

    def __init__(self) -> None:
        self.now_ns = 0

    def look(self) -> int:
        self.now_ns += TICK_NS
        return self.now_ns

    def script(self, request: AskRequest) -> Scripted:
        """Answers any arm's question."""
        self.now_ns += ANSWER_NS
        return script(request)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.perf_counter_ns", clock.look)
    return clock


def script(request: AskRequest) -> Scripted:
    """Answers any arm's question."""
    words = question(request)
    if "？A" in words:
        return ScriptedReply("A")
    if "details" in words:
        return ScriptedReply(PORTRAIT)
    return ScriptedReply(CATEGORY if "primary_category" in words else DETAILS)


async def timed(tagger: Tagger, picture: bytes, arm: ArmName, clock: Clock) -> tuple[TagResult, float]:
    """The result, and the milliseconds from outside."""
    start_ns = clock.look()
    result = await tagger.tag(picture, Context(arm=arm))
    return result, (clock.look() - start_ns) / 1e6


def assert_adds_up(runs: list[tuple[TagResult, float]]) -> None:
    """Every run's parts are its wall time; and that is the one from outside, but for the two looks at the clock.

    In the run that shows it best: beside others, one of their threads may look at the clock in between.
    """
    for result, _ in runs:
        assert_parts_are_the_whole(result)
    walls = [(result.ledger.wall_ms or 0.0, outside_ms) for result, outside_ms in runs]
    assert all(wall_ms <= outside_ms for wall_ms, outside_ms in walls)
    assert min(outside_ms - wall_ms for wall_ms, outside_ms in walls) == pytest.approx(2 * TICK_NS / 1e6)


def assert_parts_are_the_whole(result: TagResult) -> None:
    ledger = result.ledger
    assert not result.errors
    parts = ledger.parts()
    assert sum(parts.values()) == pytest.approx(ledger.wall_ms)
    assert all(value >= -0.01 for value in parts.values()), parts
    assert any(name.endswith(".engine") and value >= 10 for name, value in parts.items())
    for node in ledger.nodes:
        assert 0 <= node.start_ms <= node.end_ms <= (ledger.wall_ms or 0) + 0.01
        assert all(node.start_ms <= span.start_ms <= span.end_ms <= node.end_ms for span in node.spans)


@pytest.mark.parametrize("arm", ARMS)
async def test_the_parts_add_up_one_at_a_time(
    arm: ArmName, make_tagger: MakeTagger, picture: bytes, clock: Clock
) -> None:
    tagger = make_tagger(clock.script)
    assert_adds_up([await timed(tagger, picture, arm, clock) for _ in range(5)])


@pytest.mark.parametrize("arm", ARMS)
async def test_the_parts_add_up_with_sixteen_at_once(
    arm: ArmName, make_tagger: MakeTagger, picture: bytes, clock: Clock
) -> None:
    tagger = make_tagger(clock.script)
    assert_adds_up(await asyncio.gather(*(timed(tagger, picture, arm, clock) for _ in range(16))))


def test_nodes_that_overlap_are_counted_once() -> None:
    nodes = (
        NodeTiming(name="a", start_ms=1, end_ms=5),
        NodeTiming(name="b", start_ms=3, end_ms=4),
        NodeTiming(name="c", start_ms=4, end_ms=8),
        NodeTiming(name="d", start_ms=10, end_ms=11),
    )
    ledger = Ledger(nodes=nodes, wall_ms=12)
    assert (ledger.busy_ms, ledger.scheduling_overhead_ms) == (8, 4)


async def test_a_failed_run_accounts_for_its_time_as_well(make_tagger: MakeTagger) -> None:
    result = await make_tagger([]).tag("no/such/picture.jpg")
    ledger = result.ledger
    assert [node.name for node in ledger.nodes] == ["prepare"]
    assert sum(ledger.parts().values()) == pytest.approx(ledger.wall_ms, abs=0.001)


async def test_inside_the_graph_the_wall_time_is_unknown_not_guessed(make_tagger: MakeTagger, picture: bytes) -> None:
    output = await make_tagger(script).graph.ainvoke({"image": picture}, context=Context())
    ledger = output["result"].ledger
    assert (ledger.wall_ms, ledger.scheduling_overhead_ms) == (None, None)
    assert ledger.nodes[0].start_ms == 0
