"""Runs the jobs of a folder, one after another, in one of the server's processes."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Final

from filelock import FileLock, Timeout

from onelook.api.jobs.store import Job, JobStore
from onelook.batch.entries import Todo
from onelook.batch.fingerprint import fingerprint
from onelook.batch.ledger import Ledger
from onelook.batch.runner import BatchRun, Plan
from onelook.errors import OnelookError
from onelook.result import TagResult
from onelook.tagger import Tagger
from onelook.types import Context

log = logging.getLogger("onelook")

LOOK_EVERY_S: Final = 0.5
REST_S: Final = 30.0
MOST_RESTS: Final = 10
"""A job whose engine fails is taken up again so many times."""


class JobRunner:
    """`run` until it is cancelled. Of several processes, the one that has the folder's lock runs jobs; when it ends,
    another one does."""

    def __init__(self, store: JobStore, tagger: Tagger, on_result: Callable[[TagResult], None]) -> None:
        self._store, self._tagger, self._on_result = store, tagger, on_result
        self._new = asyncio.Event()
        self._rests = Counter[str]()

    def wake(self) -> None:
        """There is a new job."""
        self._new.set()

    async def run(self) -> None:
        lock = FileLock(self._store.folder / "jobs.lock", blocking=False, thread_local=False)
        while True:
            try:
                lock.acquire()
                break
            except Timeout:
                await asyncio.sleep(LOOK_EVERY_S)
        try:
            while True:
                self._new.clear()
                for job in await asyncio.to_thread(self._store.waiting):
                    await self._run_safely(job)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._new.wait(), LOOK_EVERY_S)
        finally:
            lock.release()

    async def _run_safely(self, job: Job) -> None:
        """A job that cannot go on ends, and the others are run."""
        try:
            await self._run(job)
        except OnelookError as error:
            log.warning("job %s ended: %s", job.id, error.message)
            await asyncio.to_thread(self._store.end, job, "failures", error.message)
        except Exception as error:  # a bug in one job
            log.exception("job %s ended by a bug", job.id)
            await asyncio.to_thread(self._store.end, job, "failures", f"a bug in onelook: {type(error).__name__}")

    async def _run(self, job: Job) -> None:
        if await asyncio.to_thread(self._store.cancelled, job):
            await asyncio.to_thread(self._store.end, job, "stopped")
            return
        folder, context = self._store.folder / job.id, Context(**job.choices)

        def name_of(todo: Todo) -> str:
            return job.names[todo.picture - 1]

        with closing(await asyncio.to_thread(Ledger.create, folder)) as ledger:
            await self._tagger.services.engine.look_up()
            made = fingerprint(self._tagger.services, context)
            version = ledger.version(made)
            run = ledger.begin_run(version, os.getpid(), Counter())
            batch = BatchRun(
                self._tagger,
                ledger,
                Plan(version),
                run,
                context,
                on_outcome=lambda _, result: self._on_result(result),
                name_of=name_of,
            )
            watching = asyncio.create_task(self._stop_when_cancelled(job, batch))
            try:
                how = await batch.run()
            finally:
                watching.cancel()
        if how == "failures" and self._rests[job.id] < MOST_RESTS:
            self._rests[job.id] += 1
            log.warning("job %s rests for %d s: %s", job.id, REST_S, batch.reason)
            await asyncio.sleep(REST_S)
            return
        await asyncio.to_thread(self._store.end, job, how, batch.reason)

    async def _stop_when_cancelled(self, job: Job, batch: BatchRun) -> None:
        while not await asyncio.to_thread(self._store.cancelled, job):  # noqa: ASYNC110 - another process may write it
            await asyncio.sleep(LOOK_EVERY_S)
        batch.stop()
