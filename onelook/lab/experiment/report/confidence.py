"""Whether an arm's confidences are true: reliability, risk and coverage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from onelook.lab.experiment.outcomes import Outcome
from onelook.lab.experiment.report.model import Calibration, Estimate, Kept, ReliabilityBin
from onelook.lab.experiment.report.recorded import Recorded
from onelook.lab.statistics.calibration import brier, calibration_error, reliability_curve
from onelook.lab.statistics.calibration_bins import Binning
from onelook.lab.statistics.risk_coverage import aurc, coverage_at, risk_coverage

WANTED: Final = (0.95, 0.98, 0.99)
BINS: Final = 10
FEWEST: Final = 20


@dataclass(frozen=True, slots=True)
class Predictions:
    """Confidences with whether they were right; `clusters`: of their pictures."""

    confidences: list[float]
    right: list[bool]
    clusters: list[str] | None


def calibration_of(recorded: Recorded, arm: str) -> Calibration | None:
    """None without labels, without confidences, or with fewer than 20 of them."""
    if not recorded.labelled:
        return None
    alpha = recorded.design.alpha
    category = _predictions(recorded, arm, "category", lambda outcome: outcome.confidences.get("category"))
    record = _predictions(recorded, arm, "record", lambda outcome: outcome.least_confidence)
    if min(len(category.right), len(record.right)) < FEWEST:
        return None

    def error(binning: Binning) -> Estimate:
        return Estimate.of(
            calibration_error(
                category.confidences,
                category.right,
                category.clusters,
                rng=recorded.rng("ece", arm),
                binning=binning,
                count=BINS,
                alpha=alpha,
            )
        )

    points = [
        (wanted, coverage_at(record.confidences, record.right, wanted, record.clusters, alpha=alpha))
        for wanted in WANTED
    ]
    area = aurc(record.confidences, record.right, record.clusters, alpha=alpha)
    return Calibration(
        labels=len(category.right),
        ece_equal_mass=error("equal mass"),
        ece_equal_width=error("equal width"),
        brier=Estimate.of(brier(category.confidences, category.right, category.clusters, alpha=alpha)),
        reliability=tuple(
            ReliabilityBin(confidence=each.bin.confidence, right=Estimate.of(each.right), labels=each.bin.labels)
            for each in reliability_curve(
                category.confidences, category.right, category.clusters, count=BINS, alpha=alpha
            )
        ),
        risk_coverage=tuple(
            (round(each.coverage, 6), round(each.risk, 6)) for each in risk_coverage(record.confidences, record.right)
        ),
        aurc=Estimate.of(area),
        kept=tuple(
            Kept(
                wanted=wanted,
                threshold=point.threshold,
                coverage=point.coverage,
                accuracy=Estimate.of(point.accuracy),
            )
            for wanted, point in points
            if point is not None
        ),
    )


def _predictions(
    recorded: Recorded, arm: str, metric: str, confidence_of: Callable[[Outcome], float | None]
) -> Predictions:
    pictures, (right,) = recorded.right(metric, arm)
    found = [
        (confidence, hit, picture)
        for picture, hit in zip(pictures, right, strict=True)
        if (confidence := confidence_of(recorded.outcome(picture, arm))) is not None
    ]
    return Predictions(
        [confidence for confidence, _, _ in found],
        [hit for _, hit, _ in found],
        recorded.clusters([picture for _, _, picture in found]),
    )
