"""Run by vLLM's own Python, not by ours: what vLLM makes of some `vllm serve` commands, without a GPU and a network.

Standard input: a JSON list of commands, each the list of the words after `vllm`. Standard output: a JSON object with
`options` (option -> name of its value) and `commands`, for each the `values`, or the `error` that a user would read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import sys
from importlib import import_module
from typing import Any


def read(parser: Any, serve: Any, words: list[str]) -> dict[str, Any]:
    """The values that `words` set, after every check that vLLM makes before it looks at the model."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            arguments = parser.parse_args(words)
        serve.validate(arguments)
        check(import_module("vllm").AsyncEngineArgs.from_cli_args(arguments))
    except SystemExit:  # argparse ends the process on a wrong option, having said why
        return {"error": said.getvalue()}
    except (ValueError, import_module("vllm.exceptions").VLLMValidationError) as error:  # Pydantic's is a ValueError
        return {"error": f"{type(error).__name__}: {error}"}
    return {"values": vars(arguments)}


def check(engine: Any) -> None:
    """Those parts of the engine's configuration that can be built without the model's own."""
    config = import_module("vllm.config")
    engine.create_load_config()
    config.MultiModalConfig(limit_per_prompt=engine.limit_mm_per_prompt, mm_processor_kwargs=engine.mm_processor_kwargs)
    config.CacheConfig(gpu_memory_utilization=engine.gpu_memory_utilization)
    if engine.max_num_batched_tokens is not None:
        config.SchedulerConfig(
            max_model_len=engine.max_model_len,
            max_num_batched_tokens=engine.max_num_batched_tokens,
            is_encoder_decoder=False,
        )
    engine.create_speculative_config(target_model_config=None, target_parallel_config=None)
    known = [*import_module("vllm.model_executor.layers.quantization").QUANTIZATION_METHODS, "bitsandbytes", None]
    if engine.quantization not in known:  # bitsandbytes comes with the package vllm-bnb-plugin
        raise ValueError(f"unknown quantization {engine.quantization!r}")


def plain(value: Any) -> Any:
    """A part of the configuration as a mapping of those of its fields that JSON has words for."""
    if not dataclasses.is_dataclass(value):
        return str(value)
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return {name: each for name, each in fields.items() if isinstance(each, bool | int | str | list)}


def main() -> None:
    serve = import_module("vllm.entrypoints.cli.serve").ServeSubcommand()
    parser = import_module("vllm.utils.argparse_utils").FlexibleArgumentParser(prog="vllm")
    options = serve.subparser_init(parser.add_subparsers(dest="subparser"))
    answers = [read(parser, serve, words) for words in json.load(sys.stdin)]
    names = {option: action.dest for action in options._actions for option in action.option_strings}
    json.dump({"options": names, "commands": answers}, sys.stdout, default=plain)


if __name__ == "__main__":
    main()
