"""What `onelook calibrate` has learnt, as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from onelook.lab.calibrate import Outcome, RouterOutcome
from onelook.lab.statistics.calibration import brier
from onelook.lab.statistics.calibration_bins import Prediction, bins, columns, expected_error
from onelook.lab.statistics.risk_coverage import coverage_at
from onelook.lab.threshold import FEWEST, OperatingPoint, Passing, ThresholdChoice, fewest_right

BAR_CELLS = 24
ROWS = 8
LEGEND = (
    "each row: labels of like confidence; reported: the model's mean confidence, calibrated: after the fit, right: the"
    " share that is right. Good is calibrated = right."
)
FIGURES = (
    "right: share of right labels. ECE, Brier: error of the confidences, less is better. kept: the largest share of"
    " labels, surest first, that is as right as wanted"
)


def outcome_report(outcome: Outcome, accuracy: float) -> Iterator[RenderableType]:
    """Reliability of the category and of the details, the curves and their gain, and the thresholds."""
    fit = outcome.fit
    yield Text(f"{fit.arm} {fit.reply_format} {fit.language}, {fit.pictures} pictures, {fit.model}", style="bold")
    if outcome.failed:
        yield Text(f"{outcome.failed} pictures got no answer that can be read, and are left out", style="yellow")
    shown = [calibration for calibration in outcome.labels if calibration.predictions]
    if shown:
        yield Text(LEGEND)
    for calibration in shown:
        yield reliability_table(calibration.kind, calibration.predictions, calibration.calibrated)
        if calibration.methods:
            best, *others = calibration.methods
            curve = f"temperature {best.curve.temperature:.2f}" + (
                f", bias {best.curve.bias:+.2f}" if best.curve.bias else ""
            )
            losses = ", ".join(f"{other.name} {other.nll:.3f}" for other in others)
            yield Text(f"{best.name}: {curve}; loss in cross-validation {best.nll:.3f} ({losses})\n")
        else:
            yield Text("unchanged: fewer than 5 labels are wrong, or fewer than 5 are right\n", style="yellow")
    yield figures_table([(each.kind, each.predictions, each.calibrated) for each in shown], accuracy)
    for choice in outcome.choices:
        yield _threshold(choice, accuracy, "go to the specialist or a person")
    if outcome.together is not None:
        yield _together(outcome.together)


def router_report(outcome: RouterOutcome, accuracy: float) -> Iterator[RenderableType]:
    """The same for the router of the arm `hybrid`."""
    fit = outcome.fit
    yield Text(f"router, {fit.pictures} pictures, {fit.model}", style="bold")
    yield Text(LEGEND)
    yield reliability_table("category", outcome.before, outcome.after)
    yield Text(f"temperature {fit.temperature:.2f}\n")
    yield figures_table([("category", outcome.before, outcome.after)], accuracy)
    yield _threshold(outcome.choice, accuracy, "go to the model")


def figures_table(kinds: Sequence[tuple[str, Sequence[Prediction], Sequence[Prediction]]], accuracy: float) -> Table:
    """Of each kind of label, before and after: calibration error, Brier score; accuracy, and how many can be kept."""
    table = Table(box=None, pad_edge=False, header_style="bold", caption=FIGURES, caption_justify="left")
    names = ("", "labels", "right", "ECE before", "after", "Brier before", "after", f"kept at {accuracy:.0%}")
    for number, name in enumerate(names):
        table.add_column(name, justify="right" if number else "left")
    for kind, before, after in kinds:
        (reported, right), (calibrated, _) = columns(before), columns(after)
        point = coverage_at(calibrated, right, accuracy)
        table.add_row(
            kind,
            str(len(right)),
            f"{right.mean():.1%}",
            *(f"{expected_error(each, right):.3f}" for each in (reported, calibrated)),
            *(f"{brier(each, right).estimate:.3f}" for each in (reported, calibrated)),
            "none" if point is None else f"{point.coverage:.1%}",
        )
    return table


def reliability_table(kind: str, before: Sequence[Prediction], after: Sequence[Prediction]) -> Table:
    """Labels in groups of equal size, by confidence; the bar shows how many are right, the stroke their confidence.

    Groups have equal size, because most confidences of a good model are above 0.9: bins of equal width stay empty.
    `after`: the same labels, calibrated.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in (kind, "reported", "calibrated", "right"):
        table.add_column(column, justify="right")
    table.add_column("right █, calibrated │", no_wrap=True)
    (reported, right), (calibrated, _) = columns(before), columns(after)
    # The same bins twice: once with their share of right labels, once with their mean calibrated confidence.
    for group, same in zip(bins(reported, right, count=ROWS), bins(reported, calibrated, count=ROWS), strict=True):
        figures = (f"{share:.1%}" for share in (group.confidence, same.right, group.right))
        table.add_row(str(group.labels), *figures, _bar(group.right, same.right))
    return table


def _bar(right: float, calibrated: float) -> Text:
    cells = list("█" * round(right * BAR_CELLS) + " " * (BAR_CELLS - round(right * BAR_CELLS)))
    cells[min(int(calibrated * BAR_CELLS), BAR_CELLS - 1)] = "│"
    return Text("".join(cells), style="cyan")


def _threshold(choice: ThresholdChoice, accuracy: float, way: str) -> Text:
    point, best, of = choice.point, choice.best, choice.of
    if not choice.predictions:
        return Text(f"{of}: not labelled, so no threshold; run.confidence_threshold applies to it\n", style="yellow")
    if point is None:
        missed = f"{of}: no threshold reaches {accuracy:.1%}, so run.confidence_threshold applies to it"
        if best is None:
            return Text(f"{missed}; {len(choice.predictions)} pictures are too few, at least {FEWEST}\n", style="red")
        return Text(
            f"{missed}; the best is {best.threshold:.3f}, with {_share(best)} right, where {best.escalated:.1%}"
            f" {way}\n",
            style="red",
        )
    words = Text(style="green")
    if point.threshold == 0:
        words.append(
            f"{of}: THRESHOLD 0: every answer passes, however unsure, because {_share(point)} are right already\n",
            style="bold yellow",
        )
    else:
        words.append(
            f"{of}: threshold {point.threshold:.3f}: {point.escalated:.1%} {way}; of the others {_share(point)} are"
            " right\n"
        )
    if choice.supported is None and 0 < accuracy < 1:
        words.append(
            f"  as observed; {len(choice.predictions)} pictures do not prove {accuracy:.1%} at any threshold (95 %"
            f" certain; it takes {fewest_right(accuracy)} right answers without a wrong one)\n",
            style="yellow",
        )
    elif choice.supported is not None:
        words.append(
            f"  as observed; {accuracy:.1%} is proved (95 % certain) from {choice.supported.threshold:.3f} on, where"
            f" {1 - choice.supported.coverage:.1%} {way}\n",
        )
    return words


def _together(passing: Passing) -> Text:
    """What the thresholds do to whole records."""
    if passing.right is None:
        return Text("together: every picture needs review\n", style="yellow")
    right = f"{passing.right.estimate:.1%} ({passing.right.low:.1%} to {passing.right.high:.1%})"
    return Text(
        f"together: {passing.reviewed:.1%} of the {passing.pictures} pictures that are labelled whole need review; of"
        f" the others {right} are right in category and every detail\n",
        style="bold",
    )


def _share(point: OperatingPoint) -> str:
    return f"{point.accuracy:.1%} ({point.low:.1%} to {point.high:.1%})"
