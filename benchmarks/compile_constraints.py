"""How long a grammar backend takes to compile constraints, in whatever Python has one: this file imports no onelook.

Reads `{"tokenizer": FOLDER, "constraints": {NAME: {"regex": …, "schema": …}}}` from standard input, and writes
`{NAME: {"xgrammar_regex_ms": …, …}}`; a backend that refuses a constraint has `null`. Each is compiled with an empty
cache, as the first request of a server has it, and its first mask is computed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from transformers import AutoTokenizer

Compile = Callable[[str, str], None]


def xgrammar_compiler(tokenizer: Any) -> Compile:
    import xgrammar

    info = xgrammar.TokenizerInfo.from_huggingface(tokenizer)
    bitmask = xgrammar.allocate_token_bitmask(1, info.vocab_size)

    def compile_one(kind: str, text: str) -> None:
        compiler = xgrammar.GrammarCompiler(info, cache_enabled=False)
        # As vLLM calls it for a schema (backend_xgrammar.py), but for the whitespace between tokens.
        grammar = compiler.compile_regex(text) if kind == "regex" else compiler.compile_json_schema(text)
        xgrammar.GrammarMatcher(grammar).fill_next_token_bitmask(bitmask)

    return compile_one


def guidance_compiler(tokenizer: Any) -> Compile:
    llguidance = import_module("llguidance")  # not in the application's own environment

    vocabulary = import_module("llguidance.hf").from_tokenizer(tokenizer)

    def compile_one(kind: str, text: str) -> None:
        grammar = llguidance.grammar_from("regex" if kind == "regex" else "json_schema", text)
        matcher = llguidance.LLMatcher(vocabulary, grammar)
        if matcher.is_error():
            raise ValueError(matcher.get_error())
        matcher.compute_bitmask()

    return compile_one


def backends(tokenizer: Any) -> Iterator[tuple[str, Compile]]:
    if find_spec("xgrammar"):
        yield "xgrammar", xgrammar_compiler(tokenizer)
    if find_spec("llguidance"):
        yield "guidance", guidance_compiler(tokenizer)


def milliseconds(compile_one: Compile, kind: str, text: str) -> float | None:
    """The fastest of three; one where it takes longer than two seconds."""
    best: float | None = None
    for _ in range(3):
        started = time.perf_counter()
        try:
            compile_one(kind, text)
        except (ValueError, RuntimeError) as error:
            print(f"{kind} of {len(text)} bytes: {error!s:.200}", file=sys.stderr)
            return None
        taken = (time.perf_counter() - started) * 1000
        best = taken if best is None else min(best, taken)
        if taken > 2000:
            break
    return best


def main() -> None:
    given = json.load(sys.stdin)
    compilers = list(backends(AutoTokenizer.from_pretrained(given["tokenizer"])))
    json.dump(
        {
            name: {
                f"{backend}_{kind}_ms": milliseconds(compile_one, kind, text)
                for backend, compile_one in compilers
                for kind, text in kinds.items()
            }
            for name, kinds in given["constraints"].items()
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
