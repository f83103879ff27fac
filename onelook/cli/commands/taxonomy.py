"""`onelook taxonomy`: begin one, show one, or check one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from onelook.cli.failure import fail, reported
from onelook.cli.options import ConfigOption
from onelook.errors import SettingsError
from onelook.prompts.taxonomy.document import STARTERS, load_taxonomy

app = typer.Typer(help="Show a taxonomy, or begin and check your own.", no_args_is_help=True, add_completion=False)

FileArgument = Annotated[Path, typer.Argument(help="A taxonomy document (YAML).")]


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("taxonomy.yaml"),
    language: Annotated[Literal["en", "zh"], typer.Option(help="The language of its labels and comments.")] = "en",
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there already.")] = False,
) -> None:
    """Write a small taxonomy with comments, to begin your own with. docs/taxonomy.md describes every key."""
    with reported():
        if file.exists() and not force:
            fail(SettingsError(f"{file} exists already", hint="name another file, or replace this one with --force"))
        try:
            file.write_bytes((STARTERS / f"starter.{language}.yaml").read_bytes())
        except OSError as error:
            fail(SettingsError(f"{file} cannot be written: {error.strerror}", hint="name another FILE"))
    typer.echo(f"written: {file}\nnext: onelook taxonomy check {file}")


@app.command()
def check(file: FileArgument) -> None:
    """Report whether a taxonomy can be used, and if not, what is wrong on which line."""
    with reported():
        loaded = load_taxonomy(file)
    attributes = sum(len(category.details) for category in loaded.categories.values())
    languages = ", ".join(loaded.languages)
    typer.echo(f"{file}: good, {len(loaded.categories)} categories with {attributes} attributes, in {languages}")


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
