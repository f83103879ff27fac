"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EngineOption = Annotated[str | None, typer.Option("--engine", help="embedded (in this process) or vllm (a server).")]
ModelOption = Annotated[str | None, typer.Option("--model", help="Model name, Hugging Face id or folder.")]
BaseUrlOption = Annotated[str | None, typer.Option("--base-url", help="Server address, such as http://host:8000/v1.")]
TaxonomyOption = Annotated[Path | None, typer.Option("--taxonomy", help="Your own taxonomy (YAML).")]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings file (TOML). Default: ONELOOK_CONFIG, or ./onelook.toml.")
]
TemplatesOption = Annotated[Path | None, typer.Option("--templates", help="A folder with your own prompt templates.")]
LanguageOption = Annotated[
    str | None, typer.Option("--language", help="The language that the model reads and writes: en, zh, de …")
]
JsonOption = Annotated[bool, typer.Option("--json", help="As one JSON object.")]
