"""The front door for Python: a picture in, a `TagResult` out."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Generator, Iterable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from langchain_core.runnables.graph import Graph

from onelook.answering.bug import bug_result
from onelook.answering.requirements import needed_constraints, refuse_unmet, specialist_constraints
from onelook.answering.workload import workload
from onelook.background import BackgroundLoop
from onelook.calibration.fits import load_calibration
from onelook.engines.answer_cache import CachedEngine
from onelook.engines.base import MAX_IMAGES, Engine, Finding
from onelook.engines.build import build_engine
from onelook.engines.probe import JSON_SCHEMA
from onelook.engines.resident import share_memory
from onelook.engines.throttle import Throttle, Waiting
from onelook.engines.zero_shot.base import Router
from onelook.engines.zero_shot.build import build_router
from onelook.engines.zero_shot.cached import CachedRouter
from onelook.errors import OnelookError
from onelook.graph.arms import ARMS
from onelook.graph.build import build_graph
from onelook.images.limits import Limits
from onelook.images.memory import InMemory
from onelook.images.source import describe
from onelook.images.thumbnail import preview
from onelook.ledger.stamps import NS_PER_MS, run_started_ns
from onelook.observability.langsmith import keep_pictures_from_langsmith
from onelook.observability.traces import trace_runs
from onelook.prompts.languages import TEMPLATES
from onelook.prompts.questions import Prompts
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.result import TagResult
from onelook.run_pool import as_completed
from onelook.services import Services
from onelook.settings.choices import complete, default_choices
from onelook.settings.process import Settings
from onelook.settings.router import RouterSettings
from onelook.types import Context, Subject


def build_services(
    settings: Settings,
    engine: Engine | None = None,
    specialist: Engine | None = None,
    router: Router | None = None,
) -> Services:
    """Everything that the nodes share.

    Raises:
        UserError: the taxonomy, a template or a setting is wrong.
        EngineIncapable: the engine needs a package that is not installed.
    """
    templates = settings.templates or TEMPLATES
    taxonomy = load_taxonomy(settings.taxonomy, templates)
    engine = engine or build_engine(settings)
    specialist = specialist or (build_engine(settings.specialist) if settings.specialist else None)
    residency = None
    if specialist is not None and settings.residency != "both":
        engine, specialist = share_memory(engine, specialist, defer=settings.residency == "defer")
        residency = engine.residency
    language = settings.router.language
    prompts = {each: Prompts(taxonomy, each, templates) for each in taxonomy.languages}
    routes = prompts[language if language in taxonomy.languages else taxonomy.languages[0]].zero_shot()
    router = router or build_router(settings.router, list(routes.values()))
    if settings.cache == "memory":
        engine, router = CachedEngine(engine), CachedRouter(router)
        specialist = None if specialist is None else CachedEngine(specialist)
    return Services(
        engine=engine,
        specialist=specialist,
        residency=residency,
        router=router,
        routes=routes,
        taxonomy=taxonomy,
        prompts=prompts,
        limits=Limits.of(settings),
        settings=settings,
        calibration=load_calibration(settings.calibration),
        run=default_choices(settings.run, taxonomy.languages),
    )


class Tagger:
    """Tags pictures. Use it as a context manager: leaving it frees the model or the connections.

        async with Tagger(load_settings(engine="vllm")) as tagger:  # a server, at ONELOOK_BASE_URL
            result = await tagger.tag("cat.jpg")

        with Tagger(load_settings(model="path/to/checkpoint")) as tagger:  # in a script, in threads, in a notebook
            result = tagger.tag_sync("cat.jpg")
            for index, result in tagger.tag_many_sync(["cat.jpg", Path("dog.jpg"), Image.open("bird.jpg"), array]):
                print(index, result, result.tags_at(0.9))

    One Tagger serves any number of threads. The methods that end in `_sync` run in an event loop that the Tagger keeps
    in a thread of its own.

    The settings name a model or a server; `onelook.tag` is for a first try, and takes the bundled demo model where they
    name none.

    `engine`, `specialist` and `router` replace those that the settings name (scripted ones in tests, your own
    elsewhere).
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine | None = None,
        specialist: Engine | None = None,
        router: Router | None = None,
    ) -> None:
        trace_runs()
        keep_pictures_from_langsmith()
        self.services = build_services(settings, engine, specialist, router)
        self.graph = build_graph(self.services)
        self._background: BackgroundLoop | None = None
        self._closed = False
        self._opening = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the model or the connections, and end the runs of the `_sync` methods that are under way."""
        with self._opening:
            closed, self._closed = self._closed, True
            background, self._background = self._background, None
        if closed:
            return
        background = background or BackgroundLoop()
        try:
            background.run(self._free())
        finally:
            background.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._opening:
            self._closed = True
            background, self._background = self._background, None
        if background is not None:
            await asyncio.to_thread(background.close)
        await self._free()

    async def _free(self) -> None:
        for engine in self.engines:
            await engine.aclose()
        await self.services.router.aclose()

    def _own_loop(self) -> BackgroundLoop:
        with self._opening:
            if self._closed:
                raise RuntimeError("this Tagger is closed: make a new one")
            if self._background is None or self._background.closed:
                self._background = BackgroundLoop()
            return self._background

    @property
    def engines(self) -> list[Engine]:
        """The first engine, and the specialist where there is one."""
        return list(self.services.engines)

    @property
    def throttles(self) -> list[Throttle]:
        """What holds requests back while a server is overloaded or down: of the engines' servers and the router's."""
        parts: list[Engine | Router] = [*self.engines, self.services.router]
        return [throttle for part in parts for throttle in part.throttles]

    def waiting(self) -> Waiting | None:
        """What pictures wait for at this moment, if a server is overloaded or down. From any thread."""
        return next((waiting for each in self.throttles if (waiting := each.waiting()) is not None), None)

    async def start(self, context: Context | None = None) -> None:
        """Load or connect now instead of at the first picture; the router only if the arm of `context` is routed.

        Raises:
            EngineError: an engine, or the router, is not fit.
            SettingsError: `context` chooses what this process does not have, or what an engine cannot do.
            PromptError: the arm answers by letters, and there are more options than letters tell apart (400).
        """
        choices = complete(context, self.services.run)
        refuse_unmet(self.services, choices)
        if ARMS[choices.arm].routed:
            await self.services.router.start()
        await self.services.engine.start(needed_constraints(choices))
        if self.services.specialist is not None:
            await self.services.specialist.start(specialist_constraints(choices))

    def refuse_unmet(self, context: Context | None = None) -> None:
        """Raise what no run with `context` could do, as far as it is known: a server reports most at its first answer.

        Raises:
            SettingsError: `context` chooses what this process does not have, or what an engine cannot do.
            PromptError: the arm answers by letters, and there are more options than letters tell apart (400).
        """
        refuse_unmet(self.services, complete(context, self.services.run))

    async def probe(self) -> list[Finding]:
        """What each engine can do, and whether it does so at full strength with the default choices of a run; the
        router too if the default arm is routed or a setting of the router is set.

        Raises:
            PromptError: the default arm answers by letters, and there are more options than letters tell apart (400).
        """
        services = self.services
        arm, most = ARMS[services.run.arm], workload(services, services.run)
        findings = await services.engine.probe(most)
        if not arm.guided:  # free text needs no constraint
            findings = [replace(each, needed=each.needed and each.capability != JSON_SCHEMA) for each in findings]
        if services.specialist is not None:
            guided = services.run.model_copy(update={"arm": "fused"})
            findings += await services.specialist.probe(workload(services, guided))
        if arm.routed or services.settings.router != RouterSettings():
            findings += await services.router.probe()
        return findings

    def drawing(self) -> Graph:
        """The graph as LangGraph draws it."""
        drawing = self.graph.get_graph()
        # The error handler is on no way: a failing node ends the run through it.
        for name in [name for name in drawing.nodes if name.endswith("error_handler__")]:
            del drawing.nodes[name]
        return drawing

    def mermaid(self) -> str:
        """The graph as Mermaid text."""
        return self.drawing().draw_mermaid()

    def calibration_note(self, context: Context | None = None) -> str | None:
        """Why runs with `context` are not calibrated though there is a calibration. To be asked after `start`: a
        server's only model is known by then."""
        services = self.services
        choices = complete(context, services.run)
        prompts = services.prompts[choices.language].version
        return services.calibration.misfit(choices, services.engine.model, prompts)

    async def tag(self, image: Subject, context: Context | None = None, *, name: str | None = None) -> TagResult:
        """Tag a picture, or a list or tuple of up to five of one subject.

        A picture is a path (`str` or `pathlib.Path`), an http(s) URL, a data URL, the bytes of a file, a file opened
        with 'rb', a `PIL.Image.Image`, or a NumPy array of uint8: height x width x 3 (red, green, blue; OpenCV has them
        the other way round) or height x width (grey). `name` is what the result calls it, instead of its own name.

        What goes wrong with it is in the result's `errors`; only a bug is raised, and a wrong choice. An arm that the
        engine or the taxonomy cannot serve is in `errors` too, with what to change; no question is asked then. `start`
        and `tag_many` raise it once.

        Raises:
            SettingsError: `context` chooses what this process does not have.
        """
        choices = complete(context, self.services.run)
        pictures = list(image) if isinstance(image, list | tuple) else [image]
        on_their_way: list[Any] = [each if isinstance(each, str | bytes) else InMemory(each) for each in pictures]
        started_ns = time.perf_counter_ns()
        token = run_started_ns.set(started_ns)
        try:
            output = await self.graph.ainvoke(
                {"image": on_their_way}, {"metadata": {"arm": choices.arm}}, context=choices
            )
        finally:
            run_started_ns.reset(token)
        result: TagResult = output["result"]
        wall_ms = (time.perf_counter_ns() - started_ns) / NS_PER_MS
        pictures = pictures[:MAX_IMAGES]
        source = " + ".join(map(describe, pictures)) if name is None else name
        ledger = result.ledger.model_copy(update={"wall_ms": wall_ms})
        result = result.model_copy(update={"ledger": ledger, "source": source or None})
        return result.with_preview(await preview(pictures, self.services.limits))

    async def tag_or_report(
        self, image: Subject, context: Context | None = None, *, name: str | None = None
    ) -> TagResult:
        """`tag` as one of many: a bug is a failed result, so that it ends no other run. Its stack trace is logged.

        Raises:
            SettingsError: `context` chooses what this process does not have.
        """
        try:
            return await self.tag(image, context, name=name)
        except OnelookError:
            raise
        except Exception as error:  # noqa: BLE001 - a bug; its trace is logged
            source = name or " + ".join(map(describe, image if isinstance(image, list | tuple) else [image]))
            return bug_result(self.services, complete(context, self.services.run), error, source)

    def tag_sync(self, image: Subject, context: Context | None = None, *, name: str | None = None) -> TagResult:
        """`tag` for callers that are not asynchronous: in a script, in any number of threads, in a notebook.

        Ctrl-C cancels the run.

        Raises:
            SettingsError: `context` chooses what this process does not have.
            RuntimeError: this Tagger is closed.
        """
        return self._own_loop().run(self.tag(image, context, name=name))

    def tag_many(
        self, images: Iterable[Subject], context: Context | None = None
    ) -> AsyncGenerator[tuple[int, TagResult]]:
        """Tag many, `settings.concurrency` at once; each comes out once, with its index, as soon as it is done.

        With `settings.residency` at `defer`, the pictures that need the specialist come last.

        Raises, before the first picture:
            SettingsError, PromptError: no picture could be tagged so; see `refuse_unmet`.
        """
        if isinstance(images, str | bytes):
            raise TypeError("tag_many takes several pictures: give a list, or one picture to tag")
        self.refuse_unmet(context)
        at_once = self.services.settings.concurrency
        return as_completed(lambda image: self.tag_or_report(image, context), images, at_once=at_once)

    def tag_many_sync(
        self, images: Iterable[Subject], context: Context | None = None
    ) -> Generator[tuple[int, TagResult]]:
        """`tag_many` for callers that are not asynchronous. `images` is iterated over in the Tagger's own thread.

        Leaving the loop early cancels the runs that are under way.

        Raises:
            SettingsError: `context` chooses what this process does not have.
            RuntimeError: this Tagger is closed.
        """
        loop, results = self._own_loop(), self.tag_many(images, context)

        async def following() -> tuple[int, TagResult] | None:
            return await anext(results, None)

        def each() -> Generator[tuple[int, TagResult]]:
            try:
                while (numbered := loop.run(following())) is not None:
                    yield numbered
            finally:
                if not loop.closed:
                    loop.run(results.aclose())

        return each()
