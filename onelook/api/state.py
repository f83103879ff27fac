"""The state of the application: the tagger, admission control, metrics and readiness."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, nullcontext
from http import HTTPStatus
from typing import get_args

import orjson

from onelook.api.admission import Admission
from onelook.api.jobs.runner import JobRunner
from onelook.api.jobs.store import JobStore
from onelook.api.metrics import Metrics
from onelook.api.parsed_request import ParsedRequest, RequestReader
from onelook.api.problem import Problem, result_json
from onelook.api.ready import Readiness
from onelook.deadline import deadline_in
from onelook.demo.checkpoint import demo_note, with_demo_models
from onelook.engines.base import Engine
from onelook.engines.cache_scope import new_to_caches
from onelook.errors import OnelookError
from onelook.graph.arms import ArmName
from onelook.result import TagResult
from onelook.run_pool import as_completed
from onelook.settings.process import Settings, load_settings
from onelook.steady_memory import freeze_loaded, tune_malloc
from onelook.tagger import Tagger
from onelook.types import Context, Subject

log = logging.getLogger("onelook")

# A run that goes on for so long after its deadline (a download, a slow decoder) is cancelled.
GRACE_S = 5.0


class AppState:
    """One for each server process."""

    def __init__(self, tagger: Tagger) -> None:
        self.note = demo_note(tagger.services.settings, tagger.services.prompts)
        self.tagger = tagger
        self.settings = tagger.services.settings
        self.http = self.settings.http
        self.admission = Admission(self.http)
        self.reader = RequestReader(self.http, type(tagger.services.run))
        self.metrics = Metrics(self.admission, tagger.services.residency, tagger.throttles)
        self.readiness = Readiness(tagger.services.engine)
        self.jobs = job_store(tagger)
        self._job_runner: JobRunner | None = None

    def wake_jobs(self) -> None:
        """There is a new job."""
        if self._job_runner is not None:
            self._job_runner.wake()

    async def run_jobs(self) -> None:
        """Until it is cancelled; at once where jobs are turned off."""
        if self.jobs is not None:
            self._job_runner = JobRunner(self.jobs, self.tagger, self._record)
            await self._job_runner.run()

    def _record(self, result: TagResult) -> None:
        self.metrics.record_result(result)
        self.readiness.record_result(result)

    @property
    def arms(self) -> tuple[ArmName, ...]:
        """The arms that a run can choose on this server."""
        choices = type(self.tagger.services.run).model_fields["arm"].annotation
        return tuple(get_args(choices))

    async def tag(
        self, subject: Subject, context: Context, within_s: float, *, name: str | None = None, one_of_many: bool = False
    ) -> TagResult:
        """Run once, when the limit of pictures in flight allows it. `name`: what the result calls the subject.
        `one_of_many`: a bug is a failed result, so that the other runs go on.

        Raises:
            Problem: there is no result within `within_s` and a grace period (504).
        """
        with deadline_in(within_s):
            try:
                async with asyncio.timeout(within_s + GRACE_S):
                    async with self.admission.in_flight_limit:
                        tag = self.tagger.tag_or_report if one_of_many else self.tagger.tag
                        result = await tag(subject, context, name=name)
            except TimeoutError:
                raise Problem(
                    HTTPStatus.GATEWAY_TIMEOUT,
                    f"no answer within {within_s:g} s",
                    kind="DeadlinePassed",
                    hint="send a larger X-Timeout-Seconds, send fewer pictures at once,"
                    " or raise the server's ONELOOK_HTTP__DEADLINE_S",
                ) from None
        self._record(result)
        return result

    async def compare(self, parsed: ParsedRequest, within_s: float) -> dict[ArmName, list[TagResult]]:
        """Each arm's results, one a round. Arms run one after the other, so that they do not slow each other down;
        `within_s` is for each run."""
        (subject,), (name,) = parsed.subjects, parsed.names
        results: dict[ArmName, list[TagResult]] = {arm: [] for arm in parsed.arms or self.arms}
        for number in range(parsed.rounds):
            for arm in reversed(results) if number % 2 else results:
                context = parsed.context.model_copy(update={"arm": arm})
                with new_to_caches() if parsed.rounds > 1 else nullcontext():
                    results[arm].append(await self.tag(subject, context, within_s, name=name))
        return results

    async def batch(self, parsed: ParsedRequest, within_s: float, *, ledger: bool) -> AsyncIterator[bytes]:
        """A line of JSON for each picture, as soon as its run ends; `within_s` is for each of them.

        `ledger`: whether the results have their ledgers.
        """
        total, done = len(parsed.subjects), 0
        named = list(zip(parsed.subjects, parsed.names, strict=True))

        async def line(named: tuple[Subject, str | None]) -> dict[str, object]:
            subject, name = named
            try:
                result = await self.tag(subject, parsed.context, within_s, name=name, one_of_many=True)
            except Problem as problem:
                return {"problem": problem.body()}
            return {"result": orjson.Fragment(result_json(result, ledger=ledger))}

        async with aclosing(as_completed(line, named, at_once=self.settings.concurrency)) as outcomes:
            async for index, outcome in outcomes:
                done += 1
                head = {"index": index, "id": parsed.ids[index], "progress": {"done": done, "total": total}}
                yield orjson.dumps({**head, **outcome}, option=orjson.OPT_APPEND_NEWLINE)


def job_store(tagger: Tagger) -> JobStore | None:
    """Where this server keeps jobs; None: it takes none."""
    http = tagger.services.settings.http
    if http.jobs is None:
        return None
    return JobStore(http.jobs, tagger.services.limits, keep_s=http.keep_jobs_h * 3600)


def open_tagger(settings: Settings, engine: Engine | None = None) -> Tagger:
    """The tagger for callers on the network.

    URLs never lead to a private address, and `residency=defer` becomes `swap`: a request has a deadline, so its
    questions to the specialist are not deferred to the end of a batch.
    """
    safe = {"allow_urls": settings.http.allow_urls, "allow_private_urls": False}
    patient = {"residency": "swap"} if settings.residency == "defer" else {}
    return Tagger(with_demo_models(settings.model_copy(update={**safe, **patient})), engine)


def open_server(settings: Settings | None = None) -> Tagger:
    """The tagger of a process that only serves, with `settings` or else those of its environment."""
    tune_malloc()
    tagger = open_tagger(settings or load_settings())
    freeze_loaded()
    return tagger


@asynccontextmanager
async def open_app_state(tagger: Tagger) -> AsyncIterator[AppState]:
    """The state, while the engine starts in the background. Pictures that arrive before it is ready wait for it."""
    async with tagger:
        state = AppState(tagger)
        if state.jobs is not None:
            await asyncio.to_thread(state.jobs.prepare)
        works = (_warm_up(tagger), state.run_jobs(), state.metrics.keep_fresh())
        tasks = [asyncio.create_task(work) for work in works]
        try:
            yield state
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def _warm_up(tagger: Tagger) -> None:
    try:
        await tagger.start()
    except OnelookError as error:  # the engine's server may start later: each picture tries again
        log.warning("engine not ready", extra={"fields": {"kind": type(error).__name__, "detail": error.message}})
