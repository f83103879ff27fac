"""What stands behind the routes: the tagger, what is let in to it, and what is told of it."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from typing import get_args

import orjson

from onelook.api.admission import Admission
from onelook.api.malloc_tuning import tune_malloc
from onelook.api.metrics import Metrics
from onelook.api.parsed_request import ParsedRequest, Reader
from onelook.api.problem import Problem
from onelook.api.ready import Readiness
from onelook.deadline import deadline_in
from onelook.demo.checkpoint import demo_note, with_demo_models
from onelook.engines.base import Engine
from onelook.errors import OnelookError
from onelook.graph.arms import ArmName
from onelook.result import TagResult
from onelook.run_pool import as_completed
from onelook.settings.process import Settings, load_settings
from onelook.tagger import Tagger
from onelook.types import Context, Subject

log = logging.getLogger("onelook")

# A run that has not come to its own end by then (a download, a picture that is hard to decode) is ended.
GRACE_S = 5.0


class AppState:
    """One for a server process."""

    def __init__(self, tagger: Tagger) -> None:
        self.note = demo_note(tagger.services.settings, tagger.services.prompts)
        self.tagger = tagger
        self.settings = tagger.services.settings
        self.http = self.settings.http
        self.admission = Admission(self.http)
        self.reader = Reader(self.http, tagger.services.run)
        self.metrics = Metrics(self.admission, tagger.services.engine)
        self.readiness = Readiness(tagger.services.engine)

    @property
    def arms(self) -> tuple[ArmName, ...]:
        """The arms that a run may choose here."""
        choices = type(self.tagger.services.run).model_fields["arm"].annotation
        return tuple(get_args(choices))

    async def tag(self, subject: Subject, context: Context, within_s: float) -> TagResult:
        """One run, in its turn.

        Raises:
            Problem: its turn did not come in time (503), or it did not end in time (504).
        """
        with deadline_in(within_s):
            try:
                async with asyncio.timeout(within_s + GRACE_S):
                    async with self.admission.slot:
                        result = await self.tagger.tag(subject, context)
            except TimeoutError:
                raise Problem(
                    HTTPStatus.GATEWAY_TIMEOUT,
                    f"no answer within {within_s:g} s",
                    kind="DeadlinePassed",
                    hint="allow more time, or send fewer at once",
                ) from None
        self.metrics.saw_result(result)
        self.readiness.saw_result(result)
        return result

    async def compare(self, asked: ParsedRequest, within_s: float) -> list[TagResult]:
        """The arms one after the other, so that none slows another down; `within_s` is for each of them."""
        arms = asked.arms or self.arms
        (subject,) = asked.subjects
        return [
            await self.tag(subject, asked.context.model_copy(update={"arm": arm}), within_s)
            for arm in dict.fromkeys(arms)
        ]

    async def batch(self, asked: ParsedRequest, within_s: float) -> AsyncIterator[bytes]:
        """A line of JSON for each picture, as each is done; `within_s` is for each of them."""
        total, done = len(asked.subjects), 0

        async def line(subject: Subject) -> dict[str, object]:
            try:
                result = await self.tag(subject, asked.context, within_s)
            except Problem as problem:
                return {"problem": problem.body()}
            return {"result": orjson.Fragment(result.model_dump_json())}

        async with aclosing(as_completed(line, asked.subjects, at_once=self.settings.concurrency)) as outcomes:
            async for index, outcome in outcomes:
                done += 1
                known = {"index": index, "id": asked.ids[index], "progress": {"done": done, "total": total}}
                yield orjson.dumps({**known, **outcome}, option=orjson.OPT_APPEND_NEWLINE)


def open_tagger(settings: Settings, engine: Engine | None = None) -> Tagger:
    """The tagger for callers on the network.

    Where they may name URLs, none leads to a private address. And none of their pictures is put off until others are
    through: they wait, and have a deadline.
    """
    safe = {"allow_urls": settings.http.allow_urls, "allow_private_urls": False}
    patient = {"residency": "swap"} if settings.residency == "defer" else {}
    return Tagger(with_demo_models(settings.model_copy(update={**safe, **patient})), engine)


def open_server() -> Tagger:
    """The tagger of a process that does nothing but serve, by the settings of its environment.

    What has been loaded by now stays as long as the process, so the garbage collector need not look at it again and
    again: its full collections took a quarter of the processor's time under load.
    """
    tune_malloc()
    tagger = open_tagger(load_settings())
    gc.collect()
    gc.freeze()
    return tagger


@asynccontextmanager
async def opened(tagger: Tagger) -> AsyncIterator[AppState]:
    """The door, with its engine starting up behind it: pictures that come before it is ready wait for it."""
    async with tagger:
        warming = asyncio.create_task(_warm_up(tagger))
        try:
            yield AppState(tagger)
        finally:
            warming.cancel()
            await asyncio.wait((warming,))


async def _warm_up(tagger: Tagger) -> None:
    try:
        await tagger.start()
    except OnelookError as error:  # a server may come up later: each picture asks it anew
        log.warning("engine not ready", extra={"fields": {"kind": type(error).__name__, "detail": error.message}})
