"""Many runs at once: bounded, each out once, and some of them patient."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onelook.run_pool import RunPool, as_completed, barrier, may_ask, may_prepare


class Log:
    """What happened in which order, and how many were at work at once."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int]] = []
        self.at_work = self.most_at_work = 0

    async def work(self, step: str, number: int, pauses: int) -> None:
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        for _ in range(pauses):
            await asyncio.sleep(0)
        self.at_work -= 1
        self.steps.append((step, number))

    async def run(self, number: int, *, hard: bool, pauses: int) -> int:
        await self.work("first", number, pauses)
        if hard:
            await barrier()
            await self.work("second", number, pauses)
        return number


RUNS = st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=30)


@given(runs=RUNS, places=st.integers(1, 6))
def test_all_go_as_far_as_they_can_before_the_first_hard_one_goes_on(runs: list[tuple[bool, int]], places: int) -> None:
    log = Log()

    async def all_of_them() -> list[int]:
        works = (partial(log.run, number, hard=hard, pauses=pauses) for number, (hard, pauses) in enumerate(runs))
        return [number async for number in RunPool(places).results(works)]

    came = asyncio.run(all_of_them())
    assert sorted(came) == list(range(len(runs)))
    assert log.most_at_work <= places
    assert [step for step, _ in log.steps] == sorted(step for step, _ in log.steps)
    hard = [number for number, (is_hard, _) in enumerate(runs) if is_hard]
    assert sorted(came[len(runs) - len(hard) :]) == hard


@given(runs=RUNS, places=st.integers(1, 3), most=st.integers(1, 4))
def test_only_so_many_wait_at_a_time(runs: list[tuple[bool, int]], places: int, most: int) -> None:
    waiting = most_waiting = 0

    async def run(*, hard: bool, pauses: int) -> None:
        nonlocal waiting, most_waiting
        for _ in range(pauses):
            await asyncio.sleep(0)
        if hard:
            waiting += 1
            most_waiting = max(most_waiting, waiting)
            await barrier()
            waiting -= 1

    async def all_of_them() -> int:
        works = (partial(run, hard=hard, pauses=pauses) for hard, pauses in runs)
        return len([None async for _ in RunPool(places, max_deferred=most).results(works)])

    assert asyncio.run(all_of_them()) == len(runs)
    assert most_waiting < most + places


async def test_outside_of_a_batch_nobody_is_waited_for() -> None:
    await barrier()


async def test_who_has_waited_once_does_not_wait_again() -> None:
    async def stubborn(number: int) -> int:
        for _ in range(3):
            await barrier()
        return number

    assert sorted([outcome async for outcome in as_completed(stubborn, range(5), at_once=2)]) == [
        (n, n) for n in range(5)
    ]


async def test_closing_it_cancels_those_who_work_and_those_who_wait() -> None:
    begun: list[int] = []
    cancelled: list[int] = []

    async def work(number: int) -> int:
        begun.append(number)
        try:
            if number == 1:
                await barrier()
            if number > 1:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(number)
            raise
        return number

    async with aclosing(as_completed(work, range(9), at_once=3)) as outcomes:
        assert await anext(outcomes) == (0, 0)
        while len(begun) < 3:  # noqa: ASYNC110 they share an event loop with nobody else
            await asyncio.sleep(0)
    assert sorted(cancelled) == [1, 2]


class Held:
    """Runs that are prepared at once, and whose questions wait until they are answered."""

    def __init__(self) -> None:
        self.prepared: list[int] = []
        self.asked: list[int] = []
        self.answered = asyncio.Event()

    async def run(self, number: int) -> int:
        self.prepared.append(number)
        await may_ask()
        self.asked.append(number)
        await self.answered.wait()
        return number


async def test_while_some_ask_others_prepare() -> None:
    held, pool, came = Held(), RunPool(2, ahead=3), list[int]()

    async def collect() -> None:
        came.extend([number async for number in pool.results(partial(held.run, number) for number in range(9))])

    collecting = asyncio.create_task(collect())
    while len(held.prepared) < 5:  # noqa: ASYNC110 they share an event loop with nobody else
        await asyncio.sleep(0)
    assert (held.prepared, held.asked) == ([0, 1, 2, 3, 4], [0, 1])
    held.answered.set()
    await collecting
    assert sorted(came) == held.asked == list(range(9))


async def test_a_pool_that_is_stopped_finishes_those_that_have_asked() -> None:
    held, pool, came = Held(), RunPool(2, ahead=3), list[int]()

    async def collect() -> None:
        came.extend([number async for number in pool.results(partial(held.run, number) for number in range(9))])

    collecting = asyncio.create_task(collect())
    while len(held.prepared) < 5:  # noqa: ASYNC110 as above
        await asyncio.sleep(0)
    pool.stop()
    held.answered.set()
    await collecting
    assert sorted(came) == held.asked == [0, 1]
    assert len(held.prepared) == 5


@pytest.mark.parametrize("ending", ["asks", "defers", "ends"])
async def test_the_first_question_waits_for_few_preparations(ending: str) -> None:
    """All of them wait for another thread in the middle of their preparation, which would begin all and end none."""
    preparing, most, prepared = set[int](), list[int](), asyncio.Semaphore(0)

    async def run(number: int) -> int:
        await may_prepare()
        preparing.add(number)
        most.append(len(preparing))
        await prepared.acquire()
        preparing.remove(number)
        if ending == "asks":
            await may_ask()
        elif ending == "defers":
            await barrier()
        return number

    async def collect() -> list[int]:
        pool = RunPool(4, ahead=4, preparing=2)
        return [number async for number in pool.results(partial(run, number) for number in range(9))]

    collecting = asyncio.create_task(collect())
    while not collecting.done():
        await asyncio.sleep(0)
        prepared.release()
    assert sorted(await collecting) == [*range(9)]
    assert max(most) == 2


async def test_a_pool_that_is_stopped_lets_nobody_wait_to_prepare() -> None:
    begun, never = list[int](), asyncio.Event()

    async def run(number: int) -> int:
        await may_prepare()
        begun.append(number)
        await never.wait()
        return number

    async def collect(pool: RunPool) -> list[int]:
        return [number async for number in pool.results(partial(run, number) for number in range(9))]

    pool = RunPool(4, ahead=4, preparing=2)
    collecting = asyncio.create_task(collect(pool))
    while len(begun) < 2:  # noqa: ASYNC110 they share an event loop with nobody else
        await asyncio.sleep(0)
    pool.stop()
    assert await collecting == []
    assert begun == [0, 1]


async def test_who_defers_a_question_lets_others_ask() -> None:
    """More of them than may ask at once."""

    async def run(number: int) -> int:
        await may_ask()
        await barrier()
        await may_ask()
        return number

    pool = RunPool(2, ahead=2)
    assert sorted([number async for number in pool.results(partial(run, number) for number in range(7))]) == [*range(7)]


async def test_a_bug_in_one_run_is_raised_and_ends_the_others() -> None:
    async def work(number: int) -> int:
        if number == 1:
            raise ZeroDivisionError
        await barrier()
        return number

    with pytest.raises(ZeroDivisionError):
        _ = [outcome async for outcome in as_completed(work, range(4), at_once=2)]
    assert len(asyncio.all_tasks()) == 1
