"""`onelook calibrate`: from labelled pictures to calibrated confidences and a threshold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from onelook.calibration.fits import load_calibration, refusal
from onelook.cli.console import err, out, progress
from onelook.cli.failure import needs_lab, reported
from onelook.cli.label_options import LABELS_HELP, LabelColumnOption, PicturesOption
from onelook.cli.locale_language import in_the_users_language
from onelook.cli.notes import print_note
from onelook.cli.option_groups import Only, grouped
from onelook.cli.options import SettingsOptions, setting
from onelook.cli.run_options import UserRunOptions
from onelook.cli.stopping import run_until_stopped, stoppable
from onelook.demo.checkpoint import with_demo_models
from onelook.settings.names import variable
from onelook.types import Target

FILE = Path("calibration.json")

app = typer.Typer(add_completion=False)


@app.command()
@grouped
def calibrate(
    labels: Annotated[Path, typer.Argument(help=LABELS_HELP)],
    *,
    arm: Annotated[list[str] | None, setting("run.arm", words="May be given several times.")] = None,
    choices: Annotated[UserRunOptions, Only("reply_format", "language", "debias")],
    accuracy: Annotated[
        float,
        typer.Option(min=0, max=1, help="Wanted of the answers that neither a specialist nor a person checks."),
    ] = 0.98,
    of: Annotated[
        Target,
        typer.Option(
            help="What is to be so accurate: the category and the details, each by a threshold of its own, or whole"
            " records."
        ),
    ] = "each",
    file: Annotated[
        Path | None,
        typer.Option("--out", help="File to write.", show_default=f"{variable('calibration')}, or {FILE}"),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Also replace a calibration from more pictures, and write thresholds of 0 that pass all."
        ),
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Use the first N pictures only.")] = None,
    label_column: LabelColumnOption = None,
    pictures: PicturesOption = None,
    options: SettingsOptions,
) -> None:
    """Learn from labelled pictures which confidence is enough; the file is for ONELOOK_CALIBRATION.

    What the file has for other arms and models stays, and so does an earlier calibration from more pictures, or where
    the wanted accuracy is not reached now. The exit code is 1 then, and where nothing but thresholds of 0 is found.
    """
    with stoppable("interrupted: no calibration is written, and an earlier one stays as it is"), reported():
        with needs_lab("calibrating"):
            from onelook.cli.reliability import outcome_report, router_report
            from onelook.lab.calibrate import calibrate as learn
            from onelook.lab.label_columns import LabelOptions
        settings = with_demo_models(in_the_users_language(options.load()))
        file = file or settings.calibration or FILE
        known = load_calibration(file if file.exists() else None)
        contexts = [choices.context(arm=each) for each in arm or [settings.run.arm]]
        with progress() as bar:
            task = bar.add_task("")

            def report(arm: str, total: int, done: int) -> None:
                bar.update(task, description=arm, total=total, completed=done)

            learning = learn(
                settings,
                labels,
                contexts,
                accuracy=accuracy,
                target=of,
                limit=limit,
                options=LabelOptions.of(label_column or (), pictures),
                on_progress=report,
                on_note=print_note,
            )
            outcomes, router = run_until_stopped(learning)
        before, refused = known, []
        for outcome in outcomes:
            out.print(*outcome_report(outcome, accuracy), sep="\n")
            if reason := refusal(outcome.fit, known.earlier(outcome.fit), force=force):
                refused.append(f"{outcome.fit.arm}: {reason}")
            else:
                known = known.with_fit(outcome.fit)
        if router is not None:
            out.print(*router_report(router, accuracy), sep="\n")
            if reason := refusal(router.fit, known.router, force=force):
                refused.append(f"router: {reason}")
            else:
                known = known.model_copy(update={"router": router.fit})
        for line in refused:
            err.print(Text(line, style="red"))
        if known != before:
            known.save(file)
            out.print(f"written: export ONELOOK_CALIBRATION={file}", highlight=False)
    chosen = [choice for outcome in outcomes for choice in outcome.choices] + ([router.choice] if router else [])
    reached = all(choice.point is not None for choice in chosen if choice.predictions)
    raise typer.Exit(0 if reached and not refused else 1)
