"""`onelook tag`: pictures in, their tags out, as a table or as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

import typer

from onelook.answering.bug import BUG
from onelook.cli.bug_traces import keep_bug_traces
from onelook.cli.choices import choices, sizes
from onelook.cli.failure import fail, reported
from onelook.cli.options import (
    BaseUrlOption,
    EngineOption,
    LanguageOption,
    ModelOption,
    TaxonomyOption,
    TemplatesOption,
)
from onelook.cli.pictures import expand, no_pictures
from onelook.cli.write_json import write_json
from onelook.demo.checkpoint import demo_note, with_demo_models
from onelook.graph.arms import ArmName
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.result import TagResult
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context, ReplyFormat, Resolution, Subject

INTERRUPTED = 130  # what shells give a program that Ctrl-C ended

EXAMPLES = """
Examples:

\b
  onelook tag cat.jpg holiday/
      a picture and a folder
  onelook tag cat.jpg --timing --arm legacy
      the old two calls, and where their time went
  onelook tag album/ --jsonl > tags.jsonl
      a line of JSON for each picture
"""

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def tag(
    pictures: Annotated[list[str], typer.Argument(help="Files, folders (searched below), or http(s) URLs.")],
    arm: Annotated[ArmName | None, typer.Option(help="The way through the graph: see `onelook graph`.")] = None,
    reply_format: Annotated[
        ReplyFormat | None, typer.Option("--reply-format", "--format", help="How a guided reply is written.")
    ] = None,
    language: LanguageOption = None,
    resolution: Annotated[
        Resolution | None,
        typer.Option(help="Send all at --long-edge (fixed), or as photos, pages of text and diagrams need (auto)."),
    ] = None,
    long_edge: Annotated[int | None, typer.Option(help="Longest side sent, in pixels: 224 to 2048.")] = None,
    adaptive: Annotated[
        bool | None, typer.Option(help="Look at a small picture first, and at the full one only when not sure.")
    ] = None,
    debias: Annotated[
        bool | None, typer.Option(help="Arm reads: ask with the options in either order, and average.")
    ] = None,
    confidence_threshold: Annotated[
        float | None,
        typer.Option("--confidence-threshold", "--threshold", help="Below this confidence a result needs review."),
    ] = None,
    escalate: Annotated[
        bool | None, typer.Option(help="Whether a specialist, where one is set, answers hard pictures again.")
    ] = None,
    concurrency: Annotated[int | None, typer.Option(help="Pictures in flight at once.")] = None,
    residency: Annotated[
        str | None,
        typer.Option(
            help="With a specialist: both (stay in memory), swap (one at a time) or defer (hard pictures last)."
        ),
    ] = None,
    timing: Annotated[bool, typer.Option("--timing", help="Draw where each picture's time went.")] = False,
    together: Annotated[
        bool, typer.Option("--together", help="The pictures show one subject: look at all of them (up to 5) at once.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, in the order given.")] = False,
    as_jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object a line, as each is done.")] = False,
    engine: EngineOption = None,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    taxonomy: TaxonomyOption = None,
    templates: TemplatesOption = None,
) -> None:
    """Tag pictures: their category, its details, and how sure the model is.

    The exit code is 0 when every picture got an answer, 1 when any failed, 2 when the run could not start.
    Ctrl-C ends the run and shows the results so far.
    """
    with reported():
        settings = load_settings(
            engine=engine,
            model=model,
            base_url=base_url,
            taxonomy=taxonomy,
            templates=templates,
            concurrency=concurrency,
            residency=residency,
        )
        context = choices(
            arm=arm,
            reply_format=reply_format,
            language=language,
            **sizes(resolution, long_edge),
            adaptive=adaptive,
            debias=debias,
            confidence_threshold=confidence_threshold,
            escalate=escalate,
        )
        names = list(expand(pictures))
        if not names:
            fail(no_pictures(pictures))
        subjects: list[Subject] = [list(names)] if together else list(names)
        if together:
            names = [" + ".join(names)]
        tagger = Tagger(with_demo_models(settings))

        traces = keep_bug_traces()
        done: dict[int, TagResult] = {}

        def keep(index: int, result: TagResult) -> None:
            done[index] = result
            if as_jsonl:
                write_json({"image": names[index], **result.model_dump(mode="json")})

        try:
            asyncio.run(tag_all(tagger, context, subjects, keep))
            interrupted = False
        except KeyboardInterrupt:
            interrupted = True
            print_note(f"interrupted: {len(done)} of {len(names)} are done")
    results = [(names[index], done[index]) for index in sorted(done)]
    if as_json:
        write_json([{"image": name, **result.model_dump(mode="json")} for name, result in results], indent=2)
    elif not as_jsonl:
        show(results, tagger.services.taxonomy, timing=timing)
    if any(error.kind == BUG for _, result in results for error in result.errors):
        print_note(f"onelook has a bug: {traces} has the stack trace. Please report it.")
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(1 if any(result.status == "failed" for _, result in results) else 0)


async def tag_all(
    tagger: Tagger, context: Context, subjects: list[Subject], keep: Callable[[int, TagResult], None]
) -> None:
    """Tag every picture under a progress bar, and hand each result to `keep` as soon as it is there."""
    from onelook.cli.console import err, progress

    async with tagger:
        if note := demo_note(tagger.services.settings, tagger.services.prompts):
            print_note(note.text("terminal"))
        with err.status("starting the engine"):
            await tagger.start(context)
        if stale := tagger.calibration_note(context):
            print_note(stale)
        with progress(tagger.waiting) as bar:
            task = bar.add_task("tagging", total=len(subjects))
            async for index, result in tagger.tag_many(subjects, context):
                keep(index, result)
                bar.advance(task)


def print_note(note: str) -> None:
    """A note for a person, on standard error."""
    from rich.text import Text

    from onelook.cli.console import err

    err.print(Text(note, style="yellow"))


def show(results: list[tuple[str, TagResult]], taxonomy: Taxonomy, *, timing: bool) -> None:
    """The results as a table, and with `timing` a waterfall for each."""
    from rich.text import Text

    from onelook.cli.console import in_whole_rows, out
    from onelook.cli.results import results_table
    from onelook.cli.waterfall import waterfall

    in_whole_rows().print(results_table(results, taxonomy))
    if timing:
        for name, result in results:
            out.print()
            out.print(Text(name, style="bold"))
            out.print(waterfall(result.ledger))
