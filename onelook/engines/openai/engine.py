"""A vision-language model behind an OpenAI-compatible server, vLLM first of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

from onelook.engines.base import AskRequest, Capabilities, Constraints, Engine, Finding, Reply, Workload
from onelook.engines.cache_scope import cache_scope
from onelook.engines.callbacks import observed_call
from onelook.engines.openai.batch import PATH as BATCH_PATH
from onelook.engines.openai.batch import read_batch, shared_choice
from onelook.engines.openai.context_error import blame_long_part
from onelook.engines.openai.named_pictures import Json, NamedPictures
from onelook.engines.openai.prefill import Prefill, PrefillSwitch
from onelook.engines.openai.request import Guidance, guidance_fields, messages_json
from onelook.engines.openai.response import read_completion
from onelook.engines.openai.served_grid import ServedGrid
from onelook.engines.openai.served_model import ServedModel, find_model
from onelook.engines.openai.server import OpenAIServer, Posted
from onelook.engines.openai.sleep_mode import SleepMode
from onelook.engines.openai.thinking import ThinkingSwitch
from onelook.engines.probe import JSON_SCHEMA, probe, refuse_incapable
from onelook.engines.shared_task import SharedTask
from onelook.engines.throttle import Throttle
from onelook.engines.time_limit import time_limit
from onelook.errors import EngineError, EngineRefused
from onelook.settings.engine import EngineSettings


class OpenAIEngine(Engine):
    """The model `model` at `server`; None stands for the server's only model, which is looked up at the first call.

    It speaks the protocol itself, because the openai client takes several times as long for a question with a picture
    (`python -m benchmarks.overhead`), and drops what vLLM adds to the protocol. `onelook.engines.chat.ChatEngine` makes
    an engine of a LangChain chat model instead, such as `ChatOpenAI`.
    """

    def __init__(
        self,
        server: OpenAIServer,
        *,
        model: str | None = None,
        guidance: Literal["auto"] | Guidance = "auto",
        batches: Literal["auto", "always", "never"] = "auto",
        thinking: bool = False,
        prefill: bool = False,
        size_grid: int | None = None,
    ) -> None:
        self.server = server
        self._wanted = model
        self._guidance = guidance
        self._batches = batches
        self._pictures = NamedPictures(server.secret)
        self._sleep_mode = SleepMode(server)
        self._grid = ServedGrid(size_grid, model)
        self._thinking = ThinkingSwitch(thinking, server.address)
        self._prefill = PrefillSwitch(prefill, server.address, server.variables)
        self._served: ServedModel | None = None
        self._lookup = SharedTask[ServedModel]()
        self._prefill_check = SharedTask[bool]()

    @classmethod
    def from_settings(
        cls, settings: EngineSettings, make_server: Callable[..., OpenAIServer] = OpenAIServer
    ) -> OpenAIEngine:
        """The engine at `settings.base_url`. Connects at its first question, so a server may come up later.

        `make_server` takes the arguments of `OpenAIServer`.

        Raises:
            SettingsError: `base_url` is no http(s) address.
        """
        server = make_server(
            settings.base_url,
            api_key=settings.api_key,
            timeout_s=settings.timeout_s,
            max_retry_after_s=settings.max_retry_after_s,
            max_outage_s=settings.max_outage_s,
            variables=settings.variables,
        )
        return cls(
            server,
            model=settings.model,
            guidance=settings.guidance,
            batches=settings.batch,
            thinking=settings.thinking,
            prefill=settings.prefill,
            size_grid=settings.size_grid,
        )

    @classmethod
    def unconnected(cls, settings: EngineSettings, served: ServedModel) -> OpenAIEngine:
        """An engine of which `request_body` alone is used: it never looks up what its server has."""
        engine = cls.from_settings(settings)
        engine._served = served
        engine._grid.read_name(served)
        return engine

    @property
    def model(self) -> str:
        return self._served.name if self._served is not None else self._wanted or "unknown"

    @property
    def capabilities(self) -> Capabilities:
        guidance = self._served.guidance if self._served is not None else self._guidance
        # No patience: the server times each request by itself, and waiting until it takes one is no fault.
        return Capabilities(
            constraints="schema" if guidance == "response_format" else "regex", size_grid=self._grid.side
        )

    @property
    def throttles(self) -> Sequence[Throttle]:
        return (self.server.throttle,)

    async def look_up(self) -> Capabilities:
        """Asks the server which model it has, if neither a setting nor the wanted model's name tells the size grid."""
        if self._grid.needs_lookup:
            with suppress(EngineError):
                await self.served()
        return self.capabilities

    async def start(self, constraints: Constraints = "schema") -> None:
        """Raises `EngineIncapable` for the first needed capability that the server lacks, with the probe's hint."""
        await refuse_incapable(self, constraints)

    async def ask(self, request: AskRequest) -> Reply:
        """Ask once. Raises `DeadlinePassed` after `request.within_s`; the server sees the connection close then."""
        async with time_limit(self.model, [request]), observed_call(self, [request]) as replies:
            served = await self.served()
            try:
                reply = await self._reply(request, served)
            except EngineRefused as refusal:
                raise blame_long_part(refusal, request, self._grid.side) from None
            self.server.throttle.report_times(reply.timing)
            self._grid.learn(request, reply)
            replies.append(reply)
        return reply

    async def _reply(self, request: AskRequest, served: ServedModel) -> Reply:
        """The answer to one request, whose forced beginning is sent where the server goes on from it."""
        body = self.request_body(request, served)
        prefill = self._prefill.prefill(request.constraint, served.guidance)
        if prefill is None:
            return await self._post(body)
        if (whole := await self._begun(prefill, body)) is not None:
            return whole
        reply = await self._post(body)  # a question that is refused for itself keeps its error
        self._prefill.give_up()
        return reply

    async def _begun(self, prefill: Prefill, body: dict[str, Any]) -> Reply | None:
        """The reply that the server goes on with; None if it does not."""
        try:
            reply = await self._post(prefill.sent(body))
        except EngineRefused:
            return None
        whole = prefill.whole(reply)
        if whole is None or self._prefill.proven:
            return whole
        return whole if await self._prefill_check.outcome(lambda: self._goes_on(prefill, body, reply)) else None

    async def _goes_on(self, prefill: Prefill, body: dict[str, Any], begun: Reply) -> bool:
        """Whether the fields make the prompt shorter (`Prefill.closed`). Asked once."""
        try:
            closed = (await self._post(prefill.closed(body))).usage.prompt_tokens
        except EngineRefused:  # the server reads the fields: without them it does not take this turn as the last one
            self._prefill.proven = True
        else:
            sent = begun.usage.prompt_tokens
            self._prefill.proven = sent is not None and closed is not None and sent < closed
        return self._prefill.proven

    async def _post(self, body: dict[str, Any]) -> Reply:
        answer, throttled_s = await self._send("chat/completions", body, [body["messages"]])
        return self._read(answer).throttled(throttled_s)

    async def ask_many(self, requests: Sequence[AskRequest]) -> list[Reply]:
        """Ask all in one HTTP request where the server and the questions allow it, else each by itself, all at once.

        Where the server refuses one such request, it gets none any more, and each question gets an answer, or a
        refusal, of its own: a server without a media cache knows no picture by its name.
        """
        choice = shared_choice(requests)
        if choice is None:
            return await super().ask_many(requests)
        async with time_limit(self.model, requests):
            served = await self.served()
            if served.batches:
                shared = replace(requests[0], constraint=choice, top_logprobs=len(choice.options))
                fields = self.request_fields(shared, served)
                try:
                    async with observed_call(self, requests) as replies:
                        named = [self._pictures.named(messages_json(each.messages)) for each in requests]
                        answer, throttled_s = await self._send(BATCH_PATH, fields, named)
                        batch = read_batch(answer, requests, self.server.address)
                        replies += [reply.throttled(throttled_s) for reply in batch]
                except EngineRefused:
                    if self._batches == "always":
                        raise
                    self._served = replace(served, batches=False)
                else:
                    return replies
        return await super().ask_many(requests)

    async def served(self) -> ServedModel:
        """The model that answers. The server is asked once; callers that come meanwhile wait for the same answer."""
        if self._served is None:
            self._served = await self._lookup.outcome(
                lambda: find_model(self.server, self._wanted, self._guidance, self._batches)
            )
            self._grid.read_name(self._served)
        return self._served

    def request_body(self, request: AskRequest, served: ServedModel) -> dict[str, Any]:
        """The chat completion request that puts this question to the server."""
        messages = messages_json(request.messages)
        return {
            **self.request_fields(request, served),
            "messages": self._pictures.named(messages) if served.batches else messages,
        }

    def request_fields(self, request: AskRequest, served: ServedModel) -> dict[str, Any]:
        """The fields of a chat completion request beside its messages."""
        return {
            "model": served.name,
            # `max_completion_tokens` is newer; every open server reads this name, and some (Ollama, TGI) only this.
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "logprobs": True,
            "top_logprobs": request.top_logprobs,
            **guidance_fields(request.constraint, served.guidance),
            **self._thinking.fields(),
            **_salt(served),
        }

    async def probe(self, workload: Workload | None = None) -> list[Finding]:
        findings = await probe(self, workload)
        if not findings[0].ok:
            return findings
        served = await self.served()
        batches = served.batches
        if workload is not None and served.guidance == "structured_outputs":
            findings = await self._with_working_guidance(findings)
        if self._thinking.refused:
            findings.append(self._thinking.finding())
        if begun := self._prefill.finding(served.guidance):
            findings.append(begun)
        return [
            *findings,
            Finding(
                "questions in one request",
                ok=batches,
                detail=f"taken at /{BATCH_PATH}" if batches else f"not taken at /{BATCH_PATH}, or ONELOOK_BATCH=never",
                needed=False,
                hint=None if batches else "vLLM 0.32 has it; without it, arm reads sends its questions one by one",
            ),
        ]

    async def _with_working_guidance(self, findings: list[Finding]) -> list[Finding]:
        """`findings`, with the guidance that the server keeps as the hint where it does not keep its own."""
        (schema,) = [finding for finding in findings if finding.capability == JSON_SCHEMA]
        if schema.ok:
            return findings
        portable = OpenAIEngine(self.server, model=self.model, guidance="response_format", batches="never")
        try:
            await refuse_incapable(portable)
        except EngineError:
            return findings
        hint = f"set {self.server.variables}GUIDANCE=response_format: the server keeps the same schema that way"
        return [replace(finding, hint=hint) if finding is schema else finding for finding in findings]

    async def check_sleep(self) -> None:
        await self._sleep_mode.check()

    async def sleep(self) -> None:
        await self._sleep_mode.sleep()

    async def wake_up(self) -> None:
        await self._sleep_mode.wake_up()

    async def aclose(self) -> None:
        await self.server.aclose()

    async def _send(self, path: str, fields: Json, conversations: Sequence[list[Json]]) -> Posted:
        """What the server answers to the conversations, one of them except in a batch."""

        async def post(messages: list[list[Json]]) -> Posted:
            body = {**fields, "messages": messages if path == BATCH_PATH else messages[0]}
            return await self._thinking.send(self.server.post, path, body)

        return await self._pictures.send(conversations, post)

    def _read(self, body: dict[str, Any]) -> Reply:
        return read_completion(body, self.server.address, self.server.variables)


def _salt(served: ServedModel) -> dict[str, str]:
    """vLLM's own field: another server could refuse it."""
    scope = cache_scope.get()
    return {"cache_salt": scope} if scope is not None and served.guidance == "structured_outputs" else {}
