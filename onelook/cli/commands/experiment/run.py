"""`onelook experiment run`: begin an experiment, or go on with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from onelook.cli.experiment_report import FailIf, FailIfOption, fails, print_report
from onelook.cli.failure import needs_lab, reported
from onelook.cli.label_options import LABELS_HELP, LabelColumnOption, PicturesOption
from onelook.cli.notes import print_note
from onelook.cli.option_groups import grouped
from onelook.cli.options import SettingsOptions
from onelook.cli.stopping import Stopped, leave, run_until_stopped, stoppable

if TYPE_CHECKING:
    from onelook.lab.experiment import Experiment
    from onelook.lab.experiment.report.model import Report

EPILOG = """
FOLDER keeps the design, every outcome and the report: start the same command again and it goes on, after Ctrl-C, a
power cut or `kill -9`. The first arm is the baseline, with which each other one is compared.

The exit code is 0 when the report is written, 1 with --fail-if when its verdict is met, 2 when the experiment could not
begin, and 128 + the signal's number after Ctrl-C, SIGTERM or SIGHUP.

\b
Examples:
  onelook experiment album/ --arm fused --arm reads --out compared
  onelook experiment album/ --arm fused --arm small:arm=fused,long_edge=448 --out sizes
      a name of your own, and what it changes
  onelook experiment album/ --arm fp:arm=fused --arm q4:arm=fused,quantization=4bit --out weights
  onelook experiment album/ --arm fused --arm reads --out ci --fail-if worse
      in CI: report, JUnit XML, and exit code 1 if an arm is worse
"""

app = typer.Typer(add_completion=False)


@app.command(epilog=EPILOG)
@grouped
def run(
    album: Annotated[
        Path,
        typer.Argument(help=f"{LABELS_HELP} A folder of pictures without labels is enough for --primary latency."),
    ],
    *,
    arm: Annotated[
        list[str],
        typer.Option(
            "--arm",
            metavar="NAME[:key=value,…]",
            help="An arm (fused, reads …), or a name with the run's choices and settings that it changes. Give several;"
            " the first is the baseline.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The experiment's folder. Default: experiments/ALBUM-HASH, by the design's hash."),
    ] = None,
    primary: Annotated[
        str,
        typer.Option(
            "--primary", metavar="<record|category|latency|attribute:…>", help="What decides; attribute:NAME names one."
        ),
    ] = "record",
    margin: Annotated[
        float, typer.Option("--margin", help="Not worse while it loses less than this share of pictures.")
    ] = 0.02,
    latency_margin: Annotated[
        float, typer.Option("--latency-margin", help="The same of the latency: 0.05 accepts 5 % more time.")
    ] = 0.05,
    alpha: Annotated[float, typer.Option("--alpha", help="Two-sided error of each verdict.")] = 0.05,
    power: Annotated[float, typer.Option("--power", help="Wanted chance to see a difference that is there.")] = 0.8,
    stop: Annotated[
        Literal["fixed", "anytime"],
        typer.Option("--stop", help="fixed: all pictures; anytime: as soon as an anytime-valid test decides."),
    ] = "fixed",
    cluster: Annotated[
        str,
        typer.Option("--cluster", metavar="<none|album|folder|day|column:NAME>", help="Pictures that belong together."),
    ] = "none",
    seed: Annotated[int, typer.Option("--seed", help="Of the order and of all random numbers.")] = 0,
    caches: Annotated[
        Literal["apart", "shared", "both"],
        typer.Option(
            "--caches", help="Prefix and media caches of the arms: apart, shared as in production, or both (twice)."
        ),
    ] = "apart",
    aa: Annotated[
        bool, typer.Option("--aa/--no-aa", help="Ask the baseline a second time, to show what chance alone does.")
    ] = True,
    warm_up: Annotated[int, typer.Option("--warm-up", help="Pictures an arm before the run, reported apart.")] = 2,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Use the first N pictures only.")] = None,
    at_once: Annotated[
        list[int] | None,
        typer.Option("--at-once", min=1, help="Load: so many pictures in flight. May be given several times."),
    ] = None,
    rate: Annotated[
        list[float] | None,
        typer.Option("--rate", help="Load: so many pictures a second, arriving at random. May be given several times."),
    ] = None,
    load_pictures: Annotated[
        int, typer.Option("--load-pictures", min=1, help="Load: pictures a level and an arm.")
    ] = 60,
    p95_ms: Annotated[
        float | None, typer.Option("--p95-ms", help="Load: report the highest throughput within this p95.")
    ] = None,
    label_column: LabelColumnOption = None,
    pictures: PicturesOption = None,
    fail_if: FailIfOption = None,
    options: SettingsOptions,
) -> None:
    """Compare arms on the pictures of an album, by a design that is fixed before the first question."""
    with stoppable(), reported():
        with needs_lab("an experiment"):
            from onelook.lab.experiment import Experiment
            from onelook.lab.experiment.arm_text import read_arms
            from onelook.lab.experiment.design import Load
            from onelook.lab.label_columns import LabelOptions
        experiment = Experiment(
            album,
            read_arms(arm),
            primary=primary,
            margin=margin,
            latency_margin=latency_margin,
            alpha=alpha,
            power=power,
            stop=stop,
            cluster=cluster,
            seed=seed,
            caches=caches,
            aa=aa,
            warm_up=warm_up,
            limit=limit,
            load=Load(
                closed=tuple(at_once or ()),
                open=tuple(rate or ()),
                pictures=load_pictures,
                fixed_p95_ms=p95_ms,
            ),
            labels=LabelOptions.of(label_column or (), pictures),
            out=out,
            settings=options.load(),
        )
        _run(experiment, fail_if)


def _run(experiment: Experiment, fail_if: FailIf | None) -> None:
    from onelook.cli.console import progress

    design = experiment.design
    print_note(f"design {design.digest[:12]}, {len(design.pictures)} pictures, in {experiment.folder}")
    for note in experiment.pictures.notes:
        print_note(note)
    counted = [0, 0]
    bar = progress()

    async def work() -> Report:
        with bar:
            task = bar.add_task("starting", total=None)

            def show(done: int, total: int, arm: str) -> None:
                counted[:] = done, total
                bar.update(task, description=arm or "done", completed=done, total=total)

            return await experiment.run(show)

    try:
        report = run_until_stopped(work())
    except Stopped as stopped:
        bar.stop()
        print_note(f"interrupted: {counted[0]} of {counted[1]} questions have an outcome; the same command goes on")
        leave(stopped)
    print_report(report, experiment.folder)
    raise typer.Exit(1 if fails(report, fail_if) else 0)
