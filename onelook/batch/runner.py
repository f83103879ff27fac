"""A run on one machine: what is to do, through the tagger, into the ledger."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from onelook.batch.entries import How, Kept, State, Todo
from onelook.batch.ledger import Ledger
from onelook.batch.ledger_reader import LedgerReader
from onelook.batch.progress import Progress, Tally
from onelook.batch.row import ATTEMPTS, Source, identify, is_still, never_still, tag_row
from onelook.batch.stopping_rules import MaxFailures, StoppingRules
from onelook.images.source import describe
from onelook.images.threads import cores
from onelook.result import TagResult
from onelook.run_pool import RunPool, may_prepare
from onelook.tagger import Tagger
from onelook.types import Context

T = TypeVar("T")

READ_AHEAD: Final = 256
"""Pictures that are read from the ledger at once."""

MOST_AHEAD: Final = 32
"""Pictures that are read and prepared, at some 100 kB each, while others are asked about: as many as are asked about at
once, because a server that batches may answer all at the same time, but no more than this."""

RENEW_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Which pictures of `version` a run takes: those of `LedgerReader.todo`, up to `limit`."""

    version: int
    again: Sequence[State] = ("may_pass",)
    limit: int | None = None
    max_failures: MaxFailures | None = None


class BatchRun:
    """One run. `on_outcome` is called in the run's event loop for each picture, with its name.

    `name_of`: what a result and its messages call a picture (None: its place), instead of showing where it is.
    """

    def __init__(
        self,
        tagger: Tagger,
        ledger: Ledger,
        plan: Plan,
        run: int,
        context: Context | None = None,
        *,
        on_outcome: Callable[[str, TagResult], None] = lambda *_: None,
        name_of: Callable[[Todo], str] | None = None,
    ) -> None:
        self._tagger, self._ledger, self._plan, self._id, self._context = tagger, ledger, plan, run, context
        self._on_outcome, self._name_of = on_outcome, name_of
        self._at_once = tagger.services.settings.concurrency
        self._rules = StoppingRules(plan.max_failures, self._at_once)
        # An engine with a patience counts from when the question is to be put: nothing may wait before it.
        patient = all(engine.capabilities.patience_s is None for engine in tagger.engines)
        ahead = min(self._at_once, MOST_AHEAD) if patient else 0
        # While a thread decodes one picture, the event loop begins the next: twice the cores.
        self._pool = RunPool(self._at_once, ahead=ahead, preparing=2 * cores())
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="onelook-ledger")
        self._asking: dict[bytes, list[Todo]] = {}
        self._stopped = False
        todo = ledger.count_todo(plan.version, plan.again)
        self._tally = Tally(todo=todo if plan.limit is None else min(todo, plan.limit))

    @property
    def reason(self) -> str | None:
        """Why the run stopped by itself before its end, if it did."""
        return self._rules.reason

    def stop(self) -> None:
        """Take no more pictures; those that are asked about are finished. From any thread, or a signal's handler."""
        self._stopped = True
        self._pool.stop()

    def progress(self) -> Progress:
        """From any thread."""
        waiting = self._tagger.waiting()
        return self._tally.progress(self._pool.asking, None if waiting is None else str(waiting))

    async def run(self) -> How:
        """Until nothing is to do, or `stop`, or a stopping rule. What is done is in the ledger, however this ends.

        Raises:
            BatchError: the ledger cannot be written.
        """
        renewing = asyncio.create_task(self._renew())
        try:
            async with aclosing(self._pool.results(partial(self._answer, todo) for todo in self._todo())) as outcomes:
                async for _ in outcomes:
                    if renewing.done():
                        renewing.result()  # it ends only by an error
            how = self._how()
            await self._written(self._ledger.renew_run, self._id, self.progress().to_json(), how)
        finally:
            renewing.cancel()
            self._writer.shutdown()
        return how

    def _how(self) -> How:
        if self._rules.reason is not None:
            return "failures"
        if self._stopped:
            return "stopped"
        return "finished" if self._plan.limit is None or self._tally.todo < self._plan.limit else "limit"

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            await self._written(self._ledger.renew_run, self._id, self.progress().to_json())

    def _todo(self) -> Iterator[Todo]:
        """Each picture once in a run: one that fails again is not taken again."""
        after, taken = 0, 0
        with closing(LedgerReader.read(self._ledger.folder)) as reader:
            while rows := reader.todo(self._plan.version, after=after, at_most=READ_AHEAD, again=self._plan.again):
                for row in rows:
                    if self._stopped or self._rules.reason is not None or taken == self._plan.limit:
                        return
                    yield row
                    taken += 1
                after = rows[-1].picture

    async def _answer(self, todo: Todo, attempts: int = ATTEMPTS) -> None:
        place, limits = os.fsdecode(todo.place), self._tagger.services.limits
        source = await identify(place, limits, whole=self._name_of is not None)
        await may_prepare()
        if source.sha256 is None:
            await self._keep(todo, None, await tag_row(self._tagger, self._name(todo), source, self._context))
            return
        twins = self._asking.get(source.sha256)
        if twins is not None:  # the one that asks about these bytes writes this outcome too
            twins.append(todo)
            return
        twins = self._asking[source.sha256] = []
        try:
            known = await self._ask(todo, source, source.sha256, twins)
        finally:
            del self._asking[source.sha256]
        if known:
            return
        if attempts == 1:
            await self._keep(todo, None, never_still(self._tagger, self._name(todo), self._context))
        else:
            await self._answer(todo, attempts - 1)
        for twin in twins:
            await self._answer(twin)

    async def _ask(self, todo: Todo, source: Source, sha256: bytes, twins: list[Todo]) -> bool:
        """Keep the outcome of a picture and of its `twins`, which have the same bytes; False where the file has had
        others before they were tagged, so that nothing is known."""
        name = self._name(todo)
        kept = await self._written(self._ledger.answer, self._plan.version, sha256)
        if kept is None:
            result = await tag_row(self._tagger, name, source, self._context)
            if not await is_still(os.fsdecode(todo.place), source, self._tagger.services.limits):
                return False
            await self._keep(todo, sha256, result)
            if twins and result.status != "failed":
                kept = await self._written(self._ledger.answer, self._plan.version, sha256)
        else:
            result = TagResult.model_validate_json(kept.result)
            await self._point(todo, sha256, kept, result)
        while twins:
            twin = twins.pop()
            if kept is None:
                renamed = _renamed(result, name, self._name(twin))
                await self._keep(twin, sha256, renamed, pointed=True)
            else:
                await self._point(twin, sha256, kept, result)
        return True

    async def _keep(self, todo: Todo, sha256: bytes | None, result: TagResult, *, pointed: bool = False) -> None:
        await self._written(self._ledger.record, self._plan.version, todo.picture, sha256, result)
        self._done(todo, result, pointed=pointed)

    async def _point(self, todo: Todo, sha256: bytes, kept: Kept, result: TagResult) -> None:
        state: State = "ok" if result.status == "ok" else "needs_review"
        await self._written(self._ledger.point, self._plan.version, todo.picture, sha256, kept, state)
        self._done(todo, result, pointed=True)

    def _done(self, todo: Todo, result: TagResult, *, pointed: bool) -> None:
        self._tally.count(result, pointed=pointed)
        self._rules.see(result)
        if self._rules.reason is not None:
            self._pool.stop()
        self._on_outcome(self._name(todo), result)

    def _name(self, todo: Todo) -> str:
        return os.fsdecode(todo.place) if self._name_of is None else self._name_of(todo)

    async def _written(self, work: Callable[..., T], *arguments: object) -> T:
        """In the one thread that writes to the ledger: a slow disk holds up no request."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, work, *arguments)


def _renamed(result: TagResult, old: str, new: str) -> TagResult:
    """A failure of the same bytes under another name."""
    errors = [
        each.model_copy(update={"message": each.message.replace(describe(old), describe(new))})
        for each in result.errors
    ]
    return result.model_copy(update={"source": describe(new), "errors": tuple(errors)})
