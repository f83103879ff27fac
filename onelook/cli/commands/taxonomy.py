"""`onelook taxonomy`: begin one, show one, or check one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from onelook.cli.failure import fail, reported
from onelook.cli.option_groups import Only, grouped
from onelook.cli.options import ConfigOption, JsonOption, SettingsOptions
from onelook.cli.run_options import RunOptions
from onelook.errors import EngineIncapable, SettingsError
from onelook.prompts.languages import TEMPLATES
from onelook.prompts.taxonomy.document import STARTERS, load_taxonomy

if TYPE_CHECKING:
    from onelook.engines.transformers.local_prompts import LocalPrompts
    from onelook.settings.process import Settings

app = typer.Typer(help="Show a taxonomy, or begin and check your own.", no_args_is_help=True, add_completion=False)

FileArgument = Annotated[Path, typer.Argument(help="A taxonomy document (YAML).")]


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("taxonomy.yaml"),
    language: Annotated[Literal["en", "zh"], typer.Option(help="The language of its labels and comments.")] = "en",
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there already.")] = False,
) -> None:
    """Write a small taxonomy with comments, to begin your own with. docs/taxonomy.md describes every key.

    An attribute that several categories have is written once, under `shared`, and named in each of them.
    """
    with reported():
        if file.exists() and not force:
            fail(SettingsError(f"{file} exists already", hint="name another file, or replace this one with --force"))
        try:
            file.write_bytes((STARTERS / f"starter.{language}.yaml").read_bytes())
        except OSError as error:
            fail(SettingsError(f"{file} cannot be written: {error.strerror}", hint="name another FILE"))
    typer.echo(f"written: {file}\nnext: onelook taxonomy check {file}")


@app.command()
@grouped
def check(
    file: FileArgument,
    *,
    as_json: JsonOption = False,
    choices: Annotated[RunOptions, Only("language", "long_edge")],
    options: Annotated[SettingsOptions, Only("engine", "model", "templates", "config")],
) -> None:
    """Report whether a taxonomy can be used, and if not, what is wrong on which line; then what each arm needs.

    Per arm: whether it fits, the longest prompt, the longest answer, the size of the constraint, and letters. With a
    model on this machine (--model) prompts are counted in its tokens, and must fit into its context. Nothing is asked
    of a model. The exit code is 0 if the taxonomy can be used, also where some arm does not fit.
    """
    with reported():
        loaded = load_taxonomy(file, options.templates or TEMPLATES)
        from onelook.cli.arm_table import arm_rows, as_data, no_tokenizer
        from onelook.cli.arm_table import show as show_arms
        from onelook.demo.checkpoint import with_demo_models
        from onelook.settings.choices import complete
        from onelook.tagger import build_services

        settings = options.load(taxonomy=file)
        router = settings.router  # as it is set: a demo model's router is not looked at where no model is named
        demo = with_demo_models(settings).model_copy(update={"router": router, "specialist": None, "residency": "both"})
        services = build_services(demo)
        context = complete(choices.context(), services.run)
        local = local_prompts(settings)
        rows = arm_rows(services, context, local)
    attributes = sum(len(category.details) for category in loaded.categories.values())
    shared = list(services.prompts[context.language].shared)
    if as_json:
        from onelook.cli.write_json import write_json

        write_json(
            {
                "taxonomy": loaded.name,
                "version": loaded.version,
                "categories": len(loaded.categories),
                "attributes": attributes,
                "shared": shared,
                "languages": list(loaded.languages),
                "language": context.language,
                "tokenizer": None if local is None else local.tokenizer,
                "arms": as_data(rows, local),
            },
            indent=2,
        )
        return
    languages = ", ".join(loaded.languages)
    typer.echo(f"{file}: good, {len(loaded.categories)} categories with {attributes} attributes, in {languages}")
    if shared:
        typer.echo(f"shared by several categories, so written once in the prompt: {', '.join(shared)}")
    typer.echo()
    show_arms(rows, context, local, no_tokenizer(settings))


def local_prompts(settings: Settings) -> LocalPrompts | None:
    """The processor of the model that is set; None if none is, or if it is a server's and not on this machine."""
    if settings.model is None:
        return None
    from onelook.engines.transformers.local_prompts import read_local_prompts

    try:
        return read_local_prompts(settings.model, settings)
    except EngineIncapable:
        if settings.engine == "embedded":
            raise
        return None


@app.command()
def show(
    file: Annotated[Path | None, typer.Argument(help="Default: ONELOOK_TAXONOMY, or the bundled taxonomy.")] = None,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="The document itself, with its comments.")] = False,
    config: ConfigOption = None,
) -> None:
    """Draw a taxonomy as a tree: categories, attributes, options, in every language of the document."""
    from onelook.settings.process import load_settings

    with reported():
        file = file or load_settings(config=config).taxonomy
        loaded = load_taxonomy(file)
        if as_yaml:
            sys.stdout.write(file.read_text(encoding="utf-8-sig"))
            return
        from onelook.cli.console import out
        from onelook.cli.taxonomy_tree import taxonomy_tree

        out.print(taxonomy_tree(loaded))
