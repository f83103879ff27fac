"""`onelook studio`: LangGraph Studio's local server on onelook's graph."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from onelook.cli.failure import fail, reported
from onelook.cli.option_groups import grouped
from onelook.cli.options import SettingsOptions
from onelook.errors import SettingsError

CONFIG = Path(__file__).parent.parent / "langgraph.json"

# Without them LangGraph's server asks other hosts for its newest version, reports its use, and traces runs.
QUIET = {"LANGGRAPH_NO_VERSION_CHECK": "1", "LANGGRAPH_CLI_NO_ANALYTICS": "1", "LANGSMITH_TRACING": "false"}

# With it LangGraph restores from a checkpoint the types in `onelook.graph.studio.RESTORED` and no others; without it,
# it restores all and warns of each of ours. It is read when LangGraph is imported, so langgraph.json cannot set it.
STRICT = {"LANGGRAPH_STRICT_MSGPACK": "true"}

app = typer.Typer(add_completion=False)


@app.command()
@grouped
def studio(
    *,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 2024,
    browser: Annotated[bool, typer.Option("--browser", help="Open Studio's page, which LangChain hosts.")] = False,
    options: SettingsOptions,
) -> None:
    """Open the graph in LangGraph Studio's local server: no key, and nothing leaves this machine.

    Studio's own page is LangChain's: the browser loads it from smith.langchain.com, and it talks to this server. The
    server keeps its threads in the folder .langgraph_api of the working directory.
    """
    with reported():
        options.load()
        if find_spec("langgraph_cli") is None or find_spec("langgraph_api") is None:
            fail(SettingsError("LangGraph Studio's server is not installed", hint="pip install 'onelook[studio]'"))
        # The server imports the graph by its name, so options reach it through the environment.
        given = {f"ONELOOK_{name.upper()}": str(value) for name, value in options.given.items()}
        os.environ.update(QUIET | STRICT | given)
        from langgraph_cli.cli import cli

        words = ["dev", "--config", str(CONFIG), "--host", host, "--port", str(port), "--no-reload"]
        cli(args=words if browser else [*words, "--no-browser"], prog_name="langgraph")
