"""`onelook tag`: pictures in, their tags out, as a table or as JSON."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from onelook.answering.bug import BUG
from onelook.cli.bug_traces import keep_bug_traces
from onelook.cli.choices import choices, sizes
from onelook.cli.failure import reported
from onelook.cli.options import (
    BaseUrlOption,
    ConfigOption,
    EngineOption,
    LanguageOption,
    ModelOption,
    TaxonomyOption,
    TemplatesOption,
)
from onelook.cli.pictures import name_in_json, named_pictures
from onelook.cli.stopping import Stopped, leave, run_until_stopped, stoppable
from onelook.cli.summary import summary
from onelook.cli.write_json import write_json
from onelook.demo.checkpoint import demo_note, with_demo_models
from onelook.errors import SettingsError
from onelook.graph.arms import ArmName
from onelook.images.source import describe
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.result import TagResult
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context, ReplyFormat, Resolution, Subject

if TYPE_CHECKING:
    from rich.progress import Progress

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
    pictures: Annotated[
        list[str],
        typer.Argument(help="Files, folders (searched below), http(s) URLs, or - to read names from standard input."),
    ],
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
    config: ConfigOption = None,
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
        settings = load_settings(
            engine=engine,
            model=model,
            base_url=base_url,
            taxonomy=taxonomy,
            templates=templates,
            concurrency=concurrency,
            residency=residency,
            config=config,
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
        found = named_pictures(pictures)
        names = [found.pictures] if together else [[name] for name in found.pictures]
        subjects: list[Subject] = [list(found.pictures)] if together else list(found.pictures)
        tagger = Tagger(with_demo_models(settings))
        tagging = Tagging(tagger, context, subjects)

        traces = keep_bug_traces()

        def write_line(index: int, result: TagResult) -> None:
            write_json({**name_in_json(names[index]), **result.model_dump(mode="json")})

        stopped: Stopped | None = None
        try:
            run_until_stopped(tagging.run(write_line if as_jsonl else lambda *_: None))
        except Stopped as signalled:
            stopped = signalled
            tagging.end()
            print_note(f"interrupted: {len(tagging.done)} of {len(names)} are done")
        results = [(names[index], tagging.done[index]) for index in sorted(tagging.done)]
        if as_json:
            write_json([{**name_in_json(name), **result.model_dump(mode="json")} for name, result in results], indent=2)
        elif not as_jsonl:
            shown = [(" + ".join(map(describe, name)), result) for name, result in results]
            show(shown, tagger.services.taxonomy, timing=timing)
        if any(error.kind == BUG for _, result in results for error in result.errors):
            print_note(f"onelook has a bug: {traces} has the stack trace. Please report it.")
        statuses = [result.status for _, result in results]
        for line in summary(statuses, tagging.seconds, found):
            print_note(line)
        if stopped is not None:
            leave(stopped)
        raise typer.Exit(1 if "failed" in statuses or found.closed else 0)


class Tagging:
    """The pictures of one run under a progress bar, and the results so far: `done`, by index."""

    def __init__(self, tagger: Tagger, context: Context, subjects: list[Subject]) -> None:
        self.done: dict[int, TagResult] = {}
        self._tagger, self._context, self._subjects = tagger, context, subjects
        self._bar: Progress | None = None
        self._started: float | None = None
        self._ended: float | None = None
        self._keeping = threading.Lock()

    @property
    def seconds(self) -> float:
        """From the first picture to the end, or to now."""
        return 0.0 if self._started is None else (self._ended or time.monotonic()) - self._started

    async def run(self, on_result: Callable[[int, TagResult], None]) -> None:
        """Tag every picture, and hand each result to `on_result` as soon as it is there."""
        from onelook.cli.console import err, progress

        async with (tagger := self._tagger):
            if note := demo_note(tagger.services.settings, tagger.services.prompts):
                print_note(note.text("terminal"))
            with err.status("starting the engine"):
                await tagger.start(self._context)
            if stale := tagger.calibration_note(self._context):
                print_note(stale)
            self._started = time.monotonic()
            with progress(tagger.waiting) as self._bar:
                task = self._bar.add_task("tagging", total=len(self._subjects))
                async for index, result in tagger.tag_many(self._subjects, self._context):
                    self.keep(index, result, on_result)
                    self._bar.advance(task)
            self._ended = time.monotonic()

    def keep(self, index: int, result: TagResult, on_result: Callable[[int, TagResult], None]) -> None:
        with self._keeping:
            if self._ended is None:
                self.done[index] = result
                on_result(index, result)

    def end(self) -> None:
        """No result is kept or handed over after this, and no bar drawn, though the run may go on in its thread."""
        from onelook.cli.console import err

        with self._keeping:
            self._ended = self._ended or time.monotonic()
        if self._bar is not None:
            self._bar.stop()
        err.show_cursor()  # hidden too while the engine starts


def print_note(note: str) -> None:
    """A note for a person, on standard error."""
    from rich.text import Text

    from onelook.cli.console import err

    err.print(Text(note, style="yellow"), soft_wrap=not err.is_terminal)


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
