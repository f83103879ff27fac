"""Two models share a (simulated) device that holds one: no question is lost or starves, and nothing thrashes."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onelook.engines.base import AskRequest
from onelook.engines.resident import ResidentEngine, share_memory
from onelook.engines.scripted import ScriptedEngine
from onelook.errors import DeadlinePassed, EngineError, EngineFailed, EngineIncapable, EngineTimeout
from tests.patience import HANG_S
from tests.residency.simulated import Device, SimulatedEngine

QUESTION = AskRequest([], None, max_tokens=1)


def pair(first: SimulatedEngine, second: SimulatedEngine, *, defer: bool = False) -> list[ResidentEngine]:
    return list(share_memory(first, second, defer=defer))


def two(device: Device) -> list[ResidentEngine]:
    return pair(SimulatedEngine("A", device), SimulatedEngine("B", device))


async def test_the_first_engine_is_there_after_the_start_and_the_other_never_was() -> None:
    device = Device()
    for engine in two(device):
        await engine.start()
    assert device.events == ["+A"]


async def test_a_model_that_is_in_memory_at_the_start_leaves_before_the_first_comes() -> None:
    device = Device()
    device.load("B")
    for engine in two(device):
        await engine.start()
    assert (device.events, device.most_loaded) == (["+B", "-B", "+A"], 1)


@given(
    demand=st.lists(st.tuples(st.sampled_from([0, 1]), st.integers(0, 12), st.booleans()), max_size=40),
    chance=st.randoms(use_true_random=False),
)
@settings(max_examples=60)
def test_every_question_is_answered_by_its_model_alone_in_memory(
    demand: list[tuple[int, int, bool]], chance: random.Random
) -> None:
    """Some arrive late, some are given up on the way."""
    device = Device()

    async def all_of_them() -> None:
        engines = two(device)

        async def one(which: int, delay: int) -> str:
            for _ in range(delay):
                await asyncio.sleep(0)
            return (await engines[which].ask(QUESTION)).text

        tasks = [asyncio.create_task(one(which, delay)) for which, delay, _ in demand]
        given_up = [task for task, (_, _, gives_up) in zip(tasks, demand, strict=True) if gives_up]
        for task in given_up:
            for _ in range(chance.randrange(6)):
                await asyncio.sleep(0)
            task.cancel()
        texts = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), HANG_S)
        for (which, _, gives_up), text in zip(demand, texts, strict=True):
            assert text == "AB"[which] or (gives_up and isinstance(text, asyncio.CancelledError))
        assert [(await engine.ask(QUESTION)).text for engine in engines] == ["A", "B"]

    asyncio.run(all_of_them())
    assert device.most_loaded == 1


async def test_all_that_wait_for_a_model_go_in_one_turn() -> None:
    device = Device()
    a, b = two(device)
    await asyncio.gather(*(engine.ask(QUESTION) for _ in range(20) for engine in (a, b)))
    assert device.arrivals == ["A", "B"]


async def test_a_stream_of_questions_for_one_model_does_not_starve_the_other() -> None:
    device = Device()
    a, b = two(device)
    stop = asyncio.Event()

    async def stream() -> None:
        while not stop.is_set():
            await a.ask(QUESTION)

    streams = [asyncio.create_task(stream()) for _ in range(5)]
    while not device.loaded:  # noqa: ASYNC110 it is a simulation, and tells nobody
        await asyncio.sleep(0)
    await asyncio.wait_for(b.ask(QUESTION), HANG_S)
    stop.set()
    await asyncio.gather(*streams)
    assert device.arrivals[:2] == ["A", "B"]


async def test_while_others_wait_the_model_in_memory_goes_on_for_as_long_as_a_switch_takes() -> None:
    """Under steady demand for both, so many answers as fit into the time of a switch lie between two switches."""
    device, seconds = Device(), [0.0]

    class Slow(SimulatedEngine):
        async def wake_up(self) -> None:
            seconds[0] += 10
            await super().wake_up()

    first, second = Slow("A", device, pauses=1), Slow("B", device, pauses=1)
    engines = pair(first, second)
    engines[0].residency._clock = lambda: seconds[0]

    async def stream(engine: ResidentEngine) -> None:
        for _ in range(40):
            await engine.ask(QUESTION)
            seconds[0] += 1

    await asyncio.gather(*(stream(engine) for engine in engines for _ in range(2)))
    assert first.answered == second.answered == 80
    assert len(device.arrivals) <= 20  # 160 answers of a second each; one by one there would be 80 switches


async def test_the_reply_has_what_its_question_waited_for() -> None:
    device = Device()
    a, b = two(device)
    await a.start()
    first, again, other = await asyncio.gather(a.ask(QUESTION), a.ask(QUESTION), b.ask(QUESTION))
    assert first.timing == again.timing
    assert first.timing.turn_ms is None
    assert other.timing.turn_ms is not None
    assert other.timing.switch_ms is not None
    assert other.timing.switch_ms > 0
    assert (a.residency.switches, a.residency.failed_switches) == (2, 0)
    assert a.residency.switching_s > 0


@pytest.mark.parametrize("order", ["sleep", "wake_up"])
async def test_a_switch_that_fails_is_raised_by_all_that_wait_for_it_and_by_no_other(order: str) -> None:
    device, broken = Device(), [True]

    def trouble(asked: str) -> EngineError | None:
        return EngineFailed("no more memory", hint="buy some") if broken[0] and asked == order else None

    a = SimulatedEngine("A", device, trouble=trouble if order == "sleep" else None)
    b = SimulatedEngine("B", device, trouble=trouble if order == "wake_up" else None)
    first, second = pair(a, b)
    await first.ask(QUESTION)
    outcomes = await asyncio.gather(
        *(second.ask(QUESTION) for _ in range(3)), first.ask(QUESTION), return_exceptions=True
    )
    for error in outcomes[:3]:
        assert isinstance(error, EngineFailed)
        assert (error.message, error.hint) == ("the switch of models failed: no more memory", "buy some")
    assert not isinstance(outcomes[3], BaseException)
    assert first.residency.failed_switches == 1
    broken[0] = False
    assert (await second.ask(QUESTION)).text == "B"
    assert device.most_loaded == 1


async def test_a_bug_in_a_switch_stays_a_bug() -> None:
    device = Device()

    class Broken(SimulatedEngine):
        async def wake_up(self) -> None:
            raise ZeroDivisionError

    first, second = pair(SimulatedEngine("A", device), Broken("B", device))
    with pytest.raises(ZeroDivisionError):
        await second.ask(QUESTION)
    assert (await first.ask(QUESTION)).text == "A"


async def test_nobody_waits_for_a_turn_beyond_the_deadline() -> None:
    device = Device()
    a, b = pair(SimulatedEngine("A", device, pauses=10_000_000), SimulatedEngine("B", device))
    long = asyncio.create_task(a.ask(QUESTION))
    while not device.loaded:  # noqa: ASYNC110 it is a simulation, and tells nobody
        await asyncio.sleep(0)
    with pytest.raises(DeadlinePassed, match="B was not in memory"):
        await b.ask(AskRequest([], None, max_tokens=1, within_s=0.02))
    long.cancel()
    with pytest.raises(asyncio.CancelledError):
        await long
    assert (await b.ask(QUESTION)).text == "B"


async def test_an_engine_that_times_out_itself_is_not_called_late() -> None:
    device = Device()

    class Late(SimulatedEngine):
        async def wake_up(self) -> None:
            raise EngineTimeout("no answer within 60 s")

    _, second = pair(SimulatedEngine("A", device), Late("B", device))
    with pytest.raises(EngineTimeout, match="switch of models failed: no answer within 60 s"):
        await second.ask(AskRequest([], None, max_tokens=1, within_s=30))


async def test_a_switch_under_way_ends_before_the_engines_close() -> None:
    device = Device()
    a, b = two(device)
    await a.ask(QUESTION)
    given_up = asyncio.create_task(b.ask(QUESTION))
    while device.loaded:  # noqa: ASYNC110 it is a simulation, and tells nobody
        await asyncio.sleep(0)
    given_up.cancel()
    for engine in (a, b):
        await engine.aclose()
    assert device.loaded == {"B"}
    assert isinstance(a.engine, SimulatedEngine)
    assert a.engine.closed


def test_an_engine_that_cannot_leave_memory_is_refused() -> None:
    with pytest.raises(EngineIncapable, match="no way to leave memory") as refused:
        share_memory(SimulatedEngine("A", Device()), ScriptedEngine([]), defer=False)
    assert "residency" in (refused.value.hint or "")
