"""Many at once, each as soon as it is done."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from functools import partial
from typing import TypeVar

from graph.batch import Batch

A = TypeVar("A")
B = TypeVar("B")


async def as_done(
    work: Callable[[A], Awaitable[B]], things: Iterable[A], *, at_once: int
) -> AsyncGenerator[tuple[int, B]]:
    """`work` on each of `things`, at most `at_once` at a time; each outcome comes out once, with its thing's index.

    Things are drawn as places become free. What `work` raises is raised here and cancels the others, as closing this
    iterator does. Work that lets the others go first (`graph.batch`) gives its place up meanwhile.
    """

    async def one(index: int, thing: A) -> tuple[int, B]:
        return index, await work(thing)

    works = (partial(one, index, thing) for index, thing in enumerate(things))
    async with aclosing(Batch(at_once).results(works)) as outcomes:
        async for outcome in outcomes:
            yield outcome
