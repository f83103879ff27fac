"""`onelook config`: every setting, its value, and where it came from."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from onelook.cli.failure import reported
from onelook.cli.options import BaseUrlOption, EngineOption, JsonOption, ModelOption, TaxonomyOption, TemplatesOption
from onelook.cli.write_json import write_json
from onelook.settings.process import Row, load_settings, sources

WIDE = 110  # columns of a terminal in which there is room for descriptions

app = typer.Typer(add_completion=False)


@app.command()
def config(
    as_json: JsonOption = False,
    engine: EngineOption = None,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    taxonomy: TaxonomyOption = None,
    templates: TemplatesOption = None,
) -> None:
    """Print every setting, its value, and where it came from: argument, environment or default."""
    with reported():
        arguments = {
            "engine": engine,
            "model": model,
            "base_url": base_url,
            "taxonomy": taxonomy,
            "templates": templates,
        }
        rows = sources(load_settings(**arguments), arguments)
    if as_json:
        write_json({row.name: {"value": row.value, "source": row.source} for row in rows}, indent=2)
    else:
        show(rows)


def show(rows: Sequence[Row]) -> None:
    """As a table; what is not a default is green."""
    from rich.table import Table
    from rich.text import Text

    from onelook.cli.console import out

    table = Table(box=None, pad_edge=False, header_style="bold")
    columns = ("setting", "value", "from", "what it is") if out.width >= WIDE else ("setting", "value", "from")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        style = "" if row.source == "default" else "green"
        cells = (row.name, Text(str(row.value), style=style), Text(row.source, style=style), row.description)
        table.add_row(*cells[: len(columns)])
    out.print(table)
    out.print(Text("environment: ONELOOK_ + the setting's name in upper case, a dot as two underscores", style="dim"))
