"""Can this engine do what onelook needs? Every engine gets the same two small questions about one small picture."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence

import orjson
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from PIL import Image

from onelook.engines.base import AskRequest, Choice, Constraint, Constraints, Engine, Finding, JsonSchema, Reply
from onelook.errors import EngineError, EngineIncapable, EngineRefused

# Words that no model writes by itself in answer to a greeting: only a constraint that was kept explains them.
WORDS = ("zebra", "quartz")
SCHEMA = JsonSchema(
    schema={
        "type": "object",
        "properties": {"word": {"enum": list(WORDS)}},
        "required": ["word"],
        "additionalProperties": False,
    },
    regex=r'\{"word":"(zebra|quartz)"\}',
)
MAX_TOKENS = 64
SIDE = 224


async def probe(engine: Engine) -> list[Finding]:
    """One finding for each capability, needed ones first. Raises nothing that is not a bug: a failure is a finding."""
    try:
        first = await _ask(engine, SCHEMA)
    except EngineError as error:
        return [_no_answer(error)]
    try:
        second = await _ask(engine, Choice(WORDS))
    except (EngineIncapable, EngineRefused) as error:
        second, choice = first, _no_choice(error.message, error.hint)
    except EngineError as error:
        return [_no_answer(error), _keeps_schema(first)]
    else:
        choice = _keeps_choice(second)
    answers = Finding("answers", ok=True, detail=f"model {engine.model}")
    return [answers, _keeps_schema(first), choice, *_extras(second)]


async def refuse_incapable(engine: Engine, constraints: Constraints = "schema") -> None:
    """Ask for what runs need, replies held to `constraints`: one question, two for `regex`.

    Raises:
        EngineIncapable: it is missing; with the probe's hint.
    """
    try:
        finding = await _first_missing(engine, constraints)
    except EngineError as error:
        finding = _no_answer(error)
    if finding is not None:
        raise EngineIncapable(f"{finding.capability}: {finding.detail}", hint=finding.hint)


async def _first_missing(engine: Engine, constraints: Constraints) -> Finding | None:
    if constraints == "none":
        await _ask(engine, None)
        return None
    finding = _keeps_schema(await _ask(engine, SCHEMA))
    if finding.ok and constraints == "regex":
        try:
            finding = _keeps_choice(await _ask(engine, Choice(WORDS)))
        except (EngineIncapable, EngineRefused) as error:
            finding = _no_choice(error.message, error.hint)
    return None if finding.ok else finding


async def _ask(engine: Engine, constraint: Constraint | None) -> Reply:
    return await engine.ask(AskRequest(_messages(), constraint, max_tokens=MAX_TOKENS, top_logprobs=2))


def _no_answer(error: EngineError) -> Finding:
    return Finding("answers", ok=False, detail=error.message, hint=error.hint)


def _messages() -> Sequence[BaseMessage]:
    file = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE), "teal").save(file, "PNG")
    url = f"data:image/png;base64,{b64encode(file.getvalue()).decode('ascii')}"
    picture = {"type": "image_url", "image_url": {"url": url}}
    return [
        SystemMessage("You are polite."),
        HumanMessage([picture, {"type": "text", "text": "Say hello."}]),
    ]


def _keeps_schema(reply: Reply) -> Finding:
    try:
        kept = orjson.loads(reply.text) in [{"word": word} for word in WORDS]
    except orjson.JSONDecodeError:
        kept = False
    if kept:
        return Finding("JSON schema", ok=True, detail=f"kept: {reply.text}")
    cut = f", cut off at {MAX_TOKENS} tokens" if reply.stop_reason == "length" else ""
    return Finding(
        "JSON schema",
        ok=False,
        detail=f"not kept: asked for {SCHEMA.regex}, got {reply.text[:80]!r}{cut}",
        hint="the server must do guided decoding; on vLLM set ONELOOK_GUIDANCE=structured_outputs, on an older one"
        " ONELOOK_GUIDANCE=response_format; a server that cannot do it runs --arm legacy or ONELOOK_RUN__ARM=legacy",
    )


def _keeps_choice(reply: Reply) -> Finding:
    if reply.text in WORDS:
        return Finding("regex and choice", ok=True, detail=f"kept: {reply.text}", needed=False)
    return _no_choice(f"not kept: asked for one of {', '.join(WORDS)}, got {reply.text[:80]!r}", None)


def _no_choice(detail: str, hint: str | None) -> Finding:
    return Finding(
        "regex and choice",
        ok=False,
        detail=detail,
        needed=False,
        hint=hint or "--arm reads and --reply-format compact need it; --arm fused --reply-format json does not",
    )


def _extras(reply: Reply) -> list[Finding]:
    """What a result does not need; without it a field is None. `reply` is to a second question about the picture."""
    usage, timing = reply.usage, reply.timing

    def extra(capability: str, detail: str | None, hint: str) -> Finding:
        missing = detail is None
        return Finding(
            capability, ok=not missing, detail=detail or "not reported", needed=False, hint=hint if missing else None
        )

    return [
        extra(
            "logprobs",
            f"{len(reply.tokens)} tokens with probabilities" if reply.tokens else None,
            "without them no label has a confidence, and every result needs review",
        ),
        extra(
            "cached tokens",
            None if usage.cached_tokens is None else f"{usage.cached_tokens} of {usage.prompt_tokens} prompt tokens",
            "start vLLM with --enable-prompt-tokens-details",
        ),
        extra(
            "image tokens",
            None if usage.image_tokens is None else f"{usage.image_tokens} for {SIDE} x {SIDE} pixels",
            "start vLLM with --enable-prompt-tokens-details",
        ),
        extra(
            "server timing",
            None if timing.first_token_ms is None else f"first token after {timing.first_token_ms:.1f} ms",
            "start vLLM with --enable-per-request-metrics",
        ),
    ]
