"""Can this engine do what onelook needs, and does it do so at full strength? Every engine gets the same questions."""

from __future__ import annotations

import orjson

from onelook.engines.base import Choice, Constraint, Constraints, Engine, Finding, Reply, Workload
from onelook.engines.checks.context import check_context
from onelook.engines.checks.picture import check_picture_size
from onelook.engines.checks.prefix_cache import check_prefix_cache
from onelook.engines.checks.probabilities import check_masked, check_not_all_zero
from onelook.engines.checks.questions import MAX_TOKENS, SCHEMA, SIDE, WORDS, short_question
from onelook.engines.checks.thinking import check_thinking
from onelook.errors import EngineError, EngineIncapable, EngineRefused, ReplyError
from onelook.settings.hints import set_to

ANSWERS = "answers"
JSON_SCHEMA = "JSON schema"
SCHEMA_TEXTS = tuple(f'{{"word":"{word}"}}' for word in WORDS)
NO_SCHEMA = (
    "the server must do guided decoding; on vLLM set ONELOOK_GUIDANCE=structured_outputs, on an older one"
    f" ONELOOK_GUIDANCE=response_format; a server that cannot do it runs {set_to(ONELOOK_RUN__ARM='legacy')}"
)


async def probe(engine: Engine, workload: Workload | None = None) -> list[Finding]:
    """One finding for each capability, needed ones first; with `workload` also what degrades answers without an error.

    Raises nothing that is not a bug: a failure is a finding.
    """
    try:
        first, schema = await _ask_schema(engine)
    except ReplyError as error:
        return [check_thinking(error)]
    except EngineError as error:
        return [_no_answer(error)]
    try:
        second = await _ask(engine, Choice(WORDS))
    except (EngineIncapable, EngineRefused) as error:
        second, choice = first, _no_choice(error.message, error.hint)
    except EngineError as error:
        return [_no_answer(error), schema]
    else:
        choice = _keeps_choice(second)
    answers = Finding(ANSWERS, ok=True, detail=f"model {engine.model}")
    findings = [answers, schema, choice, *_extras(second)]
    if workload is not None:
        findings += await _full_strength(engine, workload, first, second)
    return findings


async def _ask_schema(engine: Engine) -> tuple[Reply, Finding]:
    """A reply, and whether it was held to a schema: a server that refuses schemas may answer without one."""
    try:
        reply = await _ask(engine, SCHEMA)
    except (EngineIncapable, EngineRefused) as error:
        return await _ask(engine, None), Finding(JSON_SCHEMA, ok=False, detail=error.message, hint=NO_SCHEMA)
    return reply, _keeps_schema(reply)


async def _full_strength(engine: Engine, workload: Workload, first: Reply, second: Reply) -> list[Finding]:
    """`first` and `second`: the replies to the questions with a schema and with a choice."""
    findings: list[Finding | None] = []
    try:
        free: Reply | ReplyError = await _ask(engine, None)
    except ReplyError as error:
        free = error
    except EngineError as error:
        return [_no_answer(error)]
    findings.append(check_thinking(free))
    if isinstance(free, ReplyError) or free.thoughts:
        return [finding for finding in findings if finding is not None]  # one token would be a thought
    findings.append(_counts_tokens(free))
    findings.append(check_not_all_zero([first, second, free]))
    findings.append(check_masked(second, WORDS) or check_masked(first, SCHEMA_TEXTS))
    try:
        findings += await _long_questions(engine, workload)
    except EngineError as error:
        findings.append(_no_answer(error))
    return [finding for finding in findings if finding is not None]


async def _long_questions(engine: Engine, workload: Workload) -> list[Finding | None]:
    grid = engine.capabilities.size_grid
    side = workload.long_edge // grid * grid
    longest = workload.longest(side)
    try:
        outcome: Reply | EngineRefused = await engine.ask(longest)
    except EngineRefused as refusal:
        outcome = refusal
    context = check_context(longest, outcome)
    if isinstance(outcome, EngineRefused):
        return [context]
    size = check_picture_size(outcome.usage.image_tokens, side, grid)
    return [context, size, *await check_prefix_cache(engine, longest)]


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
    return await engine.ask(short_question(constraint))


def _no_answer(error: EngineError) -> Finding:
    return Finding(ANSWERS, ok=False, detail=error.message, hint=error.hint)


def _keeps_schema(reply: Reply) -> Finding:
    try:
        kept = orjson.loads(reply.text) in [{"word": word} for word in WORDS]
    except orjson.JSONDecodeError:
        kept = False
    if kept:
        return Finding(JSON_SCHEMA, ok=True, detail=f"kept: {reply.text}")
    cut = f", cut off at {MAX_TOKENS} tokens" if reply.stop_reason == "length" else ""
    return Finding(
        JSON_SCHEMA,
        ok=False,
        detail=f"not kept: asked for {SCHEMA.regex}, got {reply.text[:80]!r}{cut}",
        hint=NO_SCHEMA,
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
        hint=hint
        or "--arm reads and --reply-format compact need it; without it:"
        f" {set_to(ONELOOK_RUN__ARM='fused', ONELOOK_RUN__REPLY_FORMAT='json')}",
    )


def _counts_tokens(reply: Reply) -> Finding:
    counts = reply.usage
    if counts.prompt_tokens is not None and counts.completion_tokens is not None:
        return Finding(
            "token counts",
            ok=True,
            detail=f"{counts.prompt_tokens} read, {counts.completion_tokens} written",
            needed=False,
        )
    return Finding(
        "token counts",
        ok=False,
        detail="asked for a greeting, and the reply has no `usage`: results cannot show what a picture costs, and a"
        " prompt that is cut off or a resampled picture is not seen",
        needed=False,
        hint="update the server, or the proxy before it: every OpenAI-compatible server sends `usage` with a reply",
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
