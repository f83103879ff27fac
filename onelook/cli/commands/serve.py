"""`onelook serve`: the web page and the HTTP API."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from onelook.cli.failure import reported
from onelook.cli.options import (
    BaseUrlOption,
    ConfigOption,
    EngineOption,
    ModelOption,
    TaxonomyOption,
    TemplatesOption,
    setting,
)
from onelook.settings.process import load_settings

LogFormat = Literal["text", "json"]

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    host: Annotated[str | None, setting("http.host")] = None,
    port: Annotated[int | None, setting("http.port")] = None,
    workers: Annotated[int | None, setting("http.workers")] = None,
    log_format: Annotated[LogFormat | None, setting("http.log_format")] = None,
    engine: EngineOption = None,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    taxonomy: TaxonomyOption = None,
    templates: TemplatesOption = None,
    config: ConfigOption = None,
) -> None:
    """Serve the web page and the HTTP API.

    Ctrl-C, SIGTERM or SIGHUP stops it: requests that are in hand are finished, and no new ones are taken. A second
    Ctrl-C ends it at once.
    `onelook config` lists what else can be set, as http.…
    """
    with reported():
        settings = load_settings(
            engine=engine, model=model, base_url=base_url, taxonomy=taxonomy, templates=templates, config=config
        )
        # Imported here, so that a wrong setting is reported at once.
        from onelook.api.serve import serve as run

        given = {"host": host, "port": port, "workers": workers, "log_format": log_format}
        http = settings.http.model_copy(update={name: value for name, value in given.items() if value is not None})
        run(settings.model_copy(update={"http": http}))
