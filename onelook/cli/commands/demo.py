"""`onelook demo`: the main job on the embedded engine, from a picture to its tags and its waterfall."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from onelook.cli.album_results import shown_album
from onelook.cli.console import out
from onelook.cli.failure import reported
from onelook.cli.locale_language import in_the_users_language
from onelook.cli.options import ConfigOption
from onelook.cli.pictures import named_pictures
from onelook.cli.results import shown_results
from onelook.cli.stopping import stoppable
from onelook.cli.tagging import Tagging
from onelook.cli.waterfall import waterfall
from onelook.demo.checkpoint import DRAWINGS, with_demo_models
from onelook.images.source import describe, is_data_url, is_url
from onelook.images.walk import Found
from onelook.lab.album import read_labels
from onelook.lab.scores import LabelledResult
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    pictures: Annotated[
        list[str] | None,
        typer.Argument(help="Your own files, folders (searched below) or http(s) URLs, instead of the drawings."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Tag a few drawings whose truth is known, or PICTURES, with the bundled model.

    Exit codes and signals are those of `onelook tag`.
    """
    with stoppable(), reported():
        settings = load_settings(engine="embedded", concurrency=1, config=config)
        album = [] if pictures else read_labels(DRAWINGS)
        found = named_pictures(pictures) if pictures else Found([str(each.path) for each in album])
        tagger = Tagger(with_demo_models(in_the_users_language(settings)))
        taxonomy, language = tagger.services.taxonomy, tagger.services.run.language
        tagging = Tagging(tagger, Context(), list(found.pictures))
        stopped = tagging.until_stopped()
        results = [(shown_name(found.pictures[index]), tagging.done[index]) for index in sorted(tagging.done)]
        if pictures:
            out.print(shown_results(results, taxonomy, out.width))
        else:
            answered = [
                LabelledResult(name, album[index].truth, result)
                for index, (name, result) in zip(sorted(tagging.done), results, strict=True)
            ]
            out.print(shown_album(answered, taxonomy, language, out.width))
            right = sum(each.record_right for each in answered)
            out.print(f"{right} of {len(answered)} right in category and every detail", highlight=False)
        if results:
            name, last = results[-1]
            out.print(Text(f"\nwhere the time of {name} went", style="bold"))
            out.print(waterfall(last.ledger, out.width))
        tagging.finish(found, stopped)


def shown_name(picture: str) -> str:
    """A file's name without its folders; a URL as messages have it."""
    name = describe(picture)
    return name if is_url(picture) or is_data_url(picture) else Path(name).name
