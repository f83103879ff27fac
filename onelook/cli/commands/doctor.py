"""`onelook doctor`: what the engine can do, asked of the engine itself."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from onelook.cli.console import out
from onelook.cli.failure import reported
from onelook.cli.locale_language import in_the_users_language
from onelook.cli.option_groups import Only, grouped
from onelook.cli.options import SettingsOptions
from onelook.cli.stopping import run_until_stopped, stoppable
from onelook.demo.checkpoint import with_demo_models
from onelook.settings.process import Settings
from onelook.tagger import Tagger

app = typer.Typer(add_completion=False)


@app.command()
@grouped
def doctor(options: Annotated[SettingsOptions, Only("engine", "model", "base_url", "config")]) -> None:
    """Ask the engine for each capability that onelook builds on, and report what is missing."""
    with stoppable(), reported():
        fit = run_until_stopped(findings(with_demo_models(in_the_users_language(options.load()))))
    raise typer.Exit(0 if fit else 1)


async def findings(settings: Settings) -> bool:
    """Print what was found, one capability a line; whether all that is needed is there."""
    async with Tagger(settings) as tagger:
        fit = True
        for finding in await tagger.probe():
            mark = ("✓", "green") if finding.ok else ("✗", "red") if finding.needed else ("–", "yellow")
            out.print(Text.assemble(mark, " ", (finding.capability, "bold"), f": {finding.detail}"))
            if not finding.ok and finding.hint:
                out.print(Text(f"  {finding.hint}", style="dim"))
            fit = fit and (finding.ok or not finding.needed)
        return fit
