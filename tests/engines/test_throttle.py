"""Who may send a request and who waits: on the clock of the event loop, which these tests put forward."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.messages import HumanMessage

from onelook.deadline import deadline_in
from onelook.engines.base import AskRequest
from onelook.engines.throttle import JITTER, MAX_RETRY_AFTER_S, Rejected, Throttle
from onelook.errors import EngineError, EngineFailed, EngineOverloaded, EngineRefused, EngineTimeout, EngineUnavailable
from tests.engines.openai_simulation import SimulatedServer, always, completion, engine_at
from tests.loop_clock import skip
from tests.pauses import pauses_skipped

ADDRESS = "http://127.0.0.1:8000/v1"
BUSY = EngineOverloaded("HTTP 429", hint="send fewer")
GONE = EngineUnavailable("nothing answers")


def busy(retry_after_s: float | None = None) -> Rejected:
    return Rejected(BUSY, "HTTP 429", retry_after_s=retry_after_s)


def gone() -> Rejected:
    return Rejected(GONE, "no connection", down=True)


async def turns(count: int = 50) -> None:
    """Let the others on this event loop go on."""
    for _ in range(count):
        await asyncio.sleep(0)


class Server:
    """Answers with what its script says: an answer, an error that it raises, or an event that it waits for."""

    def __init__(self, *script: str | Exception | asyncio.Event) -> None:
        self.script = list(script)
        self.sent_s: list[float] = []
        self.at_work = self.most_at_work = 0

    async def __call__(self) -> str:
        self.sent_s.append(asyncio.get_running_loop().time())
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            step = self.script.pop(0) if self.script else "answer"
            await turns(10)
            if isinstance(step, asyncio.Event):
                await step.wait()
            if isinstance(step, Exception):
                raise step
            return "answer"
        finally:
            self.at_work -= 1


def throttle(
    jitter: float = 0.0, *, max_retry_after_s: float = MAX_RETRY_AFTER_S, max_outage_s: float | None = None
) -> Throttle:
    return Throttle(ADDRESS, max_retry_after_s=max_retry_after_s, max_outage_s=max_outage_s, rng=lambda: jitter)


async def proven(*, max_outage_s: float | None = None) -> Throttle:
    """One whose server has answered before."""
    found = throttle(max_outage_s=max_outage_s)
    await found.send(Server())
    return found


async def test_a_well_server_is_asked_at_once() -> None:
    server, held = Server(), throttle()
    answers = await asyncio.gather(*(held.send(server) for _ in range(64)))
    assert [answer for answer, _ in answers] == ["answer"] * 64
    assert server.most_at_work == 64
    assert (held.waiting(), held.outstanding) == (None, 0)


async def test_what_the_server_asks_for_holds_for_all() -> None:
    server, held = Server(busy(4.0)), throttle()
    first = asyncio.create_task(held.send(server))
    await turns()
    others = [asyncio.create_task(held.send(server)) for _ in range(3)]
    await turns()
    assert len(server.sent_s) == 1
    waiting = held.waiting()
    assert waiting is not None
    assert str(waiting) == "HTTP 429, 4 s"
    skip(3.9)
    await turns()
    assert len(server.sent_s) == 1
    skip(0.2)
    for answer, waited_s in await asyncio.gather(first, *others):
        assert answer == "answer"
        assert waited_s >= 4
    assert held.waiting() is None
    assert held.waited_s >= 16


@pytest.mark.parametrize(("asked_s", "waits_s"), [(1e9, 30.0), (7.0, 7.0), (0.0, 0.1)])
async def test_what_it_asks_for_is_capped(asked_s: float, waits_s: float) -> None:
    server, held = Server(busy(asked_s)), throttle(max_retry_after_s=30)
    async with pauses_skipped([held]) as waits:
        await held.send(server)
    (waiting,) = waits
    assert waiting.seconds == pytest.approx(waits_s, abs=0.05)


async def test_processes_that_were_told_the_same_do_not_come_back_together() -> None:
    """Each adds up to a tenth at random."""
    waits = []
    for jitter in (0.0, 1.0):
        held = throttle(jitter)
        async with pauses_skipped([held]) as skipped:
            await held.send(Server(busy(10.0)))
        waits += [each.seconds for each in skipped]
    assert waits == pytest.approx([10.0, 10.0 * (1 + JITTER)], abs=0.05)


async def test_an_overload_lowers_the_limit_for_all_and_answers_raise_it_again() -> None:
    held = throttle()
    rejecting = Server(*[busy(1.0) for _ in range(8)])
    async with pauses_skipped([held]):
        await asyncio.gather(*(held.send(rejecting) for _ in range(8)))
        after = Server()
        await asyncio.gather(*(held.send(after) for _ in range(8)))
    assert rejecting.most_at_work == 8
    assert held.rejections == 8
    assert held.limit.lowered == 1
    assert after.most_at_work < 8
    await asyncio.gather(*(held.send(Server()) for _ in range(100)))
    assert held.limit.current > 8


async def test_time_outs_lower_the_limit_too() -> None:
    held = await proven()
    with pytest.raises(EngineTimeout):
        await held.send(Server(EngineTimeout("no answer in 60 s")))
    assert held.limit.lowered == 1


async def test_a_server_that_gives_no_time_is_asked_again_ever_later() -> None:
    held = await proven()
    async with pauses_skipped([held]) as waits:
        await held.send(Server(*[busy() for _ in range(7)]))
    seconds = [each.seconds for each in waits]
    assert seconds == pytest.approx([0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0], abs=0.05)


async def test_a_server_that_never_answered_is_not_waited_for_unless_it_asks() -> None:
    held = throttle()
    for rejection in (busy(), gone()):
        with pytest.raises(EngineError) as raised:
            await held.send(Server(rejection))
        assert raised.value is rejection.error
        assert raised.value.retry_after_s is None  # so the graph tries again, as often as it is set to


async def test_a_wait_beyond_the_deadline_fails_at_once_and_says_how_long_it_is() -> None:
    held = throttle()
    with deadline_in(5.0), pytest.raises(EngineOverloaded) as raised:
        await held.send(Server(busy(60.0)))
    assert (raised.value.message, raised.value.hint) == (BUSY.message, BUSY.hint)
    assert raised.value.retry_after_s == pytest.approx(60.0, abs=1.0)
    server = Server()
    with deadline_in(5.0), pytest.raises(EngineOverloaded):
        await held.send(server)
    assert server.sent_s == []


async def test_a_deadline_that_a_longer_pause_overtakes_while_waiting() -> None:
    held = throttle()
    asked_again = Server(busy(60.0))

    async def impatient() -> None:
        with deadline_in(10.0):
            await held.send(Server())

    first = asyncio.create_task(held.send(Server(busy(2.0))))
    await turns()
    waiting = asyncio.create_task(impatient())
    await turns()
    held.hold(60.0, "HTTP 503", EngineFailed("HTTP 503"))
    with pytest.raises(EngineFailed):
        await waiting
    assert asked_again.sent_s == []
    first.cancel()


async def test_a_dead_server_gets_one_probe_at_a_time_and_then_all_that_wait() -> None:
    held = await proven()
    answer = asyncio.Event()
    server = Server(*[gone() for _ in range(9)], answer)  # eight in flight, a failed probe, and the next one
    runs = [asyncio.create_task(held.send(server)) for _ in range(8)]
    async with pauses_skipped([held]):
        while len(server.sent_s) < 10:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await turns(100)
    assert held.breaker.state == "half_open"
    assert server.at_work == 1
    waiting = held.waiting()
    assert waiting is not None
    assert str(waiting) == "no connection, trying now"
    answer.set()
    assert len(await asyncio.gather(*runs)) == 8
    assert (held.breaker.state, held.waiting()) == ("closed", None)


async def test_a_run_pauses_for_as_long_as_the_server_is_down_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    held = await proven()
    with caplog.at_level(logging.WARNING, "onelook"):
        async with pauses_skipped([held]) as waits:
            await held.send(Server(*[gone() for _ in range(1000)]))
    assert sum(each.seconds or 0 for each in waits) > 3600
    begin, end = [record.getMessage() for record in caplog.records]  # not a line for each probe
    assert begin == "waiting for the server (no connection, 1 s): nothing answers"
    assert end.startswith(f"the server answers again: {ADDRESS}, after 4")


async def test_a_rate_limit_is_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    held = await proven()
    with caplog.at_level(logging.WARNING, "onelook"):
        async with pauses_skipped([held]):
            for _ in range(60):
                await held.send(Server(busy(5.0)))
    assert 4 <= len(caplog.records) <= 6


async def test_an_outage_may_have_a_limit() -> None:
    held = await proven(max_outage_s=10)
    async with pauses_skipped([held]) as waits:
        with pytest.raises(EngineUnavailable) as raised:
            await held.send(Server(*[gone() for _ in range(1000)]))
        assert raised.value.retry_after_s is not None
        seconds = sum(each.seconds or 0 for each in waits)
        with pytest.raises(EngineUnavailable):  # the others do not wait for another ten seconds
            await held.send(Server(*[gone() for _ in range(1000)]))
        assert sum(each.seconds or 0 for each in waits) == seconds
    skip(60.0)
    await held.send(Server())  # a later one finds out whether it is back
    assert held.breaker.state == "closed"


async def test_a_failed_attempt_is_the_graphs_and_not_waited_for() -> None:
    held = await proven()
    server = Server(EngineFailed("HTTP 500"))
    with pytest.raises(EngineFailed):
        await held.send(server)
    assert len(server.sent_s) == 1


async def test_failures_in_a_row_open_the_breaker_and_refusals_do_not() -> None:
    held = await proven()
    for error, state in ((EngineRefused("HTTP 400"), "closed"), (EngineFailed("HTTP 500"), "open")):
        for _ in range(5):
            with pytest.raises(type(error)):
                await held.send(Server(error))
        assert held.breaker.state == state


async def test_a_picture_that_breaks_the_server_does_not_keep_the_probe_for_itself() -> None:
    """It fails, the graph counts that, and the next one is the probe."""
    held = await proven()
    for _ in range(5):
        with pytest.raises(EngineFailed):
            await held.send(Server(EngineFailed("HTTP 500")))
    async with pauses_skipped([held]):
        poison = asyncio.create_task(held.send(Server(EngineFailed("HTTP 500"))))
        good = asyncio.create_task(held.send(Server()))
        with pytest.raises(EngineFailed):
            await poison
        assert (await good)[0] == "answer"


async def test_cancelled_requests_give_their_place_back() -> None:
    held = throttle()
    held.limit.current = 1.0
    never = Server(asyncio.Event())
    working = asyncio.create_task(held.send(never))
    queued = [asyncio.create_task(held.send(Server())) for _ in range(3)]
    await turns()
    assert (held.in_flight, held.outstanding) == (1, 4)
    queued[0].cancel()
    working.cancel()
    assert [(await each)[0] for each in queued[1:]] == ["answer"] * 2
    assert (held.in_flight, held.outstanding) == (0, 0)


async def test_after_a_cancelled_probe_the_next_one_is_sent() -> None:
    held = await proven()
    with pytest.raises(EngineUnavailable), deadline_in(0.5):
        await held.send(Server(gone()))
    skip(2.0)
    probe = asyncio.create_task(held.send(Server(asyncio.Event())))
    other = asyncio.create_task(held.send(Server()))
    await turns()
    assert held.breaker.state == "half_open"
    probe.cancel()
    assert (await other)[0] == "answer"


async def test_requests_are_sent_in_the_order_in_which_they_came() -> None:
    held = throttle()
    held.limit.current = 1.0
    order: list[int] = []

    def numbered(number: int) -> Callable[[], object]:
        async def request() -> int:
            order.append(number)
            await asyncio.sleep(0)
            return number

        return request

    await asyncio.gather(*(held.send(numbered(number)) for number in range(20)))  # type: ignore[arg-type]
    assert order == list(range(20))


def test_event_loops_in_several_threads_share_one_limit() -> None:
    held = throttle()
    held.limit.current = held.limit._ceiling = 2.0
    most: list[int] = []

    async def request() -> int:
        most.append(held.in_flight)
        await asyncio.sleep(0)
        return 1

    async def many() -> int:
        return sum([answer for answer, _ in await asyncio.gather(*(held.send(request) for _ in range(50)))])

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: asyncio.run(many()), range(4))) == 200
    assert max(most) <= 2
    assert held.outstanding == 0


async def test_a_long_queue_in_the_server_lowers_the_limit() -> None:
    """vLLM reports it with --enable-per-request-metrics."""
    question = AskRequest([HumanMessage("hello")], None, max_tokens=8)
    metrics = {"queue_time_ms": 4000.0, "time_to_first_token_ms": 300.0, "generation_time_ms": 200.0}
    async with SimulatedServer(always(completion(metrics=metrics))) as server, engine_at(server.base_url) as engine:
        await asyncio.gather(*(engine.ask(question) for _ in range(20)))
        (throttle,) = engine.throttles
        assert throttle.limit.current < 20
        server.respond = always(completion(metrics={**metrics, "queue_time_ms": 20.0}))
        before = throttle.limit.current
        assert before >= 17  # of the 20 that were sent, though most were answered before it was reported
        for _ in range(3):
            await asyncio.gather(*(engine.ask(question) for _ in range(20)))
        assert throttle.limit.current > before
