"""The terminal door: `onelook --help`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from onelook.calibration.fits import load_calibration
from onelook.cli.pictures import expand
from onelook.cli.results import results_table
from onelook.cli.taxonomy import taxonomy_tree
from onelook.cli.waterfall import waterfall
from onelook.demo.checkpoint import demo_note, with_demo_models
from onelook.errors import OnelookError, SettingsError
from onelook.graph.arms import ArmName
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.result import TagResult
from onelook.settings.process import Settings, load_settings, sources
from onelook.tagger import Tagger
from onelook.types import Context, Language, ReplyFormat, Resolution, Subject, Target

app = typer.Typer(
    help="Tag pictures in one guided look.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
taxonomy_app = typer.Typer(help="Look at a taxonomy, or check your own.", no_args_is_help=True)
app.add_typer(taxonomy_app, name="taxonomy")

INTERRUPTED = 130  # what shells give a program that Ctrl-C ended
UNFOLDED = 10_000  # columns: more than any row has
WIDE = 110  # columns of a terminal in which there is room for descriptions

out = Console()
err = Console(stderr=True)


def in_whole_rows() -> Console:
    """For a table, a row a line: a pipe or a file has no width that it must be folded to, unless COLUMNS says so."""
    return out if sys.stdout.isatty() or os.environ.get("COLUMNS") else Console(width=UNFOLDED)


EngineOption = Annotated[str | None, typer.Option("--engine", help="embedded (in this process) or vllm (a server).")]
ModelOption = Annotated[str | None, typer.Option("--model", help="Model name, Hugging Face id or folder.")]
BaseUrlOption = Annotated[str | None, typer.Option("--base-url", help="Server address, such as http://host:8000/v1.")]
TaxonomyOption = Annotated[Path | None, typer.Option("--taxonomy", help="Your own taxonomy (YAML).")]


@contextmanager
def reported() -> Iterator[None]:
    """What the user can mend, or the engine did not deliver, is said in a line; a bug keeps its stack trace."""
    try:
        yield
    except OnelookError as error:
        fail(error)


def fail(error: OnelookError) -> NoReturn:
    err.print(Text.assemble(("error: ", "bold red"), error.message))
    if error.hint:
        err.print(Text.assemble(("hint: ", "bold"), error.hint))
    raise typer.Exit(2)


def choices(**given: Any) -> Context:
    """The run's choices that were made on the command line."""
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        return Context(**chosen)
    except ValidationError as error:
        problems = "; ".join(
            f"--{'.'.join(str(part) for part in problem['loc']).replace('_', '-')}: {problem['msg']}"
            for problem in error.errors(include_url=False)
        )
        raise SettingsError(problems, hint="`onelook tag --help` lists the choices") from None


def sizes(resolution: Resolution | None, long_edge: int | None) -> dict[str, Any]:
    """A long edge that is named here beats a resolution that is set elsewhere."""
    if long_edge is None:
        return {"resolution": resolution}
    if resolution == "auto":
        raise SettingsError(
            "--long-edge is for --resolution fixed; with auto, each picture's content decides",
            hint="leave one of them out; auto's own sizes are settings: `onelook config` lists them as resolution.…",
        )
    return {"resolution": "fixed", "long_edge": long_edge}


EXAMPLES = """
Examples:

    onelook tag cat.jpg holiday/                    a picture and a folder

    onelook tag cat.jpg --timing --arm legacy       the old two calls, and where their time went

    onelook tag album/ --jsonl --engine vllm --base-url http://127.0.0.1:8000/v1 > tags.jsonl
"""


@app.command(epilog=EXAMPLES)
def tag(
    pictures: Annotated[list[str], typer.Argument(help="Files, folders (searched below), or http(s) URLs.")],
    arm: Annotated[ArmName | None, typer.Option(help="The way through the graph: see `onelook graph`.")] = None,
    reply_format: Annotated[
        ReplyFormat | None, typer.Option("--reply-format", "--format", help="How a guided reply is written.")
    ] = None,
    language: Annotated[Language | None, typer.Option(help="The language that the model reads and writes.")] = None,
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
        typer.Option(help="With a specialist: both models in memory, or swap, or defer (hard pictures last)."),
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
) -> None:
    """Tag pictures: their category, its details, and how sure the model is.

    Ends with 0 when every picture got an answer, 1 when any failed, 2 when nothing could begin.
    Ctrl-C shows what is done.
    """
    with reported():
        settings = load_settings(
            engine=engine,
            model=model,
            base_url=base_url,
            taxonomy=taxonomy,
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
            fail(SettingsError("no pictures there", hint="name files, or folders that hold JPEG, PNG, WebP, HEIC …"))
        subjects: list[Subject] = [list(names)] if together else list(names)
        if together:
            names = [" + ".join(names)]

        done: dict[int, TagResult] = {}

        def keep(index: int, result: TagResult) -> None:
            done[index] = result
            if as_jsonl:
                write({"image": names[index], **result.model_dump(mode="json")})

        try:
            asyncio.run(tag_all(settings, context, subjects, keep))
            interrupted = False
        except KeyboardInterrupt:
            interrupted = True
            err.print(Text(f"interrupted: {len(done)} of {len(names)} are done", style="yellow"))
    results = [(names[index], done[index]) for index in sorted(done)]
    if as_json:
        write([{"image": name, **result.model_dump(mode="json")} for name, result in results], indent=2)
    elif not as_jsonl:
        in_whole_rows().print(results_table(results, load_taxonomy(settings.taxonomy)))
        if timing:
            for name, result in results:
                out.print()
                out.print(Text(name, style="bold"))
                out.print(waterfall(result.ledger))
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(1 if any(result.status == "failed" for _, result in results) else 0)


async def tag_all(
    settings: Settings, context: Context, subjects: list[Subject], keep: Callable[[int, TagResult], None]
) -> None:
    """Tag every picture under a progress bar, and hand each result to `keep` as soon as it is there."""
    settings = with_demo_models(settings)
    async with Tagger(settings) as tagger:
        if note := demo_note(settings, tagger.services.prompts):
            err.print(Text(note, style="yellow"))
        with err.status("starting the engine"):
            await tagger.start(context)
        if stale := tagger.calibration_note(context):
            err.print(Text(stale, style="yellow"))
        with progress() as bar:
            task = bar.add_task("tagging", total=len(subjects))
            async for index, result in tagger.tag_many(subjects, context):
                keep(index, result)
                bar.advance(task)


def progress() -> Progress:
    """A bar for a person who waits; a program sees nothing of it."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )


def write(value: object, indent: int | None = None) -> None:
    """JSON for programs: past Rich, so that no width or colour changes it."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=indent) + "\n")
    sys.stdout.flush()


@app.command()
def config(
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    engine: EngineOption = None,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    taxonomy: TaxonomyOption = None,
) -> None:
    """Print every setting, its value, and where it came from: argument, environment or default."""
    with reported():
        arguments = {"engine": engine, "model": model, "base_url": base_url, "taxonomy": taxonomy}
        rows = sources(load_settings(**arguments), arguments)
    if as_json:
        write({row.name: {"value": row.value, "source": row.source} for row in rows}, indent=2)
        return
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


@app.command()
def calibrate(
    labels: Annotated[Path, typer.Argument(help="Labelled pictures: a folder with labels.jsonl, or such a file.")],
    arm: Annotated[
        list[str] | None, typer.Option(help="May be given several times. Default: the settings' arm.")
    ] = None,
    reply_format: Annotated[ReplyFormat | None, typer.Option("--reply-format", "--format")] = None,
    language: Annotated[Language | None, typer.Option(help="The language that the model reads and writes.")] = None,
    debias: Annotated[bool | None, typer.Option(help="Read labels in both orders of their options.")] = None,
    accuracy: Annotated[
        float, typer.Option(min=0, max=1, help="Wanted of the answers that go to no specialist and no person.")
    ] = 0.98,
    of: Annotated[Target, typer.Option(help="What must be right for that: the category, or every label.")] = "category",
    file: Annotated[
        Path | None, typer.Option("--out", help="Default: the settings' calibration, or calibration.json.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many pictures.")] = None,
    engine: EngineOption = None,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    taxonomy: TaxonomyOption = None,
) -> None:
    """Learn from labelled pictures how sure is sure enough, and write it down for ONELOOK_CALIBRATION.

    What the file has on other arms and models stays. Ends with 1 where the wanted accuracy is not reached.
    """
    with reported():
        try:
            from onelook.cli.reliability import outcome_report, router_report
            from onelook.lab.calibrate import calibrate as learn
        except ModuleNotFoundError as missing:
            fail(SettingsError(f"calibrating needs the package {missing.name}", hint="pip install 'onelook[lab]'"))
        settings = with_demo_models(load_settings(engine=engine, model=model, base_url=base_url, taxonomy=taxonomy))
        file = file or settings.calibration or Path("calibration.json")
        known = load_calibration(file if file.exists() else None)
        contexts = [
            choices(arm=each, reply_format=reply_format, language=language, debias=debias)
            for each in arm or [settings.run.arm]
        ]
        with progress() as bar:
            task = bar.add_task("")

            def tell(arm: str, pictures: int, done: int) -> None:
                bar.update(task, description=arm, total=pictures, completed=done)

            learning = learn(settings, labels, contexts, accuracy=accuracy, target=of, limit=limit, on_progress=tell)
            outcomes, router = asyncio.run(learning)
        for outcome in outcomes:
            out.print(*outcome_report(outcome, accuracy, of), sep="\n")
            known = known.with_fit(outcome.fit)
        if router is not None:
            out.print(*router_report(router, accuracy), sep="\n")
            known = known.model_copy(update={"router": router.fit})
        known.save(file)
    out.print(f"written: export ONELOOK_CALIBRATION={file}", highlight=False)
    reached = [outcome.line for outcome in outcomes] + ([router.line] if router else [])
    raise typer.Exit(0 if None not in reached else 1)


@app.command()
def graph() -> None:
    """Print the state machine as a Mermaid drawing."""
    with reported():
        sys.stdout.write(Tagger(with_demo_models(load_settings())).mermaid())


@app.command()
def doctor(
    engine: EngineOption = None,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Ask the engine for each capability that onelook builds on, and say what is missing."""

    async def findings() -> bool:
        async with Tagger(with_demo_models(load_settings(engine=engine, model=model, base_url=base_url))) as tagger:
            fit = True
            for finding in await tagger.probe():
                mark = ("✓", "green") if finding.ok else ("✗", "red") if finding.needed else ("–", "yellow")
                out.print(Text.assemble(mark, " ", (finding.capability, "bold"), f": {finding.detail}"))
                if not finding.ok and finding.hint:
                    out.print(Text(f"  {finding.hint}", style="dim"))
                fit = fit and (finding.ok or not finding.needed)
            return fit

    with reported():
        fit = asyncio.run(findings())
    raise typer.Exit(0 if fit else 1)


@app.command()
def pull(model: Annotated[str, typer.Argument(help="Hugging Face id, such as Qwen/Qwen2.5-VL-3B-Instruct.")]) -> None:
    """Fetch a model ahead of its first use, with progress."""
    from onelook.engines.transformers.pull import pull as fetch

    with reported():
        out.print(f"{model} is at {fetch(model)}")


@taxonomy_app.command()
def check(file: Annotated[Path, typer.Argument(help="A taxonomy document (YAML).")]) -> None:
    """Say whether a taxonomy can be used, and if not, what is wrong on which line."""
    with reported():
        loaded = load_taxonomy(file)
    attributes = sum(len(category.details) for category in loaded.categories.values())
    out.print(f"{file}: good, {len(loaded.categories)} categories with {attributes} attributes")


@taxonomy_app.command()
def show(
    file: Annotated[Path | None, typer.Argument(help="A document; left out: the settings' own.")] = None,
) -> None:
    """Draw a taxonomy as a tree: categories, attributes, options, in every language of the document."""
    with reported():
        out.print(taxonomy_tree(load_taxonomy(file or load_settings().taxonomy)))


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
