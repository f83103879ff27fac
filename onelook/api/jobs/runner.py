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
from onelook.api.jobs.trouble import is_full
from onelook.batch.entries import Todo
from onelook.batch.fingerprint import fingerprint
from onelook.batch.ledger import Ledger
from onelook.batch.runner import BatchRun, Plan
from onelook.errors import BatchError, OnelookError
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
        self._reported: str | None = None

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
            except OSError as error:
                self._report(f"jobs cannot begin: {error}")
                await asyncio.sleep(LOOK_EVERY_S)
        try:
            while True:
                self._new.clear()
                await self._run_waiting()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._new.wait(), LOOK_EVERY_S)
        finally:
            lock.release()

    async def _run_waiting(self) -> None:
        """Each job that waits. Where their folder cannot be written, none is begun: an answer could not be kept."""
        try:
            waiting = await asyncio.to_thread(self._store.waiting)
            if not waiting:
                return
            await asyncio.to_thread(self._store.check_writable)
        except OSError as error:
            self._report(f"jobs wait: {error}")
            return
        if self._reported is not None:
            log.warning("jobs go on")
            self._reported = None
        for job in waiting:
            if not await self._run_safely(job):
                return

    async def _run_safely(self, job: Job) -> bool:
        """A job that cannot go on ends, and the others are run. False where all of them must wait for the disk."""
        try:
            try:
                await self._run(job)
            except Exception as error:
                if is_full(error):
                    raise
                await self._end_early(job, error)
        except Exception as error:  # whatever it is, the job waits as it is, and is taken up again
            if not isinstance(error, OnelookError | OSError):
                log.exception("job %s", job.id)
            self._report(f"jobs wait: {error}")
            return False
        return True

    async def _end_early(self, job: Job, error: Exception) -> None:
        match error:
            case BatchError() | OSError():  # with a path of the server
                reason = "what the server keeps of it is damaged, or cannot be read or written"
                log.warning("job %s ended: %s", job.id, error)
            case OnelookError():
                reason = error.message
                log.warning("job %s ended: %s", job.id, reason)
            case _:
                reason = f"a bug in onelook: {type(error).__name__}"
                log.error("job %s ended by a bug", job.id, exc_info=error)
        await asyncio.to_thread(self._store.end, job, "failures", reason)

    def _report(self, what: str) -> None:
        """Once, as long as it is the same."""
        if self._reported != what:
            log.error(what)
        self._reported = what

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
