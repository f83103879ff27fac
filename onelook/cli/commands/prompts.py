"""`onelook prompts show`: what is sent to the model, in every arm."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from onelook.cli.failure import reported
from onelook.cli.locale_language import in_the_users_language
from onelook.cli.option_groups import Only, grouped
from onelook.cli.options import JsonOption, SettingsOptions
from onelook.cli.run_options import ArmOption, UserRunOptions
from onelook.settings.process import Settings

if TYPE_CHECKING:
    from onelook.engines.transformers.local_prompts import LocalPrompts

EXAMPLES = """
Examples:

\b
  onelook prompts show --arm legacy --category animal
      the two calls about a picture that is taken for an animal
  onelook prompts show --taxonomy mine.yaml --json
      the bodies of the requests, as they are sent
"""

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def prompts() -> None:
    """Show what is sent to the model."""


@app.command(epilog=EXAMPLES)
@grouped
def show(
    pictures: Annotated[
        list[str] | None, typer.Argument(help="Pictures of one subject, up to 5. Default: one of 1024 x 768 pixels.")
    ] = None,
    *,
    arm: ArmOption = None,
    category: Annotated[
        str | None,
        typer.Option(
            help="What the picture is taken for, which decides the details that are asked for. Default: the first with"
            " details; in the arm hybrid, a picture that the router is not sure about."
        ),
    ] = None,
    choices: Annotated[UserRunOptions, Only("reply_format", "language", "resolution", "long_edge", "debias")],
    as_json: JsonOption = False,
    options: SettingsOptions,
) -> None:
    """Print what is sent to the model about one picture: prompts, constraint and all other fields.

    The graph runs, and its answers are made up: nothing is sent. With --engine vllm the server is asked which model it
    has. A picture's bytes are left out. With the embedded engine and --model, the text after the model's chat template
    is printed too.
    """
    with reported():
        settings = in_the_users_language(options.load())
        context = choices.context(arm=arm)
        from onelook.cli.sent_prompts import sent_prompts
        from onelook.cli.sent_prompts_text import as_data, as_text
        from onelook.cli.write_json import write_json, write_text

        local = local_prompts(settings)
        if settings.size_grid is None and local is not None:
            settings = settings.model_copy(update={"size_grid": local.size_grid})
        sent = asyncio.run(sent_prompts(settings, context, category=category, pictures=pictures or ()))
        if as_json:
            write_json(as_data(sent, local, engine=settings.engine), indent=2)
        else:
            write_text(as_text(sent, local, engine=settings.engine))


def local_prompts(settings: Settings) -> LocalPrompts | None:
    """What the model that runs in this process makes of a question, if one is named."""
    if settings.engine != "embedded" or settings.model is None:
        return None
    from onelook.engines.transformers.local_prompts import read_local_prompts

    return read_local_prompts(settings.model, settings)
