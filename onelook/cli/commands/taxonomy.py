"""`onelook taxonomy`: show one, or check one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onelook.cli.failure import reported
from onelook.prompts.taxonomy.document import load_taxonomy

app = typer.Typer(help="Show a taxonomy, or check your own.", no_args_is_help=True, add_completion=False)


@app.command()
def check(file: Annotated[Path, typer.Argument(help="A taxonomy document (YAML).")]) -> None:
    """Report whether a taxonomy can be used, and if not, what is wrong on which line."""
    with reported():
        loaded = load_taxonomy(file)
    attributes = sum(len(category.details) for category in loaded.categories.values())
    typer.echo(f"{file}: good, {len(loaded.categories)} categories with {attributes} attributes")


@app.command()
def show(
    file: Annotated[Path | None, typer.Argument(help="Default: ONELOOK_TAXONOMY, or the bundled taxonomy.")] = None,
) -> None:
    """Draw a taxonomy as a tree: categories, attributes, options, in every language of the document."""
    from onelook.cli.console import out
    from onelook.cli.taxonomy_tree import taxonomy_tree
    from onelook.settings.process import load_settings

    with reported():
        out.print(taxonomy_tree(load_taxonomy(file or load_settings().taxonomy)))
