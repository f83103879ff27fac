"""What a taxonomy's size costs: bytes and tokens of its prompt, bytes of its constraints, and time to compile them.

    python -m benchmarks.taxonomy_size --json build/bench/taxonomy_size.json
    python -m benchmarks.taxonomy_size --tokenizer FOLDER --python .venv-vllm/bin/python

`--tokenizer`: of a real model; the bundled model's vocabulary is small, so it compiles faster. `--python`: compiles in
another environment too, where it finds vLLM's own backends (xgrammar and llguidance).

10, 100 and 1,000 options: of one attribute from which one is chosen, of one from which any number is, and of the
category. And 40 categories with 8 attributes of 8 options: each with attributes of its own, and all with the same ones.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from transformers import AutoTokenizer

from benchmarks.report import write_report
from onelook.constraint import Choice, Constraint, JsonSchema
from onelook.demo.checkpoint import MODEL
from onelook.prompts.questions import Prompts
from onelook.prompts.taxonomy.document import parse_taxonomy

OPTIONS = (10, 100, 1000)
CATEGORIES, ATTRIBUTES, VALUES = 40, 8, 8
COMPILER = Path(__file__).with_name("compile_constraints.py")


@dataclass(frozen=True, slots=True)
class Sized:
    """A taxonomy, by its prompt and by what its fused replies are held to. `tokens`: of the system prompt."""

    prompt: str
    tokens: int
    json: str
    schema: str
    compact: str


def text(words: str) -> dict[str, str]:
    return {"en": words}


def attribute(name: str, options: int, choose: str = "one") -> dict[str, Any]:
    words = {f"o{number}": text(f"{name} option {number:03}") for number in range(options)}
    return {"label": text(name), "choose": choose, "options": words}


def category(name: str, **more: Any) -> dict[str, Any]:
    return {"label": text(name), "when": text(f"a picture of {name}"), **more}


def documents() -> dict[str, dict[str, Any]]:
    """Taxonomy documents by the name of their figures."""
    found = {}
    for count in OPTIONS:
        for choose in ("one", "many"):
            details = {"kind": attribute("kind", count, choose)}
            found[f"{choose}_of_{count}"] = {"things": category("things", details=details), "other": category("other")}
        found[f"{count}_categories"] = {f"c{each}": category(f"category {each:04}") for each in range(count)}
    kinds = ["one", "many"] * (ATTRIBUTES // 2)
    found["40x8_apart"] = {
        f"c{each}": category(
            f"category {each:02}",
            details={
                f"attribute_{at}": attribute(f"attribute {each:02} {at}", VALUES, choose)
                for at, choose in enumerate(kinds)
            },
        )
        for each in range(CATEGORIES)
    }
    details = {f"attribute_{at}": attribute(f"attribute 00 {at}", VALUES, kind) for at, kind in enumerate(kinds)}
    found["40x8_shared"] = {f"c{each}": category(f"category {each:02}", details=details) for each in range(CATEGORIES)}
    return {name: {"name": name, "categories": categories} for name, categories in found.items()}


def sized(document: Mapping[str, Any], tokenizer: Any) -> Sized:
    prompts = Prompts(parse_taxonomy(document), "en")
    constraint = prompts.fused("json").constraint
    if not isinstance(constraint, JsonSchema):
        raise TypeError(constraint)
    return Sized(
        prompt=prompts.system,
        tokens=len(tokenizer(prompts.system)["input_ids"]),
        json=constraint.regex,
        schema=json.dumps(constraint.schema, ensure_ascii=False, separators=(",", ":")),
        compact=pattern(prompts.fused("compact").constraint),
    )


def pattern(constraint: Constraint | None) -> str:
    match constraint:
        case None:
            return ""
        case JsonSchema(regex=regex):
            return regex
        case Choice(options=options):
            return "|".join(options)
        case _:
            return constraint.pattern


def compile_times(python: str, tokenizer: Path, taxonomies: Mapping[str, Sized]) -> dict[str, dict[str, float | None]]:
    """Milliseconds per taxonomy and backend, measured in a process of its own."""
    given = {
        "tokenizer": str(tokenizer),
        "constraints": {name: {"regex": each.json, "schema": each.schema} for name, each in taxonomies.items()},
    }
    command = [python, "-P", str(COMPILER)]  # -P: this folder has an http.py
    done = subprocess.run(command, input=json.dumps(given), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


app = typer.Typer(add_completion=False)


@app.command()
def main(
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    tokenizer: Annotated[Path, typer.Option(help="Folder of a tokenizer.", file_okay=False)] = MODEL,
    python: Annotated[str | None, typer.Option(help="Python of an environment with vLLM's grammar backends.")] = None,
) -> None:
    """Measure what a taxonomy's size costs: prompt, constraints, and the time to compile them."""
    words = AutoTokenizer.from_pretrained(str(tokenizer), model_max_length=sys.maxsize)
    taxonomies = {name: sized(document, words) for name, document in documents().items()}
    times = compile_times(python or sys.executable, tokenizer, taxonomies)
    backends = list(next(iter(times.values())))
    table = Table("taxonomy", "prompt: bytes", "tokens", "JSON regex", "JSON Schema", "compact regex", *backends)
    figures: dict[str, float | int | str | None] = {"tokenizer": tokenizer.name}
    for name, each in taxonomies.items():
        sizes = {
            "prompt_bytes": len(each.prompt.encode()),
            "prompt_tokens": each.tokens,
            "regex_bytes": len(each.json.encode()),
            "schema_bytes": len(each.schema.encode()),
            "compact_bytes": len(each.compact.encode()),
        }
        figures |= {f"{name}_{what}": size for what, size in sizes.items()}
        figures |= {f"{name}_{what}": taken for what, taken in times[name].items()}
        taken = ("–" if value is None else f"{value:,.1f}" for value in times[name].values())
        table.add_row(name, *(f"{size:,}" for size in sizes.values()), *taken)
    Console(width=180).print(table)
    if json is not None:
        json.parent.mkdir(parents=True, exist_ok=True)
        write_report(json, figures)


if __name__ == "__main__":
    app()
