"""`onelook serve`: the web page and the HTTP API."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from onelook.cli.failure import reported
from onelook.cli.option_groups import OptionGroup, grouped
from onelook.cli.options import SettingsOptions, setting

app = typer.Typer(add_completion=False)


class HttpOptions(OptionGroup):
    host: Annotated[str | None, setting("http.host")] = None
    port: Annotated[int | None, setting("http.port")] = None
    workers: Annotated[int | None, setting("http.workers")] = None
    log_format: Annotated[Literal["text", "json"] | None, setting("http.log_format")] = None


@app.command()
@grouped
def serve(http: HttpOptions, options: SettingsOptions) -> None:
    """Serve the web page and the HTTP API.

    Ctrl-C, SIGTERM or SIGHUP stops it: requests that are in hand are finished, and no new ones are taken. A second
    Ctrl-C ends it at once.
    `onelook config` lists what else can be set, as http.…
    """
    with reported():
        settings = options.load()
        # Imported here, so that a wrong setting is reported at once.
        from onelook.api.serve import serve as run

        run(settings.model_copy(update={"http": settings.http.model_copy(update=http.given)}))
