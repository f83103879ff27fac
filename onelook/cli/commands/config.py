"""`onelook config`: every setting, its value, and where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import typer

from onelook.cli.failure import reported
from onelook.cli.locale_language import in_language, locale_language
from onelook.cli.option_groups import grouped
from onelook.cli.options import JsonOption, SettingsOptions
from onelook.cli.write_json import write_json
from onelook.errors import UserError
from onelook.settings.process import Row, other_variables, sources

WIDE = 110  # columns of a terminal in which there is room for descriptions

app = typer.Typer(add_completion=False)


@app.command("config")
@grouped
def print_config(
    *,
    as_json: JsonOption = False,
    options: SettingsOptions,
) -> None:
    """Print every setting, its value, and its source: option, environment, file, locale or default."""
    with reported():
        settings = options.load()
        locale = None
        with suppress(UserError):  # of the taxonomy; the settings are shown all the same
            locale = locale_language(settings)
        rows = sources(in_language(settings, locale), options.given, locale)
    if as_json:
        write_json(
            {row.name: {"value": row.value, "source": row.source, "description": row.description} for row in rows},
            indent=2,
        )
    else:
        show(rows)


def show(rows: Sequence[Row]) -> None:
    """As a table; in a narrow terminal as a list, with each description below its setting. No default is green."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from onelook.cli.console import out

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("setting", "value", "from", "what it is"):
        table.add_column(column, overflow="fold")
    for row in rows:
        style = "" if row.source == "default" else "green"
        if out.width < WIDE:
            out.print(Text.assemble((row.name, "bold"), " = ", (str(row.value), style), (f"  ({row.source})", style)))
            out.print(Padding(Text(row.description, style="dim"), (0, 0, 0, 4)))
        else:
            table.add_row(row.name, Text(str(row.value), style=style), Text(row.source, style=style), row.description)
    if out.width >= WIDE:
        out.print(table)
    out.print(Text("environment: ONELOOK_ + the setting's name in upper case, a dot as two underscores", style="dim"))
    if unknown := other_variables():
        out.print(Text(f"in the environment, but no settings: {', '.join(unknown)}", style="yellow"))
