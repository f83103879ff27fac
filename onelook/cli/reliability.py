"""What `onelook calibrate` has calibration, as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from onelook.lab.calibrate import Outcome, RouterOutcome
from onelook.lab.statistics.calibration_bins import Prediction, bins, columns, expected_error
from onelook.lab.threshold import OperatingPoint
from onelook.types import Target

BAR_CELLS = 24
ROWS = 8


def outcome_report(outcome: Outcome, accuracy: float, target: Target) -> Iterator[RenderableType]:
    """Reliability of the category and of the details, the curves and their gain, and the threshold."""
    fit = outcome.fit
    yield Text(f"{fit.arm} {fit.reply_format} {fit.language}, {fit.pictures} pictures, {fit.model}", style="bold")
    if outcome.failed:
        yield Text(f"{outcome.failed} pictures got no answer that can be read, and are left out", style="yellow")
    for calibration in outcome.labels:
        if not calibration.predictions:
            continue
        yield reliability_table(calibration.kind, calibration.predictions, calibration.calibrated)
        if calibration.methods:
            best, *others = calibration.methods
            curve = f"temperature {best.curve.temperature:.2f}" + (
                f", bias {best.curve.bias:+.2f}" if best.curve.bias else ""
            )
            losses = ", ".join(f"{other.name} {other.nll:.3f}" for other in others)
            yield Text(f"{best.name}: {curve}; loss in cross-validation {best.nll:.3f} ({losses})")
        else:
            yield Text("unchanged: fewer than 5 labels are wrong, or fewer than 5 are right", style="yellow")
        yield _errors(calibration.predictions, calibration.calibrated)
    yield _threshold(outcome.point, outcome.best, accuracy, target, "go to the specialist or a person")


def router_report(outcome: RouterOutcome, accuracy: float) -> Iterator[RenderableType]:
    """The same for the router of the arm `hybrid`."""
    fit = outcome.fit
    yield Text(f"router, {fit.pictures} pictures, {fit.model}", style="bold")
    yield reliability_table("category", outcome.before, outcome.after)
    yield Text(f"temperature {fit.temperature:.2f}")
    yield _errors(outcome.before, outcome.after)
    yield _threshold(outcome.point, outcome.best, accuracy, "category", "go to the model")


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


def _errors(before: Sequence[Prediction], after: Sequence[Prediction]) -> Text:
    return Text(f"ECE {expected_error(*columns(before)):.3f} before, {expected_error(*columns(after)):.3f} after\n")


def _threshold(
    point: OperatingPoint | None, best: OperatingPoint | None, accuracy: float, target: Target, way: str
) -> Text:
    if point is not None:
        return Text(
            f"threshold {point.threshold:.3f}: {point.escalated:.1%} {way}; of the others"
            f" {_share(point)} are right in {target}\n",
            style="green",
        )
    missed = f"no threshold reaches {accuracy:.1%}"
    if best is None:
        return Text(f"{missed}: at least 20 answers must be above it\n", style="red")
    return Text(
        f"{missed}: the best is {best.threshold:.3f}, with {_share(best)} right in {target}, where"
        f" {best.escalated:.1%} {way}\n",
        style="red",
    )


def _share(point: OperatingPoint) -> str:
    return f"{point.accuracy:.1%} ({point.low:.1%} to {point.high:.1%})"
