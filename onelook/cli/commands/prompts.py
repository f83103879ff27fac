"""`onelook prompts show`: what is sent to the model, in every arm."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from onelook.cli.choices import choices, sizes
from onelook.cli.failure import reported
from onelook.cli.locale_language import in_the_users_language
from onelook.cli.options import (
    BaseUrlOption,
    ConfigOption,
    EngineOption,
    JsonOption,
    ModelOption,
    TaxonomyOption,
    TemplatesOption,
    UserLanguageOption,
)
from onelook.cli.run_options import ArmOption, DebiasOption, LongEdgeOption, ReplyFormatOption, ResolutionOption
from onelook.settings.process import Settings, load_settings

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
def show(
    pictures: Annotated[
        list[str] | None, typer.Argument(help="Pictures of one subject, up to 5. Default: one of 1024 x 768 pixels.")
    ] = None,
    arm: ArmOption = None,
    category: Annotated[
        str | None,
        typer.Option(
            help="What the picture is taken for, which decides the details that are asked for. Default: the first with"
            " details; in the arm hybrid, a picture that the router is not sure about."
        ),
    ] = None,
    reply_format: ReplyFormatOption = None,
    language: UserLanguageOption = None,
    resolution: ResolutionOption = None,
    long_edge: LongEdgeOption = None,
    debias: DebiasOption = None,
    as_json: JsonOption = False,
    engine: EngineOption = None,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    taxonomy: TaxonomyOption = None,
    templates: TemplatesOption = None,
    config: ConfigOption = None,
) -> None:
    """Print what is sent to the model about one picture: prompts, constraint and all other fields.

    The graph runs, and its answers are made up: nothing is sent. With --engine vllm the server is asked which model it
    has. A picture's bytes are left out. With the embedded engine and --model, the text after the model's chat template
    is printed too.
    """
    with reported():
        settings = in_the_users_language(
            load_settings(
                engine=engine, model=model, base_url=base_url, taxonomy=taxonomy, templates=templates, config=config
            )
        )
        context = choices(
            arm=arm,
            reply_format=reply_format,
            language=language,
            **sizes(resolution, long_edge),
            debias=debias,
        )
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
