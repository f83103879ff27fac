"""`onelook tag`: pictures in, their tags out, as a table or as JSON."""

from __future__ import annotations

from typing import Annotated

import typer

from onelook.cli.failure import reported
from onelook.cli.locale_language import in_the_users_language
from onelook.cli.option_groups import grouped
from onelook.cli.options import SettingsOptions, setting
from onelook.cli.pictures import name_in_json, named_pictures
from onelook.cli.run_options import ConcurrencyOption, UserRunOptions
from onelook.cli.stopping import stoppable
from onelook.cli.tagging import Tagging
from onelook.cli.write_json import write_json
from onelook.demo.checkpoint import with_demo_models
from onelook.errors import SettingsError
from onelook.images.source import describe
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.result import TagResult
from onelook.settings.process import Residency
from onelook.tagger import Tagger
from onelook.types import Subject

EXAMPLES = """
Examples:

\b
  onelook tag cat.jpg holiday/
      a picture and a folder
  onelook tag cat.jpg --timing --arm legacy
      the old two calls, and where time went
  onelook tag album/ --jsonl > tags.jsonl
      a line of JSON for each picture
"""

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
@grouped
def tag(
    pictures: Annotated[
        list[str],
        typer.Argument(help="Files, folders (searched below), http(s) URLs, or - to read names from standard input."),
    ],
    *,
    choices: UserRunOptions,
    concurrency: ConcurrencyOption = None,
    residency: Annotated[Residency | None, setting("residency")] = None,
    timing: Annotated[bool, typer.Option("--timing", help="Draw where each picture's time went.")] = False,
    together: Annotated[
        bool, typer.Option("--together", help="The pictures show one subject: look at all of them (up to 5) at once.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, in the order given.")] = False,
    as_jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object a line, as each is done.")] = False,
    options: SettingsOptions,
) -> None:
    """Tag pictures: their category, its details, and how sure the model is.

    The exit code is 0 when every picture got an answer, 1 when any failed or a folder could not be opened, 2 when the
    run could not start. Ctrl-C, SIGTERM and SIGHUP end the run and show the results so far; the code is then 128 + the
    signal's number. A second one ends it at once.
    """
    with stoppable(), reported():
        if as_json and as_jsonl:
            raise SettingsError(
                "--json and --jsonl contradict each other",
                hint="--json writes one array at the end, --jsonl a line for each picture as soon as it is done",
            )
        settings = in_the_users_language(options.load(concurrency=concurrency, residency=residency))
        context = choices.context()
        found = named_pictures(pictures)
        names = [found.pictures] if together else [[name] for name in found.pictures]
        subjects: list[Subject] = [list(found.pictures)] if together else list(found.pictures)
        tagger = Tagger(with_demo_models(settings))
        tagging = Tagging(tagger, context, subjects)

        def write_line(index: int, result: TagResult) -> None:
            write_json({**name_in_json(names[index]), **result.model_dump(mode="json")})

        stopped = tagging.until_stopped(write_line if as_jsonl else lambda *_: None)
        results = [(names[index], tagging.done[index]) for index in sorted(tagging.done)]
        if as_json:
            write_json([{**name_in_json(name), **result.model_dump(mode="json")} for name, result in results], indent=2)
        elif not as_jsonl:
            shown = [(" + ".join(map(describe, name)), result) for name, result in results]
            show(shown, tagger.services.taxonomy, timing=timing)
        tagging.finish(found, stopped)


def show(results: list[tuple[str, TagResult]], taxonomy: Taxonomy, *, timing: bool) -> None:
    """The results, and with `timing` a waterfall for each."""
    from rich.text import Text

    from onelook.cli.console import in_whole_rows
    from onelook.cli.results import shown_results
    from onelook.cli.waterfall import waterfall

    out = in_whole_rows()
    out.print(shown_results(results, taxonomy, out.width))
    if timing:
        for name, result in results:
            out.print()
            out.print(Text(name, style="bold"))
            out.print(waterfall(result.ledger, out.width))
